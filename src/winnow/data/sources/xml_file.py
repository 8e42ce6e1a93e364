"""XML from strangers: no document types, so no entities (bombs, files of this machine), bounded in depth.

Expat with its own handlers, because ElementTree's parser hides the one that reports a document type. The attacks:
"XML vulnerabilities", https://docs.python.org/3/library/xml.html#xml-vulnerabilities.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from winnow.data.sources.source import RefusedSourceError
from winnow.data.sources.text_file import beginning, loose_text, read_bytes
from winnow.data.sources.tree import Tree

# Annotations nest five deep.
_MAX_DEPTH = 32
# Pascal VOC's files have a few KB; with a thousand outlined objects, one.
_MAX_SMALL_BYTES = 16 << 20
_CHUNK_BYTES = 1 << 20
_ROOT = re.compile(r"<([A-Za-z_][\w.:-]*)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)", re.DOTALL)


class _HostileError(ValueError):
    """Something that annotations have no need of."""


def read_xml(tree: Tree, path: str) -> Element:
    """The root of a small XML file.

    Raises:
        RefusedSourceError: E_ANN_XML, it is damaged, has a document type, or is nested too deep.
    """
    data = read_bytes(tree, path, at_most=_MAX_SMALL_BYTES)
    roots = list(_elements(path, data, depth=1))
    if not roots:
        raise RefusedSourceError("E_ANN_XML", f"{path} is empty: export the annotations anew.")
    return roots[0]


def children(tree: Tree, path: str) -> Iterator[Element]:
    """The elements just below the root, one by one, forgotten once used: a large file takes little memory.

    Raises:
        RefusedSourceError: as `read_xml`; what stands before the damage was already given.
    """
    return _elements(path, read_bytes(tree, path), depth=2)


def root_tag(tree: Tree, path: str) -> str | None:
    """The name of the outermost element, read off the beginning of the file."""
    found = _ROOT.search(_COMMENT.sub("", loose_text(beginning(tree, path))))
    return found.group(1) if found else None


def _elements(path: str, data: bytes, depth: int) -> Iterator[Element]:
    collector = _Collector(depth)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = collector.start
    parser.EndElementHandler = collector.end
    parser.CharacterDataHandler = collector.text
    parser.StartDoctypeDeclHandler = _refuse_document_type
    try:
        for at in range(0, len(data), _CHUNK_BYTES):
            parser.Parse(data[at : at + _CHUNK_BYTES], False)
            yield from collector.taken()
        parser.Parse(b"", True)
        yield from collector.taken()
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise RefusedSourceError(
            "E_ANN_XML", f"{path} is no XML of annotations ({error}): export the annotations anew."
        ) from error


class _Collector:
    """Builds the elements that lie `depth` deep (1: the root) and hands them over when they are complete."""

    def __init__(self, depth: int) -> None:
        self._wanted = depth
        self._depth = 0
        self._builder: TreeBuilder | None = None
        self._done: list[Element] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _HostileError(f"more than {_MAX_DEPTH} elements inside one another")
        if self._depth == self._wanted:
            self._builder = TreeBuilder()
        if self._builder is not None:
            self._builder.start(tag, attributes)

    def end(self, tag: str) -> None:
        if self._builder is not None:
            self._builder.end(tag)
            if self._depth == self._wanted:
                self._done.append(self._builder.close())
                self._builder = None
        self._depth -= 1

    def text(self, text: str) -> None:
        if self._builder is not None:
            self._builder.data(text)

    def taken(self) -> list[Element]:
        done, self._done = self._done, []
        return done


def _refuse_document_type(*_: object) -> None:
    raise _HostileError("it brings a document type, which may hide anything")
