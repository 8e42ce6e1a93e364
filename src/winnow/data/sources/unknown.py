"""A file that could hold annotations but is of no format we know: what exactly is wrong with it."""

from __future__ import annotations

from winnow.data.sources.data_yaml import read_data_yaml
from winnow.data.sources.json_file import read_json, read_json_lines
from winnow.data.sources.source import RefusedSourceError
from winnow.data.sources.tally import Tally
from winnow.data.sources.tree import Tree
from winnow.data.sources.xml_file import read_xml


def refuse_unknown_annotations(tree: Tree, path: str, known: str) -> None:
    """Say why a JSON, XML, YAML or text file cannot be imported; silent for files of other kinds.

    Args:
        known: what can be imported, in words.

    Raises:
        RefusedSourceError: E_ANN_JSON or E_ANN_XML where it is damaged, else E_ANN_SCHEMA.
    """
    name = path.casefold()
    if name.endswith(".json"):
        read_json(tree, path, Tally())
    elif name.endswith((".jsonl", ".ndjson")):
        for _, value in read_json_lines(tree, path, Tally()):
            if isinstance(value, RefusedSourceError):
                raise value
    elif name.endswith(".xml"):
        read_xml(tree, path)
    elif name.endswith((".yaml", ".yml")):
        read_data_yaml(tree, path, Tally())
    elif not name.endswith(".txt"):
        return
    raise RefusedSourceError(
        "E_ANN_SCHEMA", f"{path} cannot be imported: it is of no known format of annotations. Winnow reads: {known}."
    )
