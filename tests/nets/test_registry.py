"""The networks by name: ours, those of installed packages, and hints for the rest."""

from __future__ import annotations

import pytest

from winnow import installed
from winnow.errors import NotFoundError, UserError
from winnow.nets import lenet5
from winnow.nets.registry import all_nets, build, find_net


class Point:
    """An entry point as an installed package would have it."""

    def __init__(self, name: str, gives: object) -> None:
        self.name, self.value, self._gives = name, f"guest.nets:{name}", gives

    def load(self) -> object:
        """What the point names, or the error that importing it gives."""
        if isinstance(self._gives, Exception):
            raise self._gives
        return self._gives


def install(monkeypatch: pytest.MonkeyPatch, *points: Point) -> None:
    """Have these entry points in the group of networks."""
    monkeypatch.setattr(installed, "entry_points", lambda group: points if group == "winnow.nets" else ())


def test_the_networks_of_the_field_are_there():
    names = {entry.name for entry in all_nets()}
    assert {"perceptron", "mlp", "lenet-5", "fast-small", "alexnet", "googlenet", "densenet-121"} <= names
    assert {f"vgg-{letter}" for letter in "abcde"} <= names
    assert {f"resnet-{depth}" for depth in (18, 34, 50, 101, 152)} <= names
    assert len(names) == len(all_nets())


def test_a_mistyped_name_gets_a_hint():
    with pytest.raises(NotFoundError, match=r"No network is called 'lenet5'\. Did you mean lenet-5"):
        find_net("lenet5")


def test_what_is_not_asked_is_as_in_the_paper():
    net = build("lenet-5")
    assert (net.n_classes, net.get_parameter("stages.c1.0.weight").shape) == (10, (6, 1, 5, 5))
    assert build("lenet-5", 3, n_channels=3).get_parameter("stages.c1.0.weight").shape == (6, 3, 5, 5)


@pytest.mark.parametrize("name", ["lenet-5", "alexnet", "vgg-a", "fast-small"])
def test_pictures_that_are_too_small_are_refused_before_anything_is_built(name: str):
    least = find_net(name).smallest_side_px
    with pytest.raises(UserError, match=f"pictures of {least} px or more, not {least - 1} px: take larger ones"):
        build(name, 3, side_px=least - 1)


def test_another_package_can_add_a_network(monkeypatch: pytest.MonkeyPatch):
    from dataclasses import replace

    guest = replace(lenet5.ENTRY, name="guest-net")
    install(monkeypatch, Point("guest", guest))
    assert all_nets()[-1] is guest
    assert build("guest-net", 4).n_classes == 4


def test_a_package_that_brings_a_taken_name_is_named(monkeypatch: pytest.MonkeyPatch):
    install(monkeypatch, Point("guest", lenet5.ENTRY))
    with pytest.raises(UserError, match=r"a network called 'lenet-5' already, and guest\.nets:guest"):
        all_nets()


def test_a_package_that_fails_is_named(monkeypatch: pytest.MonkeyPatch):
    install(monkeypatch, Point("guest", ImportError("no such thing")))
    with pytest.raises(UserError, match=r"guest\.nets:guest cannot be loaded \(no such thing\)"):
        all_nets()
