"""A convolutional denoising autoencoder over a network's stages: what they learn needs no labels.

A decoder rebuilds whole pictures from what the encoder makes of damaged ones. The encoder *is* the lower part of a
network: once this has learned, the network holds the learned weights, to be frozen under a classifier or tuned on.

Source: Vincent, Larochelle, Bengio, Manzagol, Extracting and Composing Robust Features with Denoising Autoencoders,
ICML 2008, section 2; Masci, Meier, Ciresan, Schmidhuber, Stacked Convolutional Auto-Encoders for Hierarchical Feature
Extraction, ICANN 2011. Masci's decoder has the encoder's kernels transposed; ours has its own, so that any encoder
fits, and all stages learn at once.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from winnow.errors import UserError
from winnow.nets.net import Net


class Up(nn.Module):
    """Nearest neighbours up to a given size, then a 3x3 convolution, batch norm and GELU."""

    def __init__(self, n_below: int, n_maps: int, size: tuple[int, int]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(n_below, n_maps, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(n_maps)
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """(N, below, h, w) -> (N, maps, *size)."""
        return F.gelu(self.norm(self.conv(F.interpolate(x, size=self.size, mode="nearest"))))


class DenoisingAutoencoder(nn.Module):
    """An encoder, shared with a network, and a decoder of its own.

    Attributes:
        encoder: the network's stages up to the last that gives maps.
        decoder: maps -> pictures.
        code: the stage behind which the picture is a code; a classifier may be put there, or the network tuned on.
    """

    def __init__(self, net: Net, *, n_channels: int, side_px: int) -> None:
        """Put a decoder on a network.

        Args:
            net: of pictures with `n_channels` and `side_px`, one of whose stages gives maps.

        Raises:
            UserError: no stage of the network gives maps.
        """
        super().__init__()
        shapes = _map_shapes(net, n_channels, side_px)
        if not shapes:
            raise UserError(
                "An autoencoder needs a network whose stages give maps; "
                f"here {', '.join(net.stage_names)} give rows of features. Take a convolutional network."
            )
        self.code = list(shapes)[-1]
        self.encoder = net.lower(self.code)
        n_lowest = next(iter(shapes.values()))[0]
        # The last step up keeps the lowest stage's maps: a picture's three channels would be too narrow to norm.
        upwards = [*reversed(shapes.values()), (n_lowest, side_px, side_px)]
        steps = [Up(below[0], above[0], above[1:]) for below, above in pairwise(upwards)]
        self.decoder = nn.Sequential(*steps, nn.Conv2d(n_lowest, n_channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Pictures rebuilt from (damaged) pictures, both (N, C, side, side)."""
        return self.decoder(self.encoder(x))


def _map_shapes(net: Net, n_channels: int, side_px: int) -> dict[str, tuple[int, int, int]]:
    """Maps, height and width behind each stage, up to the last that gives maps."""
    x = torch.zeros(1, n_channels, side_px, side_px, device=net.device)
    shapes: dict[str, tuple[int, int, int]] = {}
    was_training = net.training
    net.eval()  # one blank picture must not enter the norms' statistics
    with torch.no_grad():
        for name, stage in net.stages.items():
            x = stage(x)
            if x.ndim != 4:
                break
            shapes[name] = (x.shape[1], x.shape[2], x.shape[3])
    net.train(was_training)
    return shapes


def damage(x: Tensor, share: float, generator: torch.Generator | None = None) -> Tensor:
    """Pictures with a share of their pixels set to 0, the mean of normalised pictures; all channels of a pixel alike.

    Args:
        x: (N, C, H, W).
        share: of pixels lost, in [0, 1); 0.25 is a good start (Vincent et al. tried 0 to 0.5).
        generator: on the device of `x`; by default torch's own, which a training loop seeds before each step.

    Raises:
        UserError: the share is not in [0, 1).

    Source: Vincent et al. 2008, section 2.3 (masking noise).
    """
    if not 0 <= share < 1:
        raise UserError(f"{share} is not a share of pixels that may be lost: take 0 or more, and less than 1.")
    kept = torch.rand((len(x), 1, *x.shape[2:]), generator=generator, device=x.device) >= share
    return x * kept


def reconstruction_loss(rebuilt: Tensor, whole: Tensor) -> Tensor:
    """The mean squared difference from the undamaged pictures, a number; 1 for rebuilding all as 0 where pictures are
    normalised to variance 1."""
    return F.mse_loss(rebuilt, whole)
