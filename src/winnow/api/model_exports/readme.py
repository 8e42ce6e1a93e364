"""The README of an export: what it is, how to use it, and what was proven of it, in plain words."""

from __future__ import annotations

import re

from winnow.api.model_exports.model_export import Leaving
from winnow.report.words import printable

_CLASSES_SHOWN = 40


def readme(leaving: Leaving, form: str, use: str) -> bytes:
    """Markdown.

    Args:
        leaving: what was exported.
        form: what it is, as in "clouds *as an ONNX graph*".
        use: how to use it; Markdown.
    """
    facts = leaving.facts
    names = [_plain(name) for name in facts.classes]
    more = f" and {len(names) - _CLASSES_SHOWN} more" if len(names) > _CLASSES_SHOWN else ""
    answers = (
        "It says of each class whether a picture shows it"
        if facts.task == "multilabel"
        else "It answers one class a picture"
    )
    return f"""# {_plain(facts.name)} {form}

{answers}, with calibrated probabilities: {", ".join(names[:_CLASSES_SHOWN])}{more}.

{use}

`proof.json` says on which pictures this export was held against the evaluated model, how far their answers differ, and
the SHA-256 of each file here. It proves that this is the model that was measured; how good that model is, its report
says. Where `origin.json` lies beside it, `winnow verify` of this folder follows all files back to the model, its climb
and its dataset version, and says whose key signed them.
""".encode()


def _plain(written: str) -> str:
    """Text that Markdown shows as it is."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!&])", r"\\\1", printable(written))
