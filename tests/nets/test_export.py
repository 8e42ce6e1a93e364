"""A network and its graph give the same answers, and the graph is the house's: pixels in, rows out, any batch."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from winnow.errors import UserError
from winnow.graph.build import GraphPen
from winnow.graph.join import cut, join
from winnow.graph.runtime import open_graph
from winnow.nets.export import FromPixels, Normalise, as_graph, from_pixels, normalise_for, parity
from winnow.nets.fast_small import fast_small
from winnow.nets.net import Net
from winnow.nets.registry import build, find_net


@pytest.fixture
def pixels() -> NDArray[np.uint8]:
    """Five noise pictures of 32 px."""
    return np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)


def small(n_classes: int = 3) -> Net:
    """A narrow fast network."""
    torch.manual_seed(0)
    net = fast_small(widths=(8, 8, 8), n_classes=n_classes)
    net(torch.randn(8, 3, 32, 32))  # so that the norms have seen something
    return net


def behind(net: Net, name: str, **size: int) -> FromPixels:
    """The net behind its entry's normalisation, ready to answer."""
    return from_pixels(net, normalise_for(find_net(name), **size)).eval()


@pytest.fixture(scope="module")
def graph() -> bytes:
    """The narrow network's logits, as the seam of a head."""
    return as_graph(behind(small(), "fast-small"), 32)


@pytest.mark.parametrize("name", ["fast-small", "lenet-5", "mlp", "small-convnet"])
def test_the_graph_answers_as_the_network_does(name: str):
    torch.manual_seed(0)
    entry = find_net(name)
    network = behind(build(name), name, n_channels=entry.n_channels)
    pixels = np.random.default_rng(0).integers(0, 256, (6, entry.side_px, entry.side_px, 3), dtype=np.uint8)
    found = parity(network, as_graph(network, entry.side_px), pixels)
    assert found.holds()
    assert found.pictures == 6


def test_a_graph_of_another_network_does_not_hold(graph: bytes, pixels: NDArray[np.uint8]):
    other = behind(small(), "fast-small")
    with torch.no_grad():
        other.network[-1][0].weight.neg_()  # pyright: ignore
    found = parity(other, graph, pixels)
    assert not found.holds()
    assert found.flips > 0


def test_the_same_network_gives_the_same_bytes_and_stays_as_it_is(graph: bytes):
    network = behind(small(), "fast-small").train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    assert as_graph(network, 32) == graph
    assert network.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())
    model = onnx.load_from_string(graph)
    notes = [note.value for part in (model, *model.graph.node) for note in part.metadata_props]
    assert notes == []


def test_features_come_out_where_a_head_is_joined(pixels: NDArray[np.uint8]):
    net = small()
    graph = as_graph(from_pixels(net, normalise_for(find_net("fast-small")), "features"), 32)
    pen = GraphPen("features", (None, 8), prefix="head/")
    head = pen.finish(pen.op("Softmax", pen.input), "probabilities", (None, 8))
    whole = join(graph, head)
    probabilities = open_graph(whole).run(pixels)
    assert probabilities.shape == (5, 8)
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
    np.testing.assert_allclose(open_graph(cut(whole)[0]).run(pixels), open_graph(graph).run(pixels), rtol=1e-5)


def test_a_graph_takes_any_batch(graph: bytes, pixels: NDArray[np.uint8]):
    opened = open_graph(graph)
    assert opened.run(pixels[:1]).shape == (1, 3)
    np.testing.assert_allclose(opened.run(pixels)[:1], opened.run(pixels[:1]), atol=1e-5)


def test_normalising_is_pixels_over_255_less_mean_over_deviation(pixels: NDArray[np.uint8]):
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)
    given = Normalise(mean, std)(torch.from_numpy(pixels)).numpy()
    expected = ((pixels / 255 - mean) / std).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(given, expected, atol=1e-5)


def test_one_channel_is_the_grey_that_pillow_makes(pixels: NDArray[np.uint8]):
    grey = np.asarray(Image.fromarray(pixels[0]).convert("L"))
    given = Normalise((0.0,), (1.0,))(torch.from_numpy(pixels[:1])).numpy()[0, 0] * 255
    assert np.abs(given - grey).max() <= 1  # Pillow rounds to whole greys


def test_padding_puts_black_around():
    white = torch.full((1, 28, 28, 3), 255, dtype=torch.uint8)
    x = normalise_for(find_net("lenet-5"), 1, pad_px=2)(white)
    assert x.shape == (1, 1, 32, 32)
    torch.testing.assert_close(x[0, 0, 0, 0].item(), -0.1, atol=1e-5, rtol=0)
    torch.testing.assert_close(x[0, 0, 2, 2].item(), 1.175, atol=1e-5, rtol=0)


def test_a_normalisation_of_two_channels_is_refused():
    with pytest.raises(UserError, match="Pictures have 1 or 3 channels; 2 means"):
        Normalise((0.0, 0.0), (1.0, 1.0))


def test_no_pictures_are_no_comparison():
    network = behind(small(), "fast-small")
    with pytest.raises(UserError, match="on no pictures"):
        parity(network, b"", np.zeros((0, 32, 32, 3), dtype=np.uint8))
