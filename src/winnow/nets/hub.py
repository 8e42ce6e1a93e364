"""Published weights from the hub, if that is allowed: one file of safetensors, and nothing else is asked for."""

from __future__ import annotations

import socket
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

import timm

from winnow.errors import NotFoundError
from winnow.nets.entry import NetEntry
from winnow.nets.registry import find_net
from winnow.nets.timm_nets import PREFIX
from winnow.nets.weights import HUB_FILE, HUB_INDEX, Weights

_PATIENCE_S = 5.0


def hub_weights(name: str, *, allow_network: bool = False, cache: Path | None = None) -> Weights:
    """Published weights of a network, from the hub's cache on this disk, or from the hub if that is allowed.

    Args:
        name: of our registry or of timm.
        allow_network: whether the file may be fetched.
        cache: where fetched files are kept; by default where the hub's client keeps its own.

    Raises:
        NotFoundError: the weights are not published as safetensors; or not on this disk, and may not be fetched.
    """
    entry = find_net(name)
    repository = _repository(entry)
    return Weights(
        name=entry.name.removeprefix(PREFIX),
        file=_file(entry.name.removeprefix(PREFIX), repository, allow_network, cache),
        architecture=entry.name,
        create={},
        fixup=None,
        mean=entry.mean,
        std=entry.std,
        licence=entry.licence,
        source=f"huggingface.co/{repository}",
        n_classes=None,
        side_px=entry.side_px,
    )


def _file(name: str, repository: str, allow_network: bool, cache: Path | None) -> Path:
    from huggingface_hub import constants, hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, OfflineModeIsEnabled

    hub = constants.ENDPOINT
    may_ask = allow_network and _answers(hub)
    with _network(may_ask):
        try:
            return Path(
                hf_hub_download(repository, HUB_FILE, cache_dir=cache, endpoint=hub, local_files_only=not may_ask)
            )
        except (LocalEntryNotFoundError, OfflineModeIsEnabled, HfHubHTTPError, OSError) as error:
            if allow_network:
                raise NotFoundError(
                    f"The weights of '{name}' could not be fetched from {repository} on huggingface.co "
                    f"({type(error).__name__}); check the connection, or give a folder of them: --weights FOLDER."
                ) from error
            raise NotFoundError(
                f"The weights of '{name}' are not on this disk, and the network is used only if you allow it: give "
                f"--download, or --weights FOLDER with {HUB_INDEX} and {HUB_FILE} of huggingface.co/{repository}."
            ) from error


def _answers(hub: str) -> bool:
    """Whether anybody is at the hub's address: its client would try for half a minute before it said so."""
    if getproxies():  # then only the proxy knows
        return True
    address = urlsplit(hub)
    try:
        socket.create_connection((address.hostname, address.port or 443), timeout=_PATIENCE_S).close()
    except OSError:
        return False
    return True


def _repository(entry: NetEntry) -> str:
    published = timm.get_pretrained_cfg(entry.hub) if entry.hub else None
    if published is None or not published.hf_hub_id:
        raise NotFoundError(
            f"No weights of '{entry.name}' are published in a form that is safe to open; "
            "give a folder of weights in safetensors, or train from scratch."
        )
    return str(published.hf_hub_id)


@contextmanager
def _network(is_allowed: bool) -> Generator[None]:
    """Lift, for as long as it takes, the switch with which Winnow keeps the hub's client off the network."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = not is_allowed
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
