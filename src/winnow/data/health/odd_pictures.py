"""Pictures that stand out by how they look: dark, bright, blurred, blank, tiny, huge, oddly shaped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from winnow.data.edits import Remove
from winnow.data.health.finding import Finding, Fix, Severity, counted, most_telling, percent, shown
from winnow.data.health.subject import Subject

# What half of the pictures are is how these pictures are, not a fault of some.
_MOST = 0.5
# What a tenth of them are is better known than dropped.
_MANY = 0.1
# Small data sets of icons and digits have no "tiny" pictures among them.
_TINY_PX = 32
_HUGE_TIMES, _TINY_TIMES = 10, 10
# Photographs blurred by 3 px at a side of 192 px stay below; of sharp ones in cats-dogs, caltech101-mini and CIFAR-10
# none does, of skies 3 %.
_BLURRED = 0.12
# Fewer pictures have no usual size.
_FEW = 20

Measured = tuple[NDArray[np.bool_], NDArray[np.float64]]


@dataclass(frozen=True)
class Oddity:
    """One way to stand out.

    Attributes:
        measure: gives which pictures do (N,) and the number that says how much (N,).
        said: what they are, after "are" ("too dark to see much").
        evidence: what the number means.
        is_least: whether the smallest number tells most.
        severity: where few pictures are so.
        is_usual_for_some: whether whole datasets may rightly be so.
    """

    kind: str
    code: str
    said: str
    evidence: str
    measure: Callable[[Subject], Measured]
    is_least: bool = False
    severity: Severity = "worth a look"
    is_usual_for_some: bool = True


def find_odd_pictures(subject: Subject) -> Iterator[Finding]:
    """A finding for each way to stand out, with those that do most first."""
    for oddity in ODDITIES:
        is_odd, values = oddity.measure(subject)
        places: list[int] = np.flatnonzero(is_odd).tolist()
        share = len(places) / max(len(subject.examples), 1)
        if not places or (share > _MOST and oddity.is_usual_for_some):
            continue
        examples = [subject.examples[place] for place in places]
        yield Finding(
            kind=oddity.kind,
            code=oddity.code,
            severity=_severity(oddity, share),
            sentence=f"{counted(len(places), 'picture is', 'pictures are')} {oddity.said}"
            + (f" ({percent(share)} of all)." if share > _MANY else "."),
            count=len(places),
            examples=most_telling(
                (shown(example, values[place]) for place, example in zip(places, examples, strict=True)),
                least=oddity.is_least,
            ),
            evidence=oddity.evidence,
            fixes=(Fix("drop", (Remove(tuple(e.source for e in examples)),), is_judgement=oddity.kind != "blank"),),
        )


def _severity(oddity: Oddity, share: float) -> Severity:
    if not oddity.is_usual_for_some:
        return "serious" if share > _MANY else oddity.severity
    return oddity.severity if share <= _MANY else "good to know"


def _dark(subject: Subject) -> Measured:
    return (subject.looks["brightness_p99"] < 0.32) & ~_blank(subject)[0], subject.looks["brightness_p99"]


def _bright(subject: Subject) -> Measured:
    return (subject.looks["brightness_p5"] > 0.95) & ~_blank(subject)[0], subject.looks["brightness_p5"]


def _blurred(subject: Subject) -> Measured:
    sharpness = subject.looks["sharpness"]
    return (sharpness < _BLURRED) & ~_dark(subject)[0] & ~_blank(subject)[0], sharpness


def _blank(subject: Subject) -> Measured:
    bits = np.maximum(subject.looks["entropy"] - _of_one_colour(subject), 0)
    return bits < 1e-6, bits


def _low_information(subject: Subject) -> Measured:
    return (subject.looks["entropy"] < 3.0) & ~_blank(subject)[0], subject.looks["entropy"]


def _of_one_colour(subject: Subject) -> NDArray[np.float64]:
    """The entropy of a picture of one colour: 0 bits where it is grey, log2(3) where its three channels differ."""
    looks = subject.looks
    return np.where(looks["saturation"] > 0, _bits_of_channels(looks["red"], looks["green"], looks["blue"]), 0)


def _bits_of_channels(*means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Three channels of one level each: log2(3) bits where all differ, less where two are equal."""
    red, green, blue = (np.rint(255 * mean) for mean in means)
    two_equal = (red == green) | (green == blue) | (red == blue)
    return np.where(two_equal, np.log2(3) - 2 / 3, np.log2(3))


def _sides(subject: Subject) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    sizes = np.array([(e.width, e.height) for e in subject.examples], dtype=np.float64).reshape(-1, 2)
    return sizes.min(axis=1), sizes.prod(axis=1)


def _tiny(subject: Subject) -> Measured:
    shorter, area = _sides(subject)
    usual = float(np.median(area)) if len(area) >= _FEW else np.nan
    return (shorter < _TINY_PX) & (area * _TINY_TIMES < usual), shorter


def _huge(subject: Subject) -> Measured:
    _, area = _sides(subject)
    usual = float(np.median(area)) if len(area) >= _FEW else np.nan
    return area > _HUGE_TIMES * usual, area / 1e6


def _odd_aspect(subject: Subject) -> Measured:
    ratio = np.array([min(e.width / e.height, e.height / e.width) for e in subject.examples])
    return ratio < 0.35, ratio


ODDITIES: tuple[Oddity, ...] = (
    Oddity(
        "blank",
        "W_CONSTANT",
        "of one colour all over (constant): there is nothing in them to learn",
        "bits of information in the colours (entropy)",
        _blank,
        is_least=True,
        is_usual_for_some=False,
    ),
    Oddity(
        "low-information",
        "W_LOW_INFORMATION",
        "almost empty (low information)",
        "bits of information in the colours (entropy)",
        _low_information,
        is_least=True,
    ),
    Oddity(
        "dark",
        "W_DARK",
        "too dark to see much (underexposed)",
        "brightness that 99 % of the pixels stay below, 0 to 1",
        _dark,
        is_least=True,
    ),
    Oddity(
        "bright",
        "W_BRIGHT",
        "too bright to see much (overexposed)",
        "brightness that 95 % of the pixels exceed, 0 to 1",
        _bright,
    ),
    Oddity(
        "blurred",
        "W_BLURRED",
        "blurred, or smooth all over by nature",
        "strength of the edges, relative to contrast",
        _blurred,
        is_least=True,
    ),
    Oddity(
        "tiny", "W_TINY", "much smaller than the others: little can be seen", "shorter side in px", _tiny, is_least=True
    ),
    Oddity(
        "huge",
        "W_LARGE",
        "much larger than the others: they are shrunk before a model sees them, and details go",
        "megapixels",
        _huge,
        severity="good to know",
    ),
    Oddity(
        "odd-aspect",
        "W_ASPECT",
        "very long or very tall (odd aspect ratio): squeezed into a square they are distorted",
        "shorter side over longer side",
        _odd_aspect,
        is_least=True,
        severity="good to know",
    ),
)
"""Thresholds of dark, bright, low-information and odd-aspect: cleanvision 0.3.6 (`get_default_params`)."""
