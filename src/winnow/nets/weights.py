"""Published weights in a folder of files; `hub.py` fetches them.

A folder holds `index.json` (name -> architecture, mean, std, licence, source; and, where they are of use, num_classes,
input_size, create_kwargs, fixup) and one `NAME*.safetensors` an entry; or it is a model of timm's as the hub keeps it,
with `config.json` and `model.safetensors`. Nothing in it is executed or unpickled.
"""

from __future__ import annotations

import json
import mmap
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import nn

from winnow.errors import NotFoundError, UserError, did_you_mean
from winnow.graph.safe_opening import checked_weights
from winnow.graph.unsafe_files import UnsafeModelError
from winnow.nets.entry import NetEntry, State
from winnow.nets.net import Net
from winnow.nets.registry import build, find_net
from winnow.nets.timm_nets import timm_name, timm_net

_INDEX = "index.json"
HUB_INDEX, HUB_FILE = "config.json", "model.safetensors"
# What a folder may ask of a network beyond its name. Anything else could name a file or a place on the network.
_CREATE = {"pad_type", "global_pool", "img_size", "output_stride", "drop_rate"}
# A "fixup" is read as one of these, never executed.
_NO_ACTIVATION = re.compile(r"^model\.blocks\[(\d+)\]\[(\d+)\]\.(\w+)\.act = torch\.nn\.Identity\(\)$")


@dataclass(frozen=True, slots=True)
class Weights:
    """One entry of a folder of weights."""

    name: str
    file: Path
    architecture: str
    """A name of our registry or of timm."""
    create: Mapping[str, Any]
    """Further arguments of `timm.create_model`."""
    fixup: str | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    licence: str
    source: str
    n_classes: int | None
    """For how many classes the weights were learned, where the index says."""
    side_px: int | None
    """Side of the pictures that they were learned on, where the index says."""

    def entry(self) -> NetEntry:
        """The architecture's entry, with what these weights say of pictures and licence.

        Raises:
            NotFoundError: the architecture is unknown.
        """
        entry = find_net(self.architecture)
        return replace(
            entry,
            mean=self.mean,
            std=self.std,
            licence=self.licence,
            n_classes=self.n_classes or entry.n_classes,
            side_px=self.side_px or entry.side_px,
        )


def list_weights(folder: Path) -> list[Weights]:
    """What a folder's index names and has a file for.

    Raises:
        NotFoundError: no index lies there.
        UserError: the index cannot be read.
    """
    is_from_hub = not (folder / _INDEX).exists() and (folder / HUB_FILE).exists()
    file = folder / (HUB_INDEX if is_from_hub else _INDEX)
    try:
        read: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
        if is_from_hub:
            return [_from_hub(read, folder / HUB_FILE)]
        return [_weights(name, facts, files[0]) for name, facts in read.items() if (files := _files(folder, name))]
    except FileNotFoundError:
        raise NotFoundError(f"No {file.name} lies in {folder}: a folder of weights has one beside its files.") from None
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UserError(f"{file} is not an index of weights ({error!r}); mend it, or get it again.") from error


def _files(folder: Path, name: str) -> list[Path]:
    found = folder.glob("*.safetensors")
    return sorted(file for file in found if file.name == f"{name}.safetensors" or file.name.startswith(f"{name}."))


def _weights(name: str, facts: Mapping[str, Any], file: Path) -> Weights:
    return Weights(
        name=name,
        file=file,
        architecture=str(facts["architecture"]),
        create=dict(facts.get("create_kwargs", {})),
        fixup=facts.get("fixup"),
        mean=tuple(float(value) for value in facts["mean"]),
        std=tuple(float(value) for value in facts["std"]),
        licence=str(facts["licence"]),
        source=str(facts["source"]),
        n_classes=facts.get("num_classes"),
        side_px=facts["input_size"][-1] if "input_size" in facts else None,
    )


