"""What every network here is: named stages from pictures to features, and a head from features to logits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from winnow.errors import NotFoundError, did_you_mean


class Net(nn.Module):
    """A network as an ordered chain of named stages and a head; it can be cut behind any stage.

    Each stage takes what the one before it gives and hands on one tensor: a map (N, C, H, W), tokens (N, T, D)
    or, at the latest behind the last stage, features (N, dim). Weights lie under `stages.NAME.` and `head.`.

    Attributes:
        stages: name -> module, in order.
        head: features (N, dim) -> logits (N, n_classes).
        dim: features of one picture.
        n_classes: logits of one picture.
    """

    def __init__(self, stages: Mapping[str, nn.Module], head: nn.Module, *, dim: int, n_classes: int) -> None:
        super().__init__()
        self.stages = nn.ModuleDict(stages)
        self.head = head
        self.dim = dim
        self.n_classes = n_classes
        self._n_frozen = 0
        # Some weights never learn (a whitened first layer): to thaw a network is not to thaw them.
        self._fixed = frozenset(name for name, weight in self.named_parameters() if not weight.requires_grad)

    @property
    def stage_names(self) -> tuple[str, ...]:
        """The places where the network can be cut, lowest first."""
        return tuple(self.stages)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, n_classes) of pictures (N, C, H, W), normalised as the net's entry says."""
        return self.head(self.features(x))

    def features(self, x: Tensor, *, at: str | None = None, pooled: bool = True) -> Tensor:
        """What comes out behind the stage `at` (default: the last).

        Args:
            x: pictures (N, C, H, W).
            at: a stage's name.
            pooled: average a map over its positions, so that (N, C, H, W) becomes (N, C); tokens (N, T, D) become
                (N, D). What is a row of features already stays as it is.

        Raises:
            NotFoundError: no stage is called so.
        """
        for stage in self._below(at):
            x = stage(x)
        if pooled and x.ndim == 4:
            return x.mean((2, 3))
        return x.mean(1) if pooled and x.ndim == 3 else x

    def lower(self, at: str) -> nn.Sequential:
        """The stages up to and with `at`, sharing their weights with the network.

        Raises:
            NotFoundError: no stage is called so.
        """
        return nn.Sequential(*self._below(at))

    def upper(self, at: str) -> nn.Sequential:
        """All above the stage `at`, the head included: `upper(at)(lower(at)(x))` is `forward(x)`.

        Raises:
            NotFoundError: no stage is called so.
        """
        return nn.Sequential(*list(self.stages.values())[len(self._below(at)) :], self.head)

    def freeze(self, at: str | None) -> None:
        """Let the stages up to and with `at` learn no more, and the others learn; None lets all learn.

        Frozen stages stay in evaluation mode whatever `train` says: their batch norms keep their statistics, so
        what they give can be computed once and kept.

        Raises:
            NotFoundError: no stage is called so.
        """
        self._n_frozen = 0 if at is None else len(self._below(at))
        frozen = {f"stages.{name}" for name in self.stage_names[: self._n_frozen]}
        for name, weight in self.named_parameters():
            is_below = ".".join(name.split(".")[:2]) in frozen
            weight.requires_grad_(not is_below and name not in self._fixed)
        self.train(self.training)

    def train(self, mode: bool = True) -> Net:
        """Switch to training mode, frozen stages excepted."""
        super().train(mode)
        for name in self.stage_names[: self._n_frozen]:
            self.stages[name].eval()
        return self

    def groups(self) -> list[tuple[str, list[nn.Parameter]]]:
        """The weights that learn, by stage from the lowest to the head: for rates that differ by depth."""
        parts: Iterable[tuple[str, nn.Module]] = [*self.stages.items(), ("head", self.head)]
        learning = [(name, [w for w in part.parameters() if w.requires_grad]) for name, part in parts]
        return [(name, weights) for name, weights in learning if weights]

    def replace_head(self, n_classes: int) -> None:
        """Put a new linear layer over the features, for other classes: zero weights, so all classes start even."""
        head = nn.Linear(self.dim, n_classes, device=self.device)
        nn.init.zeros_(head.weight)
        nn.init.zeros_(head.bias)
        self.head, self.n_classes = head, n_classes

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return next(self.parameters()).device

    def _below(self, at: str | None) -> list[nn.Module]:
        stages = list(self.stages.values())
        if at is None:
            return stages
        if at not in self.stages:
            hint = did_you_mean(at, self.stage_names, otherwise=f"Its stages are {', '.join(self.stage_names)}.")
            raise NotFoundError(f"This network has no stage '{at}' to be cut behind. {hint}")
        return stages[: self.stage_names.index(at) + 1]


def count_parameters(module: nn.Module, *, learning_only: bool = False) -> int:
    """How many numbers a module holds as parameters; with `learning_only`, those that learn."""
    return sum(weight.numel() for weight in module.parameters() if weight.requires_grad or not learning_only)
