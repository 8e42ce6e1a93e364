"""Features of pictures: a graph from pixels to numbers, and the cache that never computes them twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from winnow.data.cache import ArrayCache, MappedRows
from winnow.data.inputs import InputSpec, read_input
from winnow.errors import UserError
from winnow.events import Tell, tell_nobody
from winnow.graph.formats import FormatChoice, choose_format, quantise
from winnow.graph.pictures import run_on_pictures
from winnow.graph.runtime import NumberFormat, OpenGraph, open_graph, open_small_graph
from winnow.machine import cores

Pixels = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.float32]

_SAMPLES = 12
_CHUNK = 64
_MAPPED_CHUNK_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class FeatureGraph:
    """What turns a picture into a row of numbers: raw pixels, HOG or a backbone."""

    name: str
    graph: bytes
    input_spec: InputSpec
    dim: int
    is_backbone: bool = False

    @cached_property
    def digest(self) -> str:
        """sha256 of the graph, hex."""
        return hashlib.sha256(self.graph).hexdigest()


class PictureReader:
    """Pictures by content hash as network inputs, small ones from the pixel cache.

    Args:
        read: gives a picture's file by its content hash.
        cache: the folder of caches.
    """

    def __init__(self, read: Callable[[str], bytes], cache: Path) -> None:
        self._read = read
        self.cache = cache

    def one(self, content: str, spec: InputSpec) -> Pixels:
        """One picture as (side, side, 3)."""
        return read_input(self._read(content), spec)

    def small(self, contents: Sequence[str], spec: InputSpec, tell: Tell = tell_nobody) -> Pixels:
        """Pictures as (N, side, side, 3), kept in the pixel cache: several rungs look at small inputs."""
        return self._cache(spec).fetch(
            contents, self._reading(contents, spec), chunk=8192, tell=tell, what="reading pixels"
        )

    def mapped(self, contents: Sequence[str], spec: InputSpec, tell: Tell = tell_nobody) -> MappedRows:
        """Pictures of any size and number as one memory-mapped (M, side, side, 3) file: what a network learns from.

        Each is read once; a kill costs the last few hundred. The file is in the pixel cache, whole or not at all.

        Raises:
            UnreadablePictureError: a picture cannot be decoded.
            WorkspaceError: no space for the file, or no permission.
        """
        chunk = max(64, _MAPPED_CHUNK_BYTES // (3 * spec.side_px**2))
        return self._cache(spec).mapped(
            contents, self._reading(contents, spec), chunk=chunk, tell=tell, what="reading pixels"
        )

    def each(self, contents: Sequence[str], spec: InputSpec) -> Iterator[Pixels | None]:
        """Pictures as (side, side, 3), one after the other: those in the pixel cache as they are, others decoded anew.

        None stands for a picture that is gone or cannot be decoded any more.
        """
        kept = self._cache(spec)

        def read(content: str) -> Pixels | None:
            try:
                return self.one(content, spec)
            except UserError:
                return None

        with ThreadPoolExecutor(cores()) as pool:
            for start in range(0, len(contents), _CHUNK):
                part = contents[start : start + _CHUNK]
                rows, found = kept.get(part)
                fresh = pool.map(read, [content for content, is_kept in zip(part, found, strict=True) if not is_kept])
                for row, is_kept in zip(rows, found, strict=True):
                    yield row if is_kept else next(fresh)

    def _cache(self, spec: InputSpec) -> ArrayCache:
        return ArrayCache(self.cache / "pixels" / spec.key)

    def _reading(self, contents: Sequence[str], spec: InputSpec) -> Callable[[list[int]], Iterator[Pixels]]:
        def compute(places: list[int]) -> Iterator[Pixels]:
            with ThreadPoolExecutor(cores()) as pool:
                yield from pool.map(lambda content: self.one(content, spec), [contents[place] for place in places])

        return compute


class FeatureStore:
    """Features by (picture, preprocessing, graph, number format): computed once, then read."""

    def __init__(self, reader: PictureReader) -> None:
        self.reader = reader
        self._notes = reader.cache / "formats"
        self._opened: dict[tuple[str, str], OpenGraph] = {}

    def missing(self, features: FeatureGraph, contents: Sequence[str], choice: FormatChoice) -> int:
        """How many of these pictures have no features yet."""
        if not features.is_backbone:
            return len(contents)
        return self._cache(features, choice).missing(contents)

    def format_of(self, features: FeatureGraph, contents: Sequence[str]) -> FormatChoice:
        """The number format the graph runs in here; measured on first use, on some of these pictures."""
        if not features.is_backbone:
            return FormatChoice("fp32", {}, {}, "exact arithmetic costs nothing here")
        return choose_format(features.graph, features.digest, self._samples(features, contents), self._notes)

    def _samples(self, features: FeatureGraph, contents: Sequence[str]) -> Pixels:
        # Sorted by content, so that the same pictures give the same samples in any order.
        chosen = sorted(set(contents))[:_SAMPLES]
        return np.stack([self.reader.one(content, features.input_spec) for content in chosen])

    def graph_of(self, features: FeatureGraph, choice: FormatChoice) -> bytes:
        """The graph that is run: the quantised one where int8 was chosen."""
        return (self._notes / choice.int8_graph).read_bytes() if choice.int8_graph else features.graph

    def open_as(self, features: FeatureGraph, contents: Sequence[str], number_format: NumberFormat) -> OpenGraph:
        """The graph in a format that was chosen for its like; int8 is made with samples of these pictures."""
        graph = features.graph
        if number_format == "int8":
            graph = quantise(graph, self._samples(features, contents))
        return open_graph(graph, number_format, one_at_a_time=True)

    def _cache(self, features: FeatureGraph, choice: FormatChoice) -> ArrayCache:
        # An int8 graph depends on the pictures it was calibrated with: the key is that of the graph that is run.
        digest = hashlib.sha256(self.graph_of(features, choice)).hexdigest() if choice.int8_graph else features.digest
        space = f"{digest[:24]}-{features.input_spec.key}-{choice.number_format}"
        return ArrayCache(self.reader.cache / "features" / space)

    def _open(self, features: FeatureGraph, choice: FormatChoice) -> OpenGraph:
        key = features.digest, choice.number_format
        if key not in self._opened:
            graph = self.graph_of(features, choice)
            self._opened[key] = open_graph(graph, choice.number_format, one_at_a_time=True)
        return self._opened[key]

    def rows(
        self, features: FeatureGraph, contents: Sequence[str], choice: FormatChoice, tell: Tell = tell_nobody
    ) -> Rows:
        """The features (N, D) of pictures by content hash."""
        if not contents:
            return np.empty((0, features.dim), dtype=np.float32)
        if features.is_backbone:
            return self._of_backbone(features, contents, choice, tell)
        pixels = self.reader.small(contents, features.input_spec, tell)
        opened = open_small_graph(features.graph)
        starts = range(0, len(pixels), _CHUNK)
        with ThreadPoolExecutor(cores()) as pool:
            return np.concatenate(list(pool.map(lambda start: opened.run(pixels[start : start + _CHUNK]), starts)))

    def _of_backbone(self, features: FeatureGraph, contents: Sequence[str], choice: FormatChoice, tell: Tell) -> Rows:
        def compute(places: list[int]) -> Iterator[Rows]:
            opened = self._open(features, choice)
            wanted = [contents[place] for place in places]
            yield from run_on_pictures(
                opened, lambda index: self.reader.one(wanted[index], features.input_spec), len(wanted)
            )

        cache = self._cache(features, choice)
        return cache.fetch(contents, compute, chunk=1024, tell=tell, what=f"computing features with {features.name}")
