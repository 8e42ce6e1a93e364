"""Two pictures in one, and the targets to match: mixup and CutMix; soft targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from winnow.train.augment.colour import inside


def soft_targets(labels: Tensor, n_classes: int, smoothing: float = 0.0) -> Tensor:
    """(N,) class ids as (N, C) probabilities: 1 - smoothing for the class, and the rest spread over all C.

    Source: Szegedy et al., Rethinking the Inception Architecture, CVPR 2016, section 7.
    """
    hot = F.one_hot(labels, n_classes).float()
    return hot if not smoothing else hot * (1 - smoothing) + smoothing / n_classes


@dataclass(frozen=True, slots=True)
class Mix:
    """How each picture of a batch is mixed with another of the same batch.

    Attributes:
        partners: (N,) int64 which other; each picture is the partner of one.
        own: (N,) how much of the mixture is the picture itself, in [0, 1].
        boxes: (N, 4) int64 where the partner is pasted (top, left, bottom, right); None: the two are blended.
    """

    partners: NDArray[np.int64]
    own: NDArray[np.float32]
    boxes: NDArray[np.int64] | None


def draw_mix(n: int, side_px: int, mixup_alpha: float, cutmix_alpha: float, chance: np.random.Generator) -> Mix | None:
    """How a batch is mixed: by mixup or CutMix, whichever has an alpha above 0; if both, either half the time.

    Shares are drawn from Beta(alpha, alpha), for each picture by itself.

    Sources: Zhang et al., mixup, ICLR 2018; Yun et al., CutMix, ICCV 2019, whose boxes have the partner's share of the
    area around a uniform centre, and whose share is that of the box after it was cut off at the edges.
    """
    if mixup_alpha <= 0 and cutmix_alpha <= 0:
        return None
    is_cutmix = cutmix_alpha > 0 and (mixup_alpha <= 0 or chance.random() < 0.5)
    alpha = cutmix_alpha if is_cutmix else mixup_alpha
    partners = chance.permutation(n)
    own = chance.beta(alpha, alpha, n)
    if not is_cutmix:
        return Mix(partners, own.astype(np.float32), None)
    half = side_px * np.sqrt(1 - own)[:, None] / 2
    centres = chance.integers(0, side_px, (n, 2))
    start = np.clip(np.rint(centres - half), 0, side_px).astype(np.int64)
    end = np.clip(np.rint(centres + half), 0, side_px).astype(np.int64)
    area = (end - start).prod(1) / side_px**2
    return Mix(partners, (1 - area).astype(np.float32), np.concatenate([start, end], 1))


def mix_pictures(x: Tensor, partners: Tensor, own: Tensor, boxes: Tensor | None) -> Tensor:
    """(N, C, H, W) pictures and their partners as one."""
    if boxes is None:
        return torch.lerp(partners, x, own[:, None, None, None].to(x.dtype))
    return torch.where(inside(boxes, x.shape[2], x.shape[3])[:, None], partners, x)


def mix_targets(
    targets: tuple[Tensor, Tensor], weights: tuple[Tensor, Tensor] | None, own: Tensor
) -> tuple[Tensor, Tensor | None]:
    """Targets (N, C) and weights (N,) of the mixture, from the pictures' own and their partners'.

    With weights, the mixture's loss is what both pictures' losses, weighted, would be: a loss is linear in the target.
    """
    mine, theirs = targets
    if weights is None:
        return torch.lerp(theirs, mine, own[:, None]), None
    both = torch.lerp(weights[1], weights[0], own)
    share = torch.where(both > 0, own * weights[0] / both, own)
    return torch.lerp(theirs, mine, share[:, None]), both
