"""Tables: any column names, any encoding, one label or several; one bad row costs one line."""

from __future__ import annotations

import base64
import datetime
import os
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from winnow.data.decode import UnreadablePictureError, decode
from winnow.data.sources.source import RefusedSourceError
from winnow.data.sources.tables.labels import separator_of
from winnow.errors import BadDataError, UserError

from .finding import codes_in, found_in, items_in, notes_in, refused_in
from .pictures import file_of, noise

NAMES = [f"{letter}.png" for letter in "abcdef"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of six pictures, a.png to f.png."""
    for seed, name in enumerate(NAMES):
        (tmp_path / name).write_bytes(file_of(noise(seed)))
    return tmp_path


def table(folder: Path, text: str, name: str = "t.csv", encoding: str = "utf-8") -> Path:
    (folder / name).write_bytes(text.encode(encoding))
    return folder / name


def labels_of(source: object, **options: object) -> list[tuple[str, ...] | None]:
    return [found.labels for found in found_in(source, **options)]


# Which column says what


@pytest.mark.parametrize(
    ("picture", "label"),
    [
        ("path", "label"), ("Image_Path", "Class Name"), ("FILENAME", "Category"), ("img", "target"), ("image", "y"),
        ("file_name", "species"), ("fname", "breed"), ("image_name", "diagnosis"), ("filepath", "tags"),
    ],
)  # fmt: skip
def test_columns_are_found_by_their_usual_names(picture, label, folder):
    path = table(folder, f"note,{label},{picture}\nx,cat,a.png\ny,dog,b.png\n")
    assert [(f.source, f.label) for f in found_in(path)] == [("a.png", "cat"), ("b.png", "dog")]


def test_columns_with_unusual_names_are_found_by_what_is_in_them(folder):
    rows = "".join(f"{i},{name},{'heron' if i % 2 else 'gull'},{i}.5\n" for i, name in enumerate(NAMES))
    found = found_in(table(folder, f"nr,wo,vogel,length\n{rows}"))
    assert [(f.source, f.label) for f in found] == [(n, ["gull", "heron"][i % 2]) for i, n in enumerate(NAMES)]
    assert found[1].metadata == {"nr": "1", "length": "1.5"}


def test_an_id_is_a_path_where_files_are_called_after_it(tmp_path):
    (tmp_path / "train").mkdir()
    for i in range(4):
        (tmp_path / "train" / f"{i:03}.jpg").write_bytes(file_of(noise(i), "JPEG"))
    path = table(tmp_path, "id,has_cactus\n000,1\n001,0\n002,1\n003,1\n")
    assert [(f.source, f.label) for f in found_in(path)] == [
        ("train/000.jpg", "1"), ("train/001.jpg", "0"), ("train/002.jpg", "1"), ("train/003.jpg", "1"),
    ]  # fmt: skip


def test_an_id_that_two_files_are_called_after_is_no_guess(tmp_path):
    for seed, path in enumerate(("a/1.png", "a/2.png", "b/2.png", "a/3.png")):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(file_of(noise(seed)))
    path = table(tmp_path, "id,label\n1,cat\n2,dog\n3,cat\n")
    assert [f.source for f in found_in(path)] == ["a/1.png", "a/3.png"]
    assert codes_in(path) == ["E_ANN_REF"]


def test_what_mostly_says_who_belongs_together_may_be_the_class(folder):
    rows = "".join(f"{name},{'indoor' if i % 2 else 'beach'}\n" for i, name in enumerate(NAMES))
    assert {f.label for f in found_in(table(folder, f"image,scene\n{rows}"))} == {"indoor", "beach"}


def test_an_id_beside_a_path_is_metadata(folder):
    found = found_in(table(folder, "id,image,label\n7,a.png,cat\n8,b.png,dog\n"))
    assert [(f.source, f.metadata) for f in found] == [("a.png", {"id": "7"}), ("b.png", {"id": "8"})]


def test_names_of_classes_are_taken_rather_than_their_numbers(folder):
    path = table(folder, "image,label,class_name\na.png,0,cat\nb.png,1,dog\n")
    assert labels_of(path) == [("cat",), ("dog",)]


def test_the_users_own_columns_go_before_all_names(folder):
    path = table(folder, "where;what;part;patient\na.png;cat;Train;p1\nb.png;dog;TEST;p2\n")
    found = found_in(path, path_column="where", label_columns=("what",), split_column="part")
    assert [(f.label, f.split, f.group) for f in found] == [("cat", "train", "p1"), ("dog", "test", "p2")]


def test_a_mistyped_column_is_answered_with_the_nearest(folder):
    path = table(folder, "where,label\na.png,cat\n")
    with pytest.raises(UserError, match="Did you mean label"):
        items_in(path, label_columns=("labl",))


def test_where_no_column_holds_pictures_the_columns_are_listed(folder):
    with pytest.raises(RefusedSourceError, match=r"columns: wo, was.*--path-column"):
        items_in(table(folder, "wo,was\nx,cat\ny,dog\n"))


def test_where_two_columns_may_hold_the_labels_the_user_is_asked(folder):
    rows = "".join(f"{name},{'mf'[i % 2]},{'lr'[i // 3]}\n" for i, name in enumerate(NAMES))
    with pytest.raises(RefusedSourceError, match=r"Several columns .*image, sex, side.*--label-column"):
        items_in(table(folder, f"image,sex,side\n{rows}"))


# Labels


def test_labels_of_a_csv_stay_as_they_are_written(folder):
    path = table(folder, "path,label\na.png,01\nb.png,1\nc.png,1.0\nd.png, x \ne.png,\n")
    assert labels_of(path) == [("01",), ("1",), ("1.0",), ("x",), None]


def test_numbers_dates_and_truths_become_text():
    frame = pd.DataFrame({"path": ["a", "b", "c", "d"], "label": [3.0, None, True, datetime.date(2024, 5, 31)]})
    assert labels_of(frame) == [("3",), None, ("True",), ("2024-05-31",)]


@pytest.mark.parametrize(
    ("cells", "separator"),
    [
        (["cat|dog", "cat", "dog|bird"], "|"),
        (["cat;dog", "dog"], ";"),
        (["cat, dog", "cat", "dog", "bird, cat", "bird"], ","),
        (["Smith, John", "Smith, Anna", "Miller, John"], ""),
        (["Smith, John", "Smith, Anna", "Jones, John", "Jones, Anna"], ""),
        (["Larus argentatus, adult", "Larus argentatus, juvenile", "Passer domesticus"], ""),
        (["salt, pepper"], ""),
        (["cat|dog"], ""),
        (["cat|dog", "cat;dog"], ""),
        (["cat", "dog"], ""),
        (["Smith, John|Miller, Anna", "Smith, John"], "|"),
        (["['cat', 'dog']", "['cat']", "[]"], "["),
        (['["cat"]', '["dog", "cat"]'], "["),
        (["[cat", "dog]"], ""),
    ],
)
def test_a_cell_is_divided_only_where_its_parts_come_back(cells, separator):
    assert separator_of(cells, "labels")[0] == separator


def test_divided_cells_are_told(folder):
    path = table(folder, "image,labels\na.png,cat|dog\nb.png,dog\nc.png,\n")
    assert labels_of(path) == [("cat", "dog"), ("dog",), None]
    assert [(note.code, note.text) for note in notes_in(path)] == [
        ("W_LABELS_SPLIT", "Cells of 'labels' such as 'cat|dog' were read as several labels, divided by '|'.")
    ]


def test_lists_are_several_labels_and_an_empty_list_says_that_none_applies():
    frame = pd.DataFrame({"image": ["a", "b", "c"], "labels": [["cat", "dog"], [], None]})
    assert labels_of(frame) == [("cat", "dog"), (), None]


def test_arrays_that_pandas_makes_of_lists_are_several_labels():
    labels = [np.array(["cat", "dog"], dtype=object), np.array([], dtype=object), np.array(["cat"]), None]
    frame = pd.DataFrame({"image": ["a", "b", "c", "d"], "labels": labels})
    assert labels_of(frame) == [("cat", "dog"), (), ("cat",), None]


@pytest.mark.parametrize("column", ["label", "group"])
def test_what_is_no_text_or_number_is_no_label_and_no_group(column, folder):
    said = {"label": ["cat", "dog"], "group": ["x", "y"]}
    pq.write_table(pa.table({"image": ["a.png", "b.png"], **said, column: [b"x", b"y"]}), folder / "t.parquet")
    lines = refused_in(folder / "t.parquet")
    assert [(line.source, line.code) for line in lines] == [(f"t.parquet[{i}]", "W_ROW_DROPPED") for i in (0, 1)]
    frame = pd.DataFrame({"image": ["a.png", "b.png"], **said, column: [object(), {"x": 1}]})
    assert [line.code for line in refused_in(frame)] == ["W_ROW_DROPPED"] * 2


def test_a_cell_that_is_no_list_among_lists_costs_its_row(folder):
    path = table(folder, f"image,labels\na.png,['cat']\nb.png,{'[' * 2000}\nc.png,[]\n")
    assert labels_of(path) == [("cat",), ()]
    assert [line.source for line in refused_in(path)] == ["t.csv, line 3"]


def test_a_formula_that_failed_is_no_class(folder):
    path = table(folder, "image,label\na.png,cat\nb.png,#N/A\nc.png,#REF!\n")
    assert labels_of(path) == [("cat",)]
    assert [line.code for line in refused_in(path)] == ["W_ROW_DROPPED"] * 2


def test_columns_that_are_all_0_and_1_are_classes(folder):
    path = table(folder, "image,MEL,NV,BCC\na.png,1.0,0.0,0.0\nb.png,0,1,0\nc.png,0,0,1\n")
    assert labels_of(path) == [("MEL",), ("NV",), ("BCC",)]
    path = table(folder, "image,smiling,male\na.png,1,1\nb.png,-1,1\nc.png,-1,-1\nd.png,,\n")
    assert labels_of(path) == [("smiling", "male"), ("male",), (), None]


def test_several_columns_that_the_user_names_are_classes(folder):
    path = table(folder, "image,age,edema,effusion\na.png,60,true,no\nb.png,61,False,\nc.png,62,maybe,no\n")
    found = found_in(path, label_columns=("edema", "effusion"))
    assert [(f.labels, f.metadata) for f in found] == [(("edema",), {"age": "60"}), ((), {"age": "61"})]
    assert [(r.source, r.code) for r in refused_in(path, label_columns=("edema", "effusion"))] == [
        ("t.csv, line 4", "W_ROW_DROPPED")
    ]


def test_a_row_for_each_label_makes_one_picture_of_several_labels(folder):
    path = table(folder, "ImageID,LabelName\na,cat\nb,dog\na,dog\nc,bird\na,cat\n")
    assert [(f.source, f.labels) for f in found_in(path)] == [
        ("a.png", ("cat", "dog")), ("b.png", ("dog",)), ("c.png", ("bird",)),
    ]  # fmt: skip
    assert codes_in(path) == ["W_DUP"]


def test_a_few_contradicting_rows_stay_a_contradiction(tmp_path):
    rows = "".join(f"{i}.png,{'cat' if i % 2 else 'dog'}\n" for i in range(100))
    for i in range(100):
        (tmp_path / f"{i}.png").touch()
    path = table(tmp_path, f"image,label\n{rows}0.png,cat\n1.png,cat\n")
    found = found_in(path)
    assert len(found) == 101  # the second row of 1.png says nothing new
    assert {f.label for f in found if f.source == "0.png"} == {"cat", "dog"}
    assert all(f.label is not None for f in found)


# Split, group, weight, time, and the rest


def test_all_that_a_row_says_is_kept(folder):
    path = table(
        folder,
        "image,label,subset,patient_id,sample_weight,captured_at,camera,note\n"
        "a.png,cat,Training,p1,0.5,2024-05-31 13:00:00,A7,\n"
        f"b.png,dog,val,p2,,2024:06:01 01:02:03,A7,{'x' * 5000}\n",
    )
    first, second = found_in(path)
    assert (first.split, first.group, first.weight, first.taken) == ("train", "p1", 0.5, "2024-05-31T13:00:00")
    assert (second.split, second.group, second.weight, second.taken) == ("validation", "p2", 1, "2024-06-01T01:02:03")
    assert first.metadata == {"camera": "A7"}
    assert second.metadata == {"camera": "A7", "note": "x" * 1000}


@pytest.mark.parametrize("weight", ["0", "-1", "inf", "nan", "much"])
def test_a_weight_that_is_no_positive_number_costs_its_row(weight, folder):
    path = table(folder, f"image,label,w\na.png,cat,{weight}\nb.png,dog,2\n")
    assert [f.weight for f in found_in(path, weight_column="w")] == [2]
    assert [r.code for r in refused_in(path, weight_column="w")] == ["W_ROW_DROPPED"]


def test_splits_and_dates_that_nobody_understands_are_told(folder):
    path = table(
        folder, "image,label,split,date\na.png,x,train,2024-01-01\nb.png,y,train,2024-01-02\nc.png,x,odd,soon\n"
    )
    assert [(f.split, f.taken) for f in found_in(path)][-1] == (None, None)
    assert codes_in(path) == ["W_SPLIT_UNKNOWN", "W_TIME_UNKNOWN"]


def test_a_column_called_weight_that_holds_words_is_metadata(folder):
    found = found_in(table(folder, "image,label,weight\na.png,cat,heavy\nb.png,dog,light\n"))
    assert [f.metadata for f in found] == [{"weight": "heavy"}, {"weight": "light"}]


# Text: encodings, delimiters, headers, broken rows


@pytest.mark.parametrize(
    ("encoding", "code"),
    [
        ("utf-8", []), ("utf-8-sig", ["W_BOM"]), ("utf-16", ["W_BOM"]), ("utf-32", ["W_BOM"]),
        ("utf-16-le", ["W_ENCODING"]), ("cp1252", ["W_ENCODING"]), ("latin-1", ["W_ENCODING"]),
    ],
)  # fmt: skip
def test_encodings_are_read_off_the_file(encoding, code, folder):
    path = table(folder, "image,label\r\na.png,Kätzchen\r\nb.png,Hündchen\r\n", encoding=encoding)
    assert labels_of(path) == [("Kätzchen",), ("Hündchen",)]
    assert codes_in(path) == code


@pytest.mark.parametrize(
    ("sign", "name", "code"),
    [
        (",", "t.csv", []), ("\t", "t.tsv", []), ("\t", "t.csv", ["W_DELIMITER"]), (";", "t.csv", ["W_DELIMITER"]),
        ("|", "t.csv", ["W_DELIMITER"]), (",", "t.tsv", ["W_DELIMITER"]),
    ],
)  # fmt: skip
def test_delimiters_are_read_off_the_file(sign, name, code, folder):
    path = table(folder, f"image{sign}label\na.png{sign}cat\nb.png{sign}dog\n", name)
    assert labels_of(path) == [("cat",), ("dog",)]
    assert codes_in(path) == code


def test_a_semicolon_wins_over_commas_inside_cells(folder):
    path = table(folder, "image;label;size\na.png;cat;1,5\nb.png;dog;2,5\n")
    assert [(f.label, f.metadata["size"]) for f in found_in(path)] == [("cat", "1,5"), ("dog", "2,5")]


def test_excels_line_about_the_delimiter_is_no_header(folder):
    assert labels_of(table(folder, "sep=;\nimage;label\na.png;cat\n")) == [("cat",)]
    assert ("cat",) in labels_of(table(folder, "sep=\r\nimage,label\r\na.png,cat\r\n"))  # which says nothing


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_in_any_way(end, folder):
    path = table(folder, end.join(["image,label", "a.png,cat", "", "b.png,dog"]))
    assert labels_of(path) == [("cat",), ("dog",)]


def test_a_table_without_names_of_columns_is_read_by_what_is_in_it(folder):
    path = table(folder, "a.png,cat\nb.png,dog\nc.png,cat\nd.png,dog\n")
    assert [(f.source, f.label) for f in found_in(path)] == list(zip(NAMES, ["cat", "dog", "cat", "dog"], strict=False))
    assert codes_in(path) == ["W_NO_HEADER"]


def test_a_sheet_without_names_of_columns_loses_no_picture(folder):
    book = openpyxl.Workbook()
    for row in (("a.png", "cat"), ("b.png", "dog"), ("c.png", "cat")):
        book.active.append(row)
    book.save(folder / "t.xlsx")
    assert [(f.source, f.label) for f in found_in(folder / "t.xlsx")] == list(
        zip(NAMES, ["cat", "dog", "cat"], strict=False)
    )
    assert codes_in(folder / "t.xlsx") == ["W_NO_HEADER"]


def test_a_column_called_split_of_which_half_is_known_keeps_its_splits(folder):
    path = table(folder, "image,label,split\na.png,cat,train\nb.png,dog,holdout\nc.png,cat,eval\nd.png,dog,test\n")
    assert [found.split for found in found_in(path)] == ["train", None, None, "test"]
    assert codes_in(path) == ["W_SPLIT_UNKNOWN"]


def test_columns_of_the_same_name_are_told_apart(folder):
    path = table(folder, "image,label,label\na.png,cat,1\nb.png,dog,2\n")
    assert [(f.label, f.metadata) for f in found_in(path)] == [("cat", {"label (2)": "1"}), ("dog", {"label (2)": "2"})]
    assert codes_in(path) == ["W_COLUMN_RENAMED"]


def test_rs_unnamed_column_of_row_names_is_seen(folder):
    assert labels_of(table(folder, '"image","label"\n"1","a.png","cat"\n"2","b.png","dog"\n')) == [("cat",), ("dog",)]


@pytest.mark.parametrize("row", ["b.png", "b.png,dog,more", "b.png,d\0g", 'b.png,"open', f"b.png,{'x' * 2000}"])
def test_a_row_that_cannot_be_read_costs_one_line(row, folder):
    path = table(folder, f"image,label\na.png,cat\n{row}\n")
    assert labels_of(path)[:1] == [("cat",)]
    assert [(line.source, line.code) for line in refused_in(path)] == [("t.csv, line 3", "W_ROW_DROPPED")]


@pytest.mark.parametrize(
    "row",
    ['b.png,"dog,x', '"b.png,dog,x', 'b.png,dog,"x', 'b.png,"dog,""x'],
    ids=["in the label", "in the path", "in the metadata", "with a quote inside"],
)
@pytest.mark.parametrize("below", ["c.png,cat,y\nd.png,dog,z\n", 'c.png,"cat",y\nd.png,dog,z\n'])
def test_a_quote_that_is_left_open_costs_its_own_row_only(row, below, folder):
    path = table(folder, f"image,label,note\na.png,cat,x\n{row}\n{below}")
    assert [(f.source, f.label) for f in found_in(path)] == [("a.png", "cat"), ("c.png", "cat"), ("d.png", "dog")]
    assert [(line.source, line.code) for line in refused_in(path)] == [("t.csv, line 3", "W_ROW_DROPPED")]
    assert "quote" in refused_in(path)[0].reason


def test_a_quote_that_is_left_open_in_the_header_costs_the_header_only(folder):
    path = table(folder, '"image,label\na.png,cat\nb.png,dog\n')
    assert [(f.source, f.label) for f in found_in(path)] == [("a.png", "cat"), ("b.png", "dog")]
    assert codes_in(path) == ["W_NO_HEADER", "W_ROW_DROPPED"]


def test_a_line_of_endless_cells_costs_one_line(folder):
    path = table(folder, f"image,label\na.png,cat{',' * 2_000_000}\nb.png,dog\n")
    assert labels_of(path) == [("dog",)]
    assert [(line.source, line.code) for line in refused_in(path)] == [("t.csv, line 2", "W_ROW_DROPPED")]


def test_rows_that_are_longer_than_their_header_are_not_taken_for_rs_row_names(folder):
    path = table(folder, "image,label\na.png,cat,x\nb.png,dog,y\n")
    with pytest.raises(RefusedSourceError, match=r"line 2.*3 cells where the table has 2 columns"):
        items_in(path)


def test_a_key_that_stands_twice_costs_its_record(folder):
    twice = '{"image": "a.png", "n": 1, "label": "cat", "label": "dog"}'
    other = '{"image": "b.png", "n": 2, "label": "dog"}'
    for path in (table(folder, f"{twice}\n{other}\n", "t.jsonl"), table(folder, f"[{twice}, {other}, 3]", "t.json")):
        assert labels_of(path) == [("dog",)]
        assert {line.code for line in refused_in(path)} == {"W_ROW_DROPPED"}
        assert "'label' stands twice" in refused_in(path)[0].reason


def test_records_that_share_no_keys_are_no_table(folder):
    path = table(folder, "".join(f'{{"image": "a.png", "key {i}": 1}}\n' for i in range(5000)), "t.jsonl")
    with pytest.raises(RefusedSourceError, match="different keys"):
        items_in(path)


@pytest.mark.parametrize("text", ["", "\n\n", "path,label\n", "\ufeff", "[]", "\n"])
@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_a_table_without_rows_says_so(text, name, folder):
    if text == "[]" and name == "t.csv":
        pytest.skip("that is a header")
    with pytest.raises(RefusedSourceError, match=r"E_EMPTY|E_ANN_JSON"):
        items_in(table(folder, text, name))


def test_bytes_that_are_no_text_are_refused(folder):
    (folder / "t.csv").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(RefusedSourceError, match="E_ANN_SCHEMA"):
        items_in(folder / "t.csv")


# Where paths lead


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("../outside.png", "E_ANN_PATH"),
        ("x/../../outside.png", "E_ANN_PATH"),
        ("/etc/passwd", "E_ANN_PATH"),
        ("C:\\Windows\\win.ini", "E_ANN_PATH"),
        ("\\\\host\\share\\x.png", "E_ANN_PATH"),
        ("", "E_ANN_PATH"),
        ("http://h/x.png", "E_URL_BLOCKED"),
        ("file:///etc/passwd", "E_URL_BLOCKED"),
        ("s3://bucket/x.png", "E_URL_BLOCKED"),
        ('"data:text/html;base64,PGI+"', "E_URL_BLOCKED"),
        ("missing.png", "E_MISSING"),
    ],
)
def test_a_table_from_a_stranger_reaches_nothing_outside_its_folder(path, code, folder):
    outside = folder.parent / "outside.png"
    outside.write_bytes(b"secret")
    assert [refused.code for refused in refused_in(table(folder, f"path,label\na.png,cat\n{path},cat\n"))] == [code]


def test_paths_from_the_root_of_the_disk_are_taken_where_they_lie_inside(folder):
    assert [f.source for f in found_in(table(folder, f"path,label\n{folder / 'a.png'},cat\n"))] == ["a.png"]


def test_backslashes_case_and_folders_of_another_machine_do_not_matter(folder):
    (folder / "Images").mkdir()
    (folder / "a.png").rename(folder / "Images" / "A.png")
    path = table(folder, "path,label\nimages\\a.PNG,cat\nb.png,dog\n")
    assert [f.source for f in found_in(path)] == ["Images/A.png", "b.png"]


def test_a_dataframe_of_ones_own_reaches_everything(folder):
    frame = pd.DataFrame({"path": [folder / "a.png", str(folder / "b.png")], "label": ["cat", "dog"]})
    assert [decode(f.read()).pixels.tobytes() for f in found_in(frame)] == [noise(0).tobytes(), noise(1).tobytes()]


# Pictures inside cells


def test_pictures_written_as_base64_are_read(folder):
    text = base64.b64encode(file_of(noise(1))).decode()
    path = table(folder, f"image\tlabel\ndata:image/png;base64,{text}\tcat\n{text}\tdog\n", "t.tsv")
    assert [decode(f.read()).pixels.tobytes() for f in found_in(path)] == [noise(1).tobytes()] * 2


def test_broken_base64_is_a_broken_picture(folder):
    path = table(folder, "image\tlabel\ndata:image/png;base64,iVBORw0KGgo!!!x\tcat\n", "t.tsv")
    with pytest.raises(BadDataError):
        decode(found_in(path)[0].read())


def test_a_dataframe_may_hold_images_arrays_and_bytes():
    pictures = [Image.fromarray(noise(0)), noise(1), file_of(noise(2))]
    frame = pd.DataFrame({"image": pd.Series(pictures, dtype=object), "label": ["a", "b", "c"]})
    found = found_in(frame)
    assert [decode(f.read()).pixels.tobytes() for f in found] == [noise(i).tobytes() for i in range(3)]
    assert [f.source for f in found] == ["row 0", "row 1", "row 2"]


def test_anything_that_speaks_arrow_is_a_dataframe():
    class Frame:
        def __arrow_c_stream__(self, requested_schema=None):
            return pa.table({"image": ["a", "b"], "label": ["x", "y"]}).__arrow_c_stream__(requested_schema)

    assert labels_of(Frame()) == [("x",), ("y",)]


# JSON


def test_records_may_lack_keys_and_hold_lists(folder):
    path = table(folder, '{"image": "a.png"}\n\n{"image": "b.png", "labels": ["x", "y"], "age": 3}\n', "t.jsonl")
    assert [(f.labels, f.metadata) for f in found_in(path)] == [(None, {}), (("x", "y"), {"age": "3"})]


def test_a_line_that_is_no_json_costs_one_line(folder):
    path = table(
        folder, '{"image": "a.png", "label": "x"}\n{"image": \n[1]\n{"image": "b.png", "label": NaN}\n', "t.jsonl"
    )
    assert labels_of(path) == [("x",), None]
    assert [(r.source, r.code) for r in refused_in(path)] == [
        ("t.jsonl, line 2", "W_ROW_DROPPED"), ("t.jsonl, line 3", "W_ROW_DROPPED"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ['[{"image": "a.png", "label": "x"}', '[{"image": "a.png"}] x', '[{"image": ' + "[" * 9999]
)
def test_a_damaged_list_of_records_is_refused(text, folder):
    with pytest.raises(RefusedSourceError, match="E_ANN_JSON"):
        items_in(table(folder, text, "t.json"))


# Parquet


def _parquet(folder: Path, n: int, **options: object) -> Path:
    images = [{"bytes": file_of(noise(i)), "path": f"{i}.png"} for i in range(n)]
    pq.write_table(
        pa.table({"image": images, "label": [str(i % 2) for i in range(n)]}), folder / "t.parquet", **options
    )
    return folder / "t.parquet"


@pytest.mark.parametrize("rows", [1, 7, 100])
def test_pictures_in_parquet_are_read_in_any_order(rows, tmp_path):
    found = found_in(_parquet(tmp_path, 40, row_group_size=rows))
    order = np.random.default_rng(0).permutation(40)
    assert all(decode(found[i].read()).pixels.tobytes() == noise(int(i)).tobytes() for i in [*order, *order[:5]])
    assert found[3].source == "t.parquet[3]"
    assert found[3].metadata == {"file_name": "3.png"}


def test_pictures_in_parquet_are_forgotten_again(tmp_path, monkeypatch):
    from winnow.data.sources.tables import parquet

    monkeypatch.setattr(parquet, "_KEPT_BYTES", 20_000)
    found = found_in(_parquet(tmp_path, 100))
    for i in [*range(100), 0, 99, 50]:
        assert decode(found[i].read()).pixels.tobytes() == noise(i).tobytes()
    kept = found[0].read.__self__._pictures
    assert kept._n_bytes == sum(len(data) for data in kept._kept.values()) < 40_000


def test_parquet_of_paths_and_lists(folder):
    frame = pa.table(
        {"file": NAMES[:3], "labels": [["x"], [], None], "when": [datetime.date(2024, 1, i + 1) for i in range(3)]}
    )
    pq.write_table(frame, folder / "t.parquet")
    found = found_in(folder / "t.parquet")
    assert [(f.source, f.labels) for f in found] == [("a.png", ("x",)), ("b.png", ()), ("c.png", None)]
    assert found[0].metadata == {"when": "2024-01-01"}


# Excel


def _excel(folder: Path, *rows: tuple[object, ...]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(folder / "t.xlsx")
    return folder / "t.xlsx"


def test_a_workbook_is_read(folder):
    when = datetime.datetime(2024, 5, 31, 13)
    path = _excel(folder, (), ("image", "label", "date"), ("a.png", 3, when), (), ("b.png", "x", None), ("c.png", True))
    found = found_in(path)
    assert [(f.label, f.taken) for f in found] == [("3", "2024-05-31T13:00:00"), ("x", None), ("True", None)]


def test_formulas_of_a_workbook_are_never_run(folder):
    path = _excel(folder, ("image", "label"), ("a.png", '=HYPERLINK("http://x","y")'), ("b.png", "dog"))
    assert labels_of(path) == [None, ("dog",)]  # what it last showed: nothing, for no program ever showed it


def test_of_several_sheets_the_first_is_read_and_told(folder):
    book = openpyxl.Workbook()
    book.active.append(("image", "label"))
    book.active.append(("a.png", "cat"))
    book.create_sheet("more").append(("image", "label"))
    book.save(folder / "t.xlsx")
    assert labels_of(folder / "t.xlsx") == [("cat",)]
    assert "not more" in notes_in(folder / "t.xlsx")[0].text


def _rezip(path: Path, change: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()} | change
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


def test_a_workbook_that_is_a_bomb_is_refused_unopened(folder):
    path = _rezip(_excel(folder, ("image", "label"), ("a.png", "x")), {"xl/worksheets/sheet1.xml": b" " * (20 << 20)})
    with pytest.raises(RefusedSourceError, match="E_ARCHIVE_BOMB"):
        items_in(path)


@pytest.mark.parametrize(
    "sheet",
    [
        '<row r="1"><c r="A1" t="inlineStr"><is><t>image</t></is></c></row>'
        '<row r="999999999"><c r="ZZZ999999999"><v>1</v></c></row>',
        '<row r="1">' + "".join(f'<c r="A{i}"><v>1</v></c>' for i in range(1000)) + "</row>",
        '<row r="-5"><c r="A0"><v>1</v></c></row>',
    ],
)
def test_a_workbook_that_lies_about_its_size_ends_soon(sheet, folder):
    head = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:XFD1048576"/>'
    )
    data = f"{head}<sheetData>{sheet}</sheetData></worksheet>".encode()
    path = _rezip(_excel(folder, ("image", "label"), ("a.png", "x")), {"xl/worksheets/sheet1.xml": data})
    with pytest.raises(RefusedSourceError, match=r"E_EMPTY|E_ANN_SCHEMA"):
        items_in(path)


def test_entities_of_a_workbook_do_not_multiply(folder):
    bomb = b"".join(b'<!ENTITY %c "%s">' % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(9))
    text = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + bomb + b"]><worksheet>&j;</worksheet>"
    path = _rezip(_excel(folder, ("image", "label"), ("a.png", "x")), {"xl/worksheets/sheet1.xml": text})
    with pytest.raises(RefusedSourceError, match=r"E_EMPTY|E_ANN_SCHEMA"):
        items_in(path)


@pytest.mark.parametrize(("name", "data"), [("t.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1..."), ("t.ods", b"PK\3\4...")])
def test_other_spreadsheets_are_told_how_to_come(name, data, folder):
    (folder / name).write_bytes(data)
    with pytest.raises(RefusedSourceError, match=r"save it as \.xlsx or CSV"):
        items_in(folder / name)


# Folders with tables


def _picture_folder(root: Path, *paths: str) -> Path:
    for seed, path in enumerate(paths):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(file_of(noise(seed)))
    return root


def test_train_and_test_tables_are_the_users_split(tmp_path):
    _picture_folder(tmp_path, "images/1.png", "images/2.png", "images/3.png", "images/4.png")
    table(tmp_path, "id,label\n1,cat\n2,dog\n", "train.csv")
    table(tmp_path, "id,label\n3,cat\n", "test.csv")
    table(tmp_path, "id,label\n3,cat\n4,cat\n", "sample_submission.csv")
    assert [(f.source, f.label, f.split) for f in found_in(tmp_path)] == [
        ("images/3.png", "cat", "test"), ("images/1.png", "cat", "train"), ("images/2.png", "dog", "train"),
    ]  # fmt: skip
    assert [(r.source, r.code) for r in refused_in(tmp_path)] == [("images/4.png", "E_NO_LABEL")]


def test_the_same_id_in_train_and_test_means_the_file_in_that_folder(tmp_path):
    _picture_folder(tmp_path, "train/1.png", "train/2.png", "test/1.png", "test/2.png")
    table(tmp_path, "id,label\n1,cat\n2,dog\n", "train.csv")
    table(tmp_path, "id\n1\n2\n", "test.csv")
    assert [(f.source, f.label) for f in found_in(tmp_path)] == [
        ("test/1.png", None), ("test/2.png", None), ("train/1.png", "cat"), ("train/2.png", "dog"),
    ]  # fmt: skip


def test_class_folders_win_over_a_table_of_few(tmp_path):
    _picture_folder(tmp_path, *(f"{label}/{i}.png" for label in ("cat", "dog") for i in range(3)))
    table(tmp_path, "image,label\ncat/0.png,bird\n", "notes.csv")
    assert {f.label for f in found_in(tmp_path)} == {"cat", "dog"}


def test_a_table_that_says_no_classes_does_not_hide_class_folders(tmp_path):
    _picture_folder(tmp_path, *(f"{label}/{i}.png" for label in ("cat", "dog") for i in range(2)))
    table(tmp_path, "image,age_s\ncat/0.png,1.5\ncat/1.png,2.5\ndog/0.png,3.5\ndog/1.png,4.5\n", "info.csv")
    assert {f.label for f in found_in(tmp_path)} == {"cat", "dog"}


def test_a_table_of_all_pictures_wins_over_class_folders(tmp_path):
    _picture_folder(tmp_path, *(f"{site}/{i}.png" for site in ("north", "south") for i in range(2)))
    table(tmp_path, "image,label\nnorth/0.png,a\nnorth/1.png,b\nsouth/0.png,a\nsouth/1.png,b\n", "labels.csv")
    assert {f.label for f in found_in(tmp_path)} == {"a", "b"}


def test_where_only_a_table_could_say_the_classes_its_mistake_is_told(tmp_path):
    _picture_folder(tmp_path, "1.png", "2.png")
    table(tmp_path, "bild,tier,ort\n1,cat,x\n2,dog,y\n", "list.csv")
    with pytest.raises(RefusedSourceError, match="--label-column"):
        items_in(tmp_path)
    assert labels_of(tmp_path, label_columns=("tier",)) == [("cat",), ("dog",)]


def test_a_table_of_a_million_rows_is_never_in_memory(tmp_path):
    import tracemalloc

    rows = "".join(f"images/{i:07}.png,{i % 10}\n" for i in range(50_000))
    path = table(tmp_path, "image,label\n" + rows)
    from winnow.data.sources.folder import FolderTree
    from winnow.data.sources.tables.reading import read_table

    tracemalloc.start()
    n = sum(1 for _ in read_table(FolderTree(tmp_path), path.name).rows())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n == 50_000
    assert peak < 3 << 20  # the text has 1.1 MB, its rows as Python objects 10


def test_json_may_be_many_other_things_than_a_table(folder):
    with pytest.raises(BadDataError):
        items_in(table(folder, '{"a": 1}', "t.json"))


def test_a_table_in_an_archive_is_read_there(folder):
    with zipfile.ZipFile(folder / "x.zip", "w") as archive:
        archive.writestr("set/labels.csv", "image,label\na.png,cat\nb.png,dog\n")
        archive.writestr("set/a.png", file_of(noise(0)))
        archive.writestr("set/b.png", file_of(noise(1)))
    found = found_in(folder / "x.zip")
    assert [(f.source, f.label) for f in found] == [("set/a.png", "cat"), ("set/b.png", "dog")]
    assert decode(found[1].read()).pixels.tobytes() == noise(1).tobytes()


@pytest.mark.parametrize("ending", ["", ".dcm"])
def test_a_table_may_name_dicom_files_with_their_ending_or_without(ending, tmp_path):
    rows = "".join(f"{i}{ending},{'ill' if i % 2 else 'well'}\n" for i in range(4))
    table(tmp_path, f"id,diagnosis\n{rows}", "train.csv")
    for i in range(4):
        (tmp_path / f"{i}.dcm").write_bytes(bytes(128) + b"DICM")
    assert [(f.source, f.label) for f in found_in(tmp_path)] == [
        ("0.dcm", "well"), ("1.dcm", "ill"), ("2.dcm", "well"), ("3.dcm", "ill"),
    ]  # fmt: skip


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes of this kind")
@pytest.mark.parametrize("in_table", [True, False])
def test_a_pipe_that_a_dataframe_or_a_list_names_is_not_waited_for(in_table, tmp_path):
    os.mkfifo(path := tmp_path / "pipe.png")
    source = pd.DataFrame({"path": [str(path)], "label": ["cat"]}) if in_table else ([str(path)], ["cat"])
    (found,) = found_in(source)
    with pytest.raises(UnreadablePictureError, match="pipe"):
        found.read()
