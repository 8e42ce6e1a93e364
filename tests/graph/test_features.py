"""Features are computed once and then read; new pictures cost their own rows and no others."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from winnow.events import Event, Progress
from winnow.graph import formats
from winnow.graph.features import FeatureGraph, FeatureStore, PictureReader
from winnow.graph.formats import FormatChoice
from winnow.tasks.features.pixels import pixel_features

from .tiny import DIM, features_graph, pictures, plain_run, tiny_backbone

FP32 = FormatChoice("fp32", {"fp32": 1.0}, {"fp32": 1.0}, "for the test")


class Shop:
    """Twenty pictures by content hash that counts how often one is asked for."""

    def __init__(self, folder: Path) -> None:
        self.pixels = pictures(20, seed=3)
        self.files: dict[str, bytes] = {}
        self.reads = 0
        for picture in self.pixels:
            buffer = io.BytesIO()
            Image.fromarray(picture).save(buffer, "PNG")
            self.files[hashlib.sha256(buffer.getvalue()).hexdigest()] = buffer.getvalue()
        self.contents = list(self.files)
        self.cache = folder / "cache"
        backbone = tiny_backbone(folder / "backbone")
        self.features = FeatureGraph("tiny", backbone.graph(), backbone.input_spec, DIM, is_backbone=True)

    def read(self, content: str) -> bytes:
        self.reads += 1
        return self.files[content]

    def store(self) -> FeatureStore:
        return FeatureStore(PictureReader(self.read, self.cache))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_rows_are_what_the_graph_gives(shop: Shop):
    rows = shop.store().rows(shop.features, shop.contents, FP32)
    assert rows == pytest.approx(plain_run(shop.features.graph, shop.pixels), abs=1e-5)


def test_a_second_pass_reads_no_picture(shop: Shop):
    first = shop.store().rows(shop.features, shop.contents, FP32)
    assert shop.reads == 20
    again = shop.store().rows(shop.features, shop.contents, FP32)
    assert shop.reads == 20
    assert np.array_equal(first, again)


def test_ten_new_pictures_cost_ten_rows(shop: Shop):
    shop.store().rows(shop.features, shop.contents[:10], FP32)
    assert shop.reads == 10
    heard: list[Event] = []
    shop.store().rows(shop.features, shop.contents, FP32, heard.append)
    assert shop.reads == 20
    assert heard[-1] == Progress("computing features with tiny", 10, 10)


def test_a_picture_that_occurs_twice_is_computed_once(shop: Shop):
    rows = shop.store().rows(shop.features, [shop.contents[0]] * 5 + [shop.contents[1]], FP32)
    assert shop.reads == 2
    assert np.array_equal(rows[0], rows[4])
    assert not np.array_equal(rows[0], rows[5])


def test_rows_of_another_graph_or_number_format_are_others(shop: Shop):
    shop.store().rows(shop.features, shop.contents, FP32)
    other_graph = FeatureGraph("tiny", features_graph(scale=2), shop.features.input_spec, DIM, is_backbone=True)
    doubled = shop.store().rows(other_graph, shop.contents, FP32)
    assert shop.reads == 40
    assert doubled == pytest.approx(2 * shop.store().rows(shop.features, shop.contents, FP32), rel=1e-4, abs=1e-5)
    bf16 = FormatChoice("bf16", {"bf16": 1.0}, {"bf16": 1.0}, "for the test")
    shop.store().rows(shop.features, shop.contents, bf16)
    assert shop.reads == 60


def test_pixels_are_read_once_for_every_rung_that_looks_at_them(shop: Shop):
    features = pixel_features(8, is_grey=False)
    store = shop.store()
    first = store.rows(features, shop.contents, store.format_of(features, shop.contents))
    assert first.shape == (20, 8 * 8 * 3)
    again = shop.store().rows(features, shop.contents, FP32)
    assert np.array_equal(first, again)
    assert shop.reads == 20


def test_mapped_pictures_are_read_once_and_serve_small_inputs_too(shop: Shop):
    spec = pixel_features(8, is_grey=False).input_spec
    asked = [*shop.contents[::-1], shop.contents[3]]
    mapped = shop.store().reader.mapped(asked, spec)
    assert shop.reads == 20
    assert isinstance(mapped.rows, np.memmap)
    assert np.array_equal(mapped.rows[mapped.places], shop.store().reader.small(asked, spec))
    assert shop.reads == 20


def test_hand_made_features_stay_exact(shop: Shop):
    choice = shop.store().format_of(pixel_features(8, is_grey=False), shop.contents)
    assert choice.number_format == "fp32"


def test_the_format_of_a_backbone_is_measured_on_the_same_pictures_in_any_order(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
):
    seen: list[np.ndarray] = []

    def choose(graph: bytes, digest: str, samples: np.ndarray, notes: Path) -> FormatChoice:
        assert graph == shop.features.graph
        assert digest == hashlib.sha256(graph).hexdigest()
        assert notes.parent == shop.cache
        seen.append(samples)
        return FP32

    monkeypatch.setattr("winnow.graph.features.choose_format", choose)
    shop.store().format_of(shop.features, shop.contents)
    shop.store().format_of(shop.features, [*reversed(shop.contents), shop.contents[3]])
    assert np.array_equal(seen[0], seen[1])


def test_where_int8_was_chosen_the_quantised_graph_is_the_one_that_runs(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(formats, "_formats_to_try", lambda: iter(["int8"]))
    monkeypatch.setattr(formats, "_TIMED_S", 0.01)
    monkeypatch.setattr(formats, "MIN_GAIN", 0.0)
    store = shop.store()
    choice = store.format_of(shop.features, shop.contents)
    assert choice.number_format == "int8"
    graph = store.graph_of(shop.features, choice)
    assert graph != shop.features.graph
    rows = store.rows(shop.features, shop.contents, choice)
    assert rows == pytest.approx(plain_run(graph, shop.pixels), abs=0.05)


def test_no_pictures_give_no_rows(shop: Shop):
    assert shop.store().rows(shop.features, [], FP32).shape == (0, DIM)
    assert shop.store().rows(pixel_features(8, is_grey=True), [], FP32).shape == (0, 64)
