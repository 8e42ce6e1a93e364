"""YOLO's text files: one line a box (class, centre, size as shares of the picture) beside each picture, or in labels/.

Names of classes are in data.yaml (Ultralytics), obj.names (darknet), classes.txt or _darknet.labels. Splits are read
off data.yaml, else off the folders. A picture without a text file shows nothing, as the format says. An outline
(class, then pairs of coordinates) becomes the box around it.

Format: https://docs.ultralytics.com/datasets/detect/ and https://docs.ultralytics.com/datasets/segment/;
darknet: https://github.com/AlexeyAB/darknet#how-to-train-to-detect-your-custom-objects.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from winnow.data.sources.annotated import found_picture
from winnow.data.sources.boxes import Marks
from winnow.data.sources.data_yaml import DataYaml, looks_like_data_yaml, read_data_yaml, read_names
from winnow.data.sources.pictures_of import PICTURE_SUFFIXES, Pictures, is_picture_name, shown, split_of_folders
from winnow.data.sources.source import Found, ImportOptions, Refused, RefusedSourceError
from winnow.data.sources.tally import Tally
from winnow.data.sources.text_file import as_text, beginning, loose_text, read_bytes
from winnow.data.sources.tree import Tree, other_files
from winnow.errors import BadDataError
from winnow.events import Note

_MAX_LABEL_BYTES = 64 << 20
_NAME_LISTS = ("obj.names", "classes.txt", "_darknet.labels", "class.names", "coco.names", "voc.names")
_LINE = re.compile(r"\S+([ \t]+[+-]?(\d|\.\d|nan|inf)\S*){3,}\s*", re.IGNORECASE)
_MAX_LOOKED_AT = 32


class Yolo:
    """A text file of boxes for each picture."""

    name = "YOLO labels (text files) with their pictures and a data.yaml or list of names"

    def recognise(self, tree: Tree, only: str | None) -> list[str] | None:
        """A data.yaml, a list of names with label files, labels/ beside images/; or one label file by itself."""
        if only is not None:
            is_ours = looks_like_data_yaml(tree, only) or _is_label_file(tree, only)
            return [only] if is_ours else None
        if not any(path.endswith((".txt", ".TXT")) for path in other_files(tree)):
            return None
        yamls = [path for path in tree.paths if path.casefold().endswith((".yaml", ".yml"))]
        yamls = sorted(yamls, key=lambda path: (path.count("/"), path))[:_MAX_LOOKED_AT]
        lists = [path for path in tree.paths if posixpath.basename(path).casefold() in _NAME_LISTS]
        files = [path for path in yamls if looks_like_data_yaml(tree, path)] + lists
        if not _has_labels(tree, has_names=bool(files)):
            return None
        return files[:1] or [path for path in tree.paths if _is_in_labels(path)]

    def find(self, tree: Tree, files: list[str], _options: ImportOptions) -> Iterator[Found | Refused | Note]:
        """The pictures in the order of their paths; a damaged label file costs its picture only.

        Raises:
            RefusedSourceError: E_ANN_SCHEMA, the data.yaml (or the one label file that was named) is none.
        """
        tally = Tally()
        first = files[0]
        if first.casefold().endswith((".yaml", ".yml")):
            return _all(tree, read_data_yaml(tree, first, tally), tally)
        if posixpath.basename(first).casefold() in _NAME_LISTS:
            return _all(tree, DataYaml(read_names(tree, first, tally)), tally)
        return _all(tree, DataYaml(), tally) if _is_in_labels(first) else _one(tree, first, tally)


@dataclass(frozen=True)
class _Labels:
    """Which label file belongs to which picture.

    Attributes:
        of: the label file of each picture of the dataset, or None: it shows nothing.
        alone: label files without a picture.
        n_others: pictures that are no part of the dataset.
    """

    of: dict[str, str | None]
    alone: list[str]
    n_others: int


def _all(tree: Tree, said: DataYaml, tally: Tally) -> Iterator[Found | Refused | Note]:
    labels = _pair(tree)
    splits, outside = _splits(tree, said, labels.of)
    yield from outside
    if not any(labels.of.values()):
        tally.count("W_NO_ANNOTATIONS", tree.name)
    for path, label_file in labels.of.items():
        marks = Marks(whole=1)
        if any(labels.of.values()):
            marks.looked_at()
        if label_file is not None:
            _read(tree, label_file, said, marks, tally)
        yield found_picture(tree, path, marks, split=splits.get(path))
    for path in labels.alone:
        tally.count("W_FILE_MISSING", path)
        yield Refused(path, "E_MISSING", "There is no picture for this label file: put it beside, or into images/.")
    yield from tally.notes()
    if said.names is None and any(labels.of.values()):
        yield Note("The classes have no names (no data.yaml or classes.txt): they are called by their numbers.")
    if labels.n_others:
        yield Note(f"{labels.n_others} pictures lie in no folder of the YOLO dataset: they were left out.")


def _one(tree: Tree, path: str, tally: Tally) -> Iterator[Found | Refused | Note]:
    """The picture of one label file that the user named."""
    said = _said_beside(tree, path, tally)
    marks = Marks(whole=1)
    marks.looked_at()
    _read(tree, path, said, marks, tally)
    if marks.refusal is not None:
        raise RefusedSourceError(*marks.refusal)
    stem = posixpath.splitext(path)[0]
    picture = next((stem + suffix for suffix in sorted(PICTURE_SUFFIXES) if _is_file(tree, stem + suffix)), None)
    if picture is None:
        tally.count("W_FILE_MISSING", path)
        yield Refused(path, "E_MISSING", "There is no picture of this name beside it: import the folder around both.")
    else:
        yield found_picture(tree, picture, marks)
    yield from tally.notes()


def _said_beside(tree: Tree, path: str, tally: Tally) -> DataYaml:
    folder = posixpath.dirname(path)
    for name in ("data.yaml", "dataset.yaml"):
        if _is_file(tree, beside := posixpath.join(folder, name)):
            return read_data_yaml(tree, beside, tally)
    for name in _NAME_LISTS:
        if _is_file(tree, beside := posixpath.join(folder, name)):
            return DataYaml(read_names(tree, beside, tally))
    return DataYaml()


def _is_file(tree: Tree, path: str) -> bool:
    file = tree.file(path)
    return path in tree.paths if file is None else file.is_file()


def _is_label_file(tree: Tree, path: str) -> bool:
    """Do its first lines hold a class and numbers? Or is it empty, with a picture of the same name?"""
    if not path.casefold().endswith(".txt"):
        return False
    lines = [line for line in loose_text(beginning(tree, path)).splitlines()[:8] if line.strip()]
    if not lines:
        return any(_is_file(tree, posixpath.splitext(path)[0] + suffix) for suffix in PICTURE_SUFFIXES)
    return all(_LINE.fullmatch(line) for line in lines)


def _has_labels(tree: Tree, *, has_names: bool) -> bool:
    """Are there label files? Beside a list of names a folder called labels is proof enough; else they are looked at."""
    texts = [path for path in tree.paths if path.casefold().endswith(".txt")]
    in_labels = [path for path in texts if _is_in_labels(path)]
    if has_names and in_labels:
        return True
    if not has_names:
        return any(_is_label_file(tree, path) for path in in_labels[:_MAX_LOOKED_AT])
    pictures = {posixpath.splitext(path)[0] for path in tree.paths if is_picture_name(path)} if texts else set[str]()
    paired = [path for path in texts if posixpath.splitext(path)[0] in pictures]
    return any(_is_label_file(tree, path) for path in paired[:_MAX_LOOKED_AT])


def _is_in_labels(path: str) -> bool:
    return "labels" in path.split("/")[:-1] and path.casefold().endswith(".txt")


def _pair(tree: Tree) -> _Labels:
    texts = {posixpath.splitext(path)[0]: path for path in tree.paths if path.casefold().endswith(".txt")}
    pictures = [path for path in tree.paths if is_picture_name(path)]
    of = {path: texts.get(_beside_labels(path)) or texts.get(posixpath.splitext(path)[0]) for path in pictures}
    folders = {posixpath.dirname(path) for path, label_file in of.items() if label_file is not None}
    kept = {
        path: label_file
        for path, label_file in of.items()
        if label_file is not None or posixpath.dirname(path) in folders or "images" in path.split("/")[:-1]
    }
    if not kept:  # a data.yaml with nothing but pictures: they wait for their labels
        kept = of
    used = set(of.values())
    alone = [
        path
        for path in texts.values()
        if path not in used
        and posixpath.basename(path).casefold() not in _NAME_LISTS
        and (_is_in_labels(path) or _is_label_file(tree, path))
    ]
    return _Labels(kept, alone, len(of) - len(kept))


def _beside_labels(path: str) -> str:
    """images/train/1.jpg -> labels/train/1, the last folder called images counting."""
    *folders, name = path.split("/")
    for at in range(len(folders) - 1, -1, -1):
        if folders[at] == "images":
            folders[at] = "labels"
            break
    return "/".join([*folders, posixpath.splitext(name)[0]])


def _splits(tree: Tree, said: DataYaml, pictures: Mapping[str, object]) -> tuple[dict[str, str], list[Refused]]:
    """The split of each picture: as the data.yaml places it, else as its folders are called; and places outside."""
    found: dict[str, str] = {}
    twice: set[str] = set()
    outside: list[Refused] = []
    files = Pictures(tree)
    for split, places in said.places.items():
        for place in places:
            paths = list(_placed(tree, files, place, pictures))
            if not paths and _leaves(said.root, place):
                reason = "The data.yaml names this place outside of the folder: it was not looked at."
                outside.append(Refused(shown(posixpath.join(said.root, place)), "E_ANN_PATH", reason))
            twice.update(path for path in paths if found.setdefault(path, split) != split)
    found = {path: split for path, split in found.items() if path not in twice}
    if not {"train"} < set(found.values()):
        found = {path: split for path in pictures if (split := split_of_folders(path))}
    return (found if {"train"} < set(found.values()) else {}), outside


def _steps(place: str) -> list[str]:
    return [step for step in place.strip().replace("\\", "/").split("/") if step not in ("", ".", "..")]


def _is_absolute(place: str) -> bool:
    return place.startswith(("/", "\\")) or ":" in place[:8]


def _leaves(root: str, place: str) -> bool:
    whole = posixpath.normpath(posixpath.join(root, place).replace("\\", "/"))
    return _is_absolute(whole) or whole.startswith("..")


def _placed(tree: Tree, files: Pictures, place: str, pictures: Mapping[str, object]) -> Iterator[str]:
    """The pictures in a folder, or named by a list, that a data.yaml written on another disk calls `place`."""
    steps = _steps(place)
    if steps and steps[-1].casefold().endswith(".txt"):
        listed = files.ending_like(steps)
        lines = [] if listed is None else loose_text(read_bytes(tree, listed)).splitlines()
        for line in lines:
            path = files.ending_like(_steps(line))
            if path is not None and path in pictures:
                yield path
        return
    for start in range(len(steps) if _is_absolute(place) else 1):
        end = "/" + "/".join(steps[start:]) + "/"
        inside = [path for path in pictures if end in f"/{path}"]
        if inside and steps:
            yield from inside
            return


def _read(tree: Tree, path: str, said: DataYaml, marks: Marks, tally: Tally) -> None:
    """Add what a label file says to `marks`; where it is damaged, they say why the picture is left out."""
    try:
        text, has_mark = as_text(read_bytes(tree, path, at_most=_MAX_LABEL_BYTES))
    except UnicodeDecodeError:
        marks.refusal = ("E_ANN_SCHEMA", f"Its label file {path} is no text: export it anew.")
        return
    except BadDataError as error:
        marks.refusal = ("E_ANN_SCHEMA", str(error))
        return
    if has_mark:
        tally.count("W_BOM", path)
    is_unsure = False
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        label, numbers = _class_of(words[0], said.names, marks), _floats(words[1:])
        if numbers is None or label is None:
            marks.refusal = (
                "E_ANN_SCHEMA",
                f"Line {number} of {path} is no class number and coordinates ({shown(line)[:40]}): mend it.",
            )
            return
        if label == "":
            tally.count("W_ANN_DANGLING", f"class {words[0][:20]} in {path}")
            is_unsure = True
            continue
        marks.label(label)
        _box(label, numbers, said.has_keypoints, marks, tally)
    if is_unsure and not marks.labels:
        marks.labels = None  # something is there, but nobody can tell what


def _class_of(word: str, names: Mapping[int, str] | None, marks: Marks) -> str | None:
    """The class's name; "" for a number that none has; None for what is neither a number nor a name."""
    if re.fullmatch(r"-?\d{1,9}(\.0*)?", word):
        if not word.lstrip("-").isdigit():
            marks.warn("W_TYPE_COERCED")
        number = int(word.split(".")[0])
        name = names.get(number) if names is not None else str(number) if number >= 0 else None
        if name is None:
            marks.warn("W_ANN_DANGLING")
        return name or ""
    if names is not None and word in names.values():
        marks.warn("W_TYPE_COERCED")
        return word
    return None


def _floats(words: list[str]) -> list[float] | None:
    try:
        return None if any("_" in word for word in words) else [float(word) for word in words]
    except ValueError:
        return None


def _box(label: str, numbers: list[float], has_keypoints: bool, marks: Marks, tally: Tally) -> None:
    if len(numbers) <= 5 or has_keypoints:
        marks.centred(label, numbers[:4])
        if has_keypoints and len(numbers) > 4:
            tally.name("W_UNKNOWN_KEY", "keypoints")
        elif len(numbers) == 5:  # a box and its confidence, or an outline that lost a number: nobody can tell
            marks.warn("W_UNKNOWN_KEY")
            marks.warn("W_SEG_DROPPED")
    elif len(numbers) % 2:
        marks.refusal = ("E_ANN_SCHEMA", "Its label file has an outline with an odd number of coordinates: mend it.")
    else:
        tally.count("W_SEG_DROPPED", label)
        marks.around(label, list(zip(numbers[::2], numbers[1::2], strict=True)))
