"""What every network of the registry promises."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from winnow.nets.entry import NetEntry
from winnow.nets.net import Net, count_parameters
from winnow.nets.registry import all_nets, build

_BIG = 20_000_000  # parameters; bigger ones are looked at without memory for their numbers

EVERY = pytest.mark.parametrize("entry", all_nets(), ids=lambda entry: entry.name)
SMALL = pytest.mark.parametrize(
    "entry", [entry for entry in all_nets() if entry.n_parameters < _BIG], ids=lambda entry: entry.name
)


@pytest.fixture(autouse=True)
def seed() -> Iterator[None]:
    """The same weights in each run."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def shapes_only(entry: NetEntry, n_classes: int | None = None, side_px: int | None = None) -> Net:
    """The network on torch's meta device, which knows shapes and no numbers."""
    with torch.device("meta"):
        return build(entry.name, n_classes, side_px=side_px)


def pictures(entry: NetEntry, device: str = "cpu") -> torch.Tensor:
    """Two noise pictures of the smallest side that the network takes."""
    return torch.randn(2, entry.n_channels, entry.smallest_side_px, entry.smallest_side_px, device=device)


@EVERY
def test_its_parameters_are_those_of_its_paper(entry: NetEntry):
    assert count_parameters(shapes_only(entry), learning_only=True) == entry.n_parameters


@EVERY
def test_its_entry_says_where_it_can_be_cut_and_how_many_features_it_has(entry: NetEntry):
    net = shapes_only(entry)
    assert net.stage_names == entry.stages
    assert net.dim == entry.dim
    assert len(entry.mean) == len(entry.std) == entry.n_channels


@EVERY
def test_it_gives_one_logit_a_class_and_every_weight_a_gradient(entry: NetEntry):
    net = shapes_only(entry, n_classes=7, side_px=entry.smallest_side_px)
    logits = net(pictures(entry, "meta"))
    assert logits.shape == (2, 7)
    logits.sum().backward()
    assert [name for name, weight in net.named_parameters() if weight.requires_grad and weight.grad is None] == []


@EVERY
def test_its_last_stage_gives_a_row_of_features(entry: NetEntry):
    net = shapes_only(entry, side_px=entry.smallest_side_px).eval()
    assert net.lower(entry.stages[-1])(pictures(entry, "meta")).shape == (2, net.dim)


@SMALL
def test_cut_anywhere_the_two_pieces_are_the_whole(entry: NetEntry):
    net = build(entry.name, 3, side_px=entry.smallest_side_px).eval()
    x = pictures(entry)
    with torch.inference_mode():
        whole, below = net(x), x
        for name, stage in net.stages.items():
            below = stage(below)
            torch.testing.assert_close(net.upper(name)(below), whole, rtol=0, atol=0)


@SMALL
def test_saved_and_reopened_it_gives_the_same_answer(entry: NetEntry, tmp_path: Path):
    net = build(entry.name, 3, side_px=entry.smallest_side_px)
    net(pictures(entry))  # moves the norms' statistics, which must be saved too
    save_file(net.state_dict(), tmp_path / "net.safetensors")
    other = build(entry.name, 3, side_px=entry.smallest_side_px)
    other.load_state_dict(load_file(tmp_path / "net.safetensors"))
    x = pictures(entry)
    with torch.inference_mode():
        torch.testing.assert_close(other.eval()(x), net.eval()(x), rtol=0, atol=0)


@SMALL
def test_what_is_frozen_neither_learns_nor_moves_its_statistics(entry: NetEntry):
    net = build(entry.name, 3, side_px=entry.smallest_side_px)
    net.freeze(net.stage_names[-1])
    before = {name: tensor.clone() for name, tensor in net.stages.state_dict().items()}
    logits = net.train()(pictures(entry))
    if logits.requires_grad:  # not where the head has no weights either
        logits.sum().backward()
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.stages.state_dict().items())
    assert all(weight.grad is None for weight in net.stages.parameters())


@EVERY
def test_thawed_it_learns_as_before(entry: NetEntry):
    net = shapes_only(entry)
    learning = [name for name, weight in net.named_parameters() if weight.requires_grad]
    net.freeze(net.stage_names[0])
    net.freeze(None)
    assert [name for name, weight in net.named_parameters() if weight.requires_grad] == learning


@EVERY
def test_its_groups_hold_every_learning_weight_once_lowest_first(entry: NetEntry):
    net = shapes_only(entry)
    grouped = [weight for _, weights in net.groups() for weight in weights]
    assert {id(weight) for weight in grouped} == {id(w) for w in net.parameters() if w.requires_grad}
    assert len({id(weight) for weight in grouped}) == len(grouped)
    order = [*net.stage_names, "head"]
    places = [order.index(name) for name, _ in net.groups()]
    assert places == sorted(places)


@EVERY
def test_its_words_are_there(entry: NetEntry):
    assert entry.title
    assert entry.paper
    assert entry.year is not None
    assert entry.licence
    assert entry.name == entry.name.lower()
    assert (entry.hub is None) == (entry.licence == "no published weights")
