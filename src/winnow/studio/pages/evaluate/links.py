"""Addresses of the Evaluate page."""

from __future__ import annotations

from urllib.parse import quote, urlencode


def model_page(model: str, **query: str) -> str:
    """The page of a model, with what is chosen on it: `on`, the set of pictures; `with_`, the model to compare with."""
    asked = {name.rstrip("_"): value for name, value in query.items() if value}
    return f"/evaluate/{quote(model, safe='')}{'?' + urlencode(asked) if asked else ''}"
