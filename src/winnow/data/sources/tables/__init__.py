"""What does a table say of pictures? CSV, JSON, Parquet, Excel and DataFrames become rows; rows become pictures.

table.py        what every reader gives: named columns, and rows that can be walked more than once
delimited.py    text with commas, tabs, semicolons or bars; text.py knows its encoding
records.py      JSON lines and JSON lists
arrow_cells.py  cells of Arrow, some of which Python cannot hold
parquet.py      Parquet, with pictures inside that are read only when they are needed
excel.py        .xlsx
frames.py       pandas, polars, pyarrow
reading.py      a file of a tree -> the right reader
columns.py      which column says what: by its name, else by what is in it
labels.py       a cell (or several) -> the labels of one picture
repeated.py     several rows of one picture -> one
pictures.py     a cell -> a picture: path, bytes, data URI, URL
rows.py         rows -> Found

A table may come from a stranger. Its paths stay in its folder, its URLs stay closed unless the user opened them, its
formulas are text; a row that cannot be used costs one line, never the table.
"""
