"""Pictures that stand out are found among usual ones; what most pictures are is no fault."""

from __future__ import annotations

import pytest

from winnow.data.health.odd_pictures import ODDITIES, find_odd_pictures

from .made import example, only, sources, subject

USUAL = [example(f"usual {i}") for i in range(30)]


@pytest.mark.parametrize(
    ("kind", "facts", "look"),
    [
        ("blank", {}, {"entropy": 0.0}),
        ("blank", {}, {"entropy": 1.5849625, "saturation": 0.5, "red": 0.8, "green": 0.5, "blue": 0.3}),
        ("blank", {}, {"entropy": 0.9182958, "saturation": 0.5, "red": 0.8, "green": 0.3, "blue": 0.3}),
        ("low-information", {}, {"entropy": 2.0}),
        ("dark", {}, {"brightness_p99": 0.2}),
        ("bright", {}, {"brightness_p5": 0.97}),
        ("blurred", {}, {"sharpness": 0.05}),
        ("tiny", {"width": 20, "height": 15}, {}),
        ("huge", {"width": 4000, "height": 3000}, {}),
        ("odd-aspect", {"width": 600, "height": 100}, {}),
    ],
)
def test_one_odd_picture_among_thirty_is_found(kind: str, facts: dict, look: dict):
    finding = only(find_odd_pictures(subject([*USUAL, example("odd", **facts)], looks={30: look})))
    assert finding.kind == kind
    assert sources(finding) == ["odd"]
    assert finding.fixes[0].edits[0].pictures == ("odd",)


def test_usual_pictures_are_not_odd():
    assert not list(find_odd_pictures(subject(USUAL)))


def test_what_most_pictures_are_is_how_they_are():
    dark = {place: {"brightness_p99": 0.2} for place in range(20)}
    assert not list(find_odd_pictures(subject(USUAL, looks=dark)))


def test_a_set_that_is_mostly_blank_is_serious():
    blank = {place: {"entropy": 0.0} for place in range(20)}
    finding = only(find_odd_pictures(subject(USUAL, looks=blank)))
    assert (finding.kind, finding.severity) == ("blank", "serious")


def test_what_a_third_is_is_good_to_know():
    dark = {place: {"brightness_p99": 0.2} for place in range(10)}
    finding = only(find_odd_pictures(subject(USUAL, looks=dark)))
    assert finding.severity == "good to know"
    assert "33 % of all" in finding.sentence


def test_the_darkest_comes_first():
    looks = {3: {"brightness_p99": 0.3}, 7: {"brightness_p99": 0.1}}
    assert sources(only(find_odd_pictures(subject(USUAL, looks=looks)))) == ["usual 7", "usual 3"]


def test_digits_of_eight_pixels_are_not_tiny_among_themselves():
    assert not list(find_odd_pictures(subject([example(str(i), width=8, height=8) for i in range(30)])))


def test_a_picture_that_cannot_be_decoded_is_not_odd():
    blind = {0: dict.fromkeys(("entropy", "sharpness", "brightness_p5", "brightness_p99"), float("nan"))}
    assert not list(find_odd_pictures(subject(USUAL, looks=blind)))


def test_each_way_to_stand_out_has_its_own_name():
    assert len({oddity.kind for oddity in ODDITIES}) == len({oddity.code for oddity in ODDITIES}) == len(ODDITIES)
