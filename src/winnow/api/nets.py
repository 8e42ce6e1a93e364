"""Which networks can be trained here, and what is known of each."""

from __future__ import annotations

from typing import Any

from winnow.errors import need


def nets(name: str | None = None) -> list[dict[str, Any]]:
    """The networks of the registry, or one of them or of timm, as plain values; nothing is built or fetched.

    Raises:
        MissingExtraError: the extra "deep" is not installed.
        NotFoundError: no network is called `name`.
    """
    for module in ("torch", "torchvision", "timm", "safetensors"):
        need(module, extra="deep", to="see or train networks")
    from winnow.nets.registry import all_nets, find_net

    return [
        {
            "name": entry.name,
            "title": entry.title,
            "year": entry.year,
            "paper": entry.paper,
            "n_parameters": entry.n_parameters,
            "n_channels": entry.n_channels,
            "side_px": entry.side_px,
            "smallest_side_px": entry.smallest_side_px,
            "dim": entry.dim,
            "stages": list(entry.stages),
            "hub": entry.hub,
            "licence": entry.licence,
        }
        for entry in (all_nets() if name is None else [find_net(name)])
    ]
