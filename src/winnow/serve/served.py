"""What a server serves: models, their versions, and which share of the questions each version gets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from winnow.data.inputs import InputSpec
from winnow.errors import NotFoundError, UserError, did_you_mean

Kind = Literal["pictures", "tensors"]


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input or output of a graph.

    Attributes:
        dtype: NumPy's name, such as "float32".
        shape: None where any length fits.
    """

    name: str
    dtype: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Served:
    """One version of one model, as the server knows it; its graph is opened by the workers alone.

    Attributes:
        name: how questions name it; fits in an address.
        version: such as "2"; of a model outside a workspace, the first letters of its digest.
        path: the model's folder, or the ONNX file of a graph that was made elsewhere.
        digest: sha256 of its graph, hex.
        kind: a model of Winnow's takes pictures; a graph made elsewhere takes tensors.
        task: "classify" or "multilabel"; "" for a graph made elsewhere.
        classes: in the order of its probabilities; empty for a graph made elsewhere.
        thresholds: from which probability on each class is answered, for "multilabel".
        sure_from: from which probability on an answer may be called sure (`Model.sure_from`).
        input_spec: what its graph wants to see of a picture.
        inputs: of its graph.
        outputs: of its graph.
    """

    name: str
    version: str
    path: Path
    digest: str
    kind: Kind
    task: str = ""
    classes: tuple[str, ...] = ()
    thresholds: tuple[float, ...] | None = None
    sure_from: float | None = None
    input_spec: InputSpec | None = None
    inputs: tuple[Tensor, ...] = ()
    outputs: tuple[Tensor, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """The same for what is served in the same way: name, version and graph."""
        return self.name, self.version, self.digest

    @property
    def full_name(self) -> str:
        """Such as "clouds@2"."""
        return f"{self.name}@{self.version}"


def values_of(served: Served) -> dict[str, Any]:
    """As plain values, what a worker has to know to open it and to word its answers."""
    return {
        "name": served.name,
        "version": served.version,
        "path": str(served.path.absolute()),
        "digest": served.digest,
        "kind": served.kind,
        "task": served.task,
        "classes": served.classes,
        "thresholds": served.thresholds,
        "sure_from": served.sure_from,
    }


def served_of(values: dict[str, Any]) -> Served:
    """Back from `values_of`, once they were JSON."""
    values = dict(values, path=Path(values["path"]), classes=tuple(values["classes"]))
    if values["thresholds"] is not None:
        values["thresholds"] = tuple(values["thresholds"])
    return Served(**values)


@dataclass(frozen=True, slots=True)
class Share:
    """A version and the share of its model's questions that it gets, in [0, 1]; 0: only questions that name it."""

    served: Served
    share: float


class Lineup:
    """All that is served at one moment; never changed, only replaced as a whole.

    Args:
        shares: the versions of each model; the shares of one name add up to 1.

    Raises:
        UserError: nothing is served, a version is there twice, or shares do not add up.
    """

    def __init__(self, shares: Sequence[Share]) -> None:
        self._models: dict[str, tuple[Share, ...]] = {}
        for share in shares:
            there = self._models.get(share.served.name, ())
            if any(one.served.version == share.served.version for one in there):
                raise UserError(f"{share.served.full_name} is named twice; each version is served once.")
            self._models[share.served.name] = (*there, share)
        if not self._models:
            raise UserError("Nothing is served: name a model, such as: winnow serve clouds")
        for name, versions in self._models.items():
            if any(not 0 <= one.share <= 1 for one in versions) or abs(sum(one.share for one in versions) - 1) > 1e-9:
                raise UserError(f"The shares of '{name}' must be between 0 and 1 and add up to 1.")

    def __iter__(self) -> Iterator[Share]:
        return (share for versions in self._models.values() for share in versions)

    @property
    def names(self) -> tuple[str, ...]:
        """The models, in the order given; the first answers questions that name none."""
        return tuple(self._models)

    def versions(self, name: str) -> tuple[Share, ...]:
        """The versions of a model.

        Raises:
            NotFoundError: it is not served; says what is.
        """
        if name not in self._models:
            hint = did_you_mean(name, self._models, otherwise=f"There is {', '.join(self._models)}.")
            raise NotFoundError(f"No model called '{name}' is served here. {hint}")
        return self._models[name]

    def choose(self, name: str | None, version: str | None, key: bytes) -> Served:
        """Who answers a question.

        Args:
            name: None: the first model.
            version: None: by share.
            key: a hash of the question: the same question goes to the same version for as long as the shares stay.

        Raises:
            NotFoundError: there is no such model or version.
        """
        versions = self.versions(self.names[0] if name is None else name)
        if version is not None:
            for one in versions:
                if one.served.version == version:
                    return one.served
            there = ", ".join(one.served.full_name for one in versions)
            raise NotFoundError(f"There is no version {version} of '{name or self.names[0]}' here; there is {there}.")
        place = int.from_bytes(key[:8], "big") / 2**64
        *others, chosen = [one for one in versions if one.share > 0]
        for one in reversed(others):
            place -= one.share
            if place < 0:
                return one.served
        return chosen.served
