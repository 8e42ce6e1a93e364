"""How is it shown? Numbers in; one HTML file, terminal tables and a model card out.

`schema.py` is the report as one JSON document. Everything else here draws it: `html.py` (with its parts in
`page/`), `text.py` for the terminal and `card.py` for a model card in Markdown. Nothing here measures anything.
"""
