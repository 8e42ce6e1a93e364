"""What is served, and changing it: versions of the workspace come and go, files and paths are never named."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any, cast

from starlette.types import Receive, Scope

from winnow.errors import NotFoundError
from winnow.serve.bodies import headers_of, kind_of, parse_json
from winnow.serve.files_there import warning_about_files
from winnow.serve.problem import ProblemError
from winnow.serve.reply import CLOSE, Reply, json_reply
from winnow.serve.served import Lineup, Served, Share, Tensor
from winnow.serve.service import Service

_VERSION = re.compile(r"[0-9]{1,9}")
_MOST_BYTES = 1 << 16
_FORM = '{"versions": [{"version": "3", "share": 0.1}, {"version": "2", "share": 0.9}]}'


async def list_models(service: Service, scope: Scope, receive: Receive) -> Reply:
    """All models and their versions."""
    lineup = service.engine.lineup
    return json_reply({"models": [await _described(name, lineup.versions(name)) for name in lineup.names]})


async def show_model(service: Service, scope: Scope, receive: Receive) -> Reply:
    """One model and its versions."""
    name: str = scope["path_params"]["model"]
    return json_reply(await _described(name, service.engine.lineup.versions(name)))


async def show_drift(service: Service, scope: Scope, receive: Receive) -> Reply:
    """How far what comes in, and what is answered, lies from the training set."""
    name: str = scope["path_params"]["model"]
    digests = [one.served.digest for one in service.engine.lineup.versions(name)]
    return json_reply({"versions": [drift.as_dict() for one in digests if (drift := service.drifts.get(one))]})


async def change_model(service: Service, scope: Scope, receive: Receive) -> Reply:
    """Serve other versions of a model, or share its questions out anew; nobody who asks meanwhile notices."""
    if scope["may"] != "admin":
        raise ProblemError(403, "no-admin", "Changing what is served takes the admin token.", (CLOSE,))
    name: str = scope["path_params"]["model"]
    headers = headers_of(scope)
    if kind_of(headers) != b"application/json":
        raise ProblemError(415, "content-type", f"Send application/json, such as {_FORM}.", (CLOSE,))
    room = service.intake.take_room(headers)
    try:
        body = await service.intake.read(receive)
    finally:
        service.intake.give_room(room)
    if len(body) > _MOST_BYTES:
        raise ProblemError(413, "body-too-large", f"Send a few versions, such as {_FORM}.")
    wanted = _wanted(parse_json(body))
    async with service.swapping:
        before = service.engine.lineup
        known = {one.served.version: one.served for one in before.versions(name)}
        served = await asyncio.to_thread(_opened, service, name, [version for version, _ in wanted], known)
        shares = [Share(one, share) for one, (_, share) in zip(served, wanted, strict=True)]
        others = [one for one in before if one.served.name != name]
        await service.swap(_in_order(before.names, [*others, *shares]))
    return json_reply(await _described(name, service.engine.lineup.versions(name)))


def _opened(service: Service, name: str, versions: Sequence[str], known: dict[str, Served]) -> list[Served]:
    served = [known.get(version) or service.open_version(f"{name}@{version}") for version in versions]
    # A folder may have been given a name that means another model in the workspace.
    if any(one.name != name for one in served):
        raise NotFoundError(f"The workspace has no versions of '{name}'; it is served from a folder or a file.")
    return served


def _in_order(names: Sequence[str], shares: Sequence[Share]) -> Lineup:
    """The lineup with its models in the old order: the first answers who names none."""
    return Lineup(sorted(shares, key=lambda one: names.index(one.served.name)))


def _wanted(asked: dict[str, Any]) -> list[tuple[str, float]]:
    versions = asked.get("versions")
    if set(asked) != {"versions"} or not isinstance(versions, list) or not 0 < len(cast("list[Any]", versions)) <= 16:
        raise ProblemError(422, "bad-request", f"The body must be like {_FORM}, with up to 16 versions.")
    wanted: list[tuple[str, float]] = []
    for one in cast("list[Any]", versions):
        match one:
            case {"version": str(version), "share": int(share) | float(share), **rest} if (
                not rest and not isinstance(share, bool) and 0 <= share <= 1 and _VERSION.fullmatch(version)
            ):
                wanted.append((version, float(share)))
            case _:
                said = f"A version is a number in quotes, its share a number in [0, 1], as in {_FORM}."
                raise ProblemError(422, "bad-request", said)
    return wanted


async def _described(name: str, versions: Sequence[Share]) -> dict[str, Any]:
    described = await asyncio.to_thread(lambda: [_version(one) for one in versions])  # it looks at the disk
    return {"name": name, "versions": described}


def _version(share: Share) -> dict[str, Any]:
    served = share.served
    return {
        "version": served.version,
        "kind": served.kind,
        "task": served.task,
        "classes": list(served.classes),
        "thresholds": None if served.thresholds is None else list(served.thresholds),
        "sure_from": served.sure_from,
        "side_px": None if served.input_spec is None else served.input_spec.side_px,
        "inputs": [_tensor(one) for one in served.inputs],
        "outputs": [_tensor(one) for one in served.outputs],
        "sha256": served.digest,
        "warning": warning_about_files(served),
        "share": share.share,
    }


def _tensor(tensor: Tensor) -> dict[str, Any]:
    return {"name": tensor.name, "dtype": tensor.dtype, "shape": list(tensor.shape)}