def _from_hub(config: Mapping[str, Any], file: Path) -> Weights:
    """A model of timm's by the JSON that timm writes beside it."""
    published = config["pretrained_cfg"]
    arguments: dict[str, Any] = config.get("model_args") or {}
    name = ".".join(filter(None, (config["architecture"], published.get("tag"))))
    facts = {
        "architecture": config["architecture"],
        "create_kwargs": {key: value for key, value in arguments.items() if key not in ("num_classes", "in_chans")},
        "mean": published["mean"],
        "std": published["std"],
        "licence": published.get("license") or "unknown: see its page on the hub",
        "source": f"huggingface.co/timm/{name}",
        "num_classes": config["num_classes"],
        "input_size": published["input_size"],
    }
    return _weights(name, facts, file)


def find_weights(folder: Path, name: str | None = None) -> Weights:
    """The weights of that name, or of the network of that name, in a folder; without a name, the only or first ones.

    Raises:
        NotFoundError: there is no index, or no entry of that name with a file.
    """
    at_hand = list_weights(folder)
    for weights in at_hand:
        if name in (None, weights.name, weights.architecture):
            return weights
    known = [weights.name for weights in at_hand]
    hint = did_you_mean(name or "", known, otherwise=f"It has: {', '.join(known) or 'none with a file'}.")
    raise NotFoundError(f"{_INDEX} has no entry '{name}' with a file {name}.safetensors in {folder}. {hint}")


def read_state(file: Path) -> State:
    """The weights in a file of safetensors, as float32.

    Raises:
        NotFoundError: there is no such file.
        UnsafeModelError: it is no whole file of safetensors, or holds what is no number.
        UserError: the system does not let it be read.
    """
    try:
        with file.open("rb") as opened:
            if os.fstat(opened.fileno()).st_size == 0:  # nothing that could be mapped
                raise UnsafeModelError("E_MODEL_FORMAT", f"{file} is empty; get the file again.")
            # Mapped: a look at every weight costs no memory that is not given back.
            with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content, memoryview(content) as view:
                checked_weights(view, str(file))
        state = load_file(file)
    except FileNotFoundError:
        raise NotFoundError(f"There is no file {file}; give the path of a file of safetensors.") from None
    except OSError as error:
        raise UserError(f"{file} cannot be read ({error.strerror}); check its rights, or get it again.") from error
    return {name: weight.float() if weight.is_floating_point() else weight for name, weight in state.items()}


def open_net(weights: Weights, n_classes: int | None = None, *, side_px: int | None = None) -> Net:
    """The network of these weights; with other classes than theirs, under a new head.

    Raises:
        UserError: the weights do not fit, or ask for something that is not allowed.
    """
    entry = weights.entry()
    return build_as(
        weights.architecture,
        entry.n_classes if n_classes is None else n_classes,
        side_px=entry.side_px if side_px is None else side_px,
        create=weights.create,
        fixup=weights.fixup,
        state=read_state(weights.file),
    )


def build_as(
    architecture: str,
    n_classes: int,
    *,
    side_px: int,
    create: Mapping[str, Any],
    fixup: str | None,
    state: State | None = None,
) -> Net:
    """A network as an index of weights describes it; without `state` with fresh weights.

    Raises:
        NotFoundError: the architecture is unknown.
        UserError: the weights do not fit, or something is asked for that is not allowed.
    """
    if not create and not fixup:
        return build(architecture, n_classes, side_px=side_px, state=state)
    bare = timm_name(architecture)
    if bare is None:
        raise UserError(f"Only networks of timm are built with arguments or a fix-up, not '{architecture}'.")
    if refused := set(create) - _CREATE:
        raise UserError(
            f"The weights of '{architecture}' ask for {', '.join(sorted(refused))}; allowed are "
            f"{', '.join(sorted(_CREATE))}. Take it out of {_INDEX}."
        )
    return timm_net(
        bare,
        n_classes=n_classes,
        n_channels=find_net(architecture).n_channels,
        side_px=side_px,
        state=state,
        create=create,
        amend=None if fixup is None else _amendment(fixup),
    )


def _amendment(fixup: str) -> Callable[[nn.Module], None]:
    match = _NO_ACTIVATION.match(fixup)
    if match is None:
        raise UserError(
            f"The fix-up {fixup!r} of these weights is not one that is known here; "
            "known is 'model.blocks[I][J].NAME.act = torch.nn.Identity()'."
        )
    stage, block, name = match.groups()

    def without_activation(module: nn.Module) -> None:
        module.get_submodule(f"blocks.{stage}.{block}.{name}").act = nn.Identity()

    return without_activation
