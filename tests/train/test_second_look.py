"""The sure ones keep their first answer; the unsure ones get what six views say together."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from winnow.train.second_look import look_again_where_unsure

X = torch.randn(12, 3, 8, 8, generator=torch.Generator().manual_seed(0))


class Counting:
    """A small network that counts the pictures it is shown."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)).eval()
        self.shown = 0

    def __call__(self, x: Tensor) -> Tensor:
        self.shown += len(x)
        return self.net(x) * 4


def as_published(net, x: Tensor) -> Tensor:
    """`infer_mirror_translate` of airbench94.py (Jordan 2024), for any size."""

    def mirror(x: Tensor) -> Tensor:
        return 0.5 * net(x) + 0.5 * net(x.flip(-1))

    side = x.shape[-1]
    padded = F.pad(x, (1, 1, 1, 1), "reflect")
    moved = torch.stack([mirror(padded[:, :, :side, :side]), mirror(padded[:, :, 2:, 2:])]).mean(0)
    return 0.5 * mirror(x) + 0.5 * moved


def test_where_nothing_is_sure_it_is_the_published_evaluation():
    net = Counting()
    looked = look_again_where_unsure(net, X, sure_from=1.0, flip=True)
    assert net.shown == 6 * len(X)
    assert looked.is_second.all()
    assert torch.allclose(looked.logits, as_published(net, X), atol=1e-5)


def test_only_the_unsure_cost_more_and_change():
    net = Counting()
    first = net(X)
    sure = first.softmax(1).amax(1)
    threshold = float(sure.detach().median())
    net.shown = 0
    looked = look_again_where_unsure(net, X, sure_from=threshold, flip=True)
    assert torch.equal(looked.is_second, sure < threshold)
    assert 0 < looked.is_second.sum() < len(X)
    assert net.shown == len(X) + 5 * int(looked.is_second.sum())
    assert torch.equal(looked.logits[~looked.is_second], first[~looked.is_second])
    expected = as_published(net, X[looked.is_second])
    assert torch.allclose(looked.logits[looked.is_second], expected, atol=1e-5)


@pytest.mark.parametrize("flip", [True, False])
def test_the_views_weigh_one_together(flip):
    looked = look_again_where_unsure(lambda x: torch.ones(len(x), 2), X, sure_from=1.0, flip=flip)
    assert torch.allclose(looked.logits, torch.ones(len(X), 2))


def test_what_must_not_be_mirrored_is_not():
    corner = torch.zeros(1, 1, 8, 8)
    corner[..., :4] = 1.0  # bright on the left

    def seen(x: Tensor) -> Tensor:
        assert (x[..., 1] > x[..., 6]).all()
        return torch.zeros(len(x), 2)

    look_again_where_unsure(seen, corner, sure_from=1.0, flip=False)


def test_with_all_sure_there_is_one_look():
    net = Counting()
    looked = look_again_where_unsure(net, X, sure_from=0.0, flip=True)
    assert net.shown == len(X)
    assert not looked.is_second.any()
