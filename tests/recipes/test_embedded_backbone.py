"""The embedded backbone's recipe: what is kept when channels are taken out, and where the teacher comes from."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Generator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

RECIPE = Path(__file__).parents[2] / "recipes" / "embedded_backbone"
PARTS = ("distil", "package", "pictures", "prune", "teacher")


@pytest.fixture(scope="module")
def prune() -> Generator[ModuleType]:
    """The recipe's file of that name, which finds its neighbours as it does when it runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(RECIPE))
        import prune

        yield prune
        for name in PARTS:
            sys.modules.pop(name, None)


def least_squares_loss(x: torch.Tensor, y: torch.Tensor, columns: tuple[int, ...]) -> float:
    """The share of y's variance that an affine map of these columns leaves, by NumPy."""
    chosen = np.c_[x[:, list(columns)].numpy(), np.ones(len(x))].astype(np.float64)
    left = y.numpy() - chosen @ np.linalg.lstsq(chosen, y.numpy().astype(np.float64), rcond=None)[0]
    return float(left.var(axis=0).sum() / y.numpy().var(axis=0).sum())


def test_what_is_kept_is_refitted_by_least_squares(prune: ModuleType):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(200, 9, generator=generator) + 3
    y = x @ torch.randn(9, 4, generator=generator) + 0.1 * torch.randn(200, 4, generator=generator)
    fitted = prune.keep_best(x, y, 5)
    kept = tuple(fitted.kept.tolist())
    assert fitted.lost == pytest.approx(least_squares_loss(x, y, kept), abs=2e-3)
    left = y - (x[:, kept] @ fitted.weight + fitted.bias)
    assert float(left.var(0, correction=0).sum() / y.var(0, correction=0).sum()) == pytest.approx(fitted.lost, abs=2e-3)


def test_a_channel_that_repeats_another_goes_first(prune: ModuleType):
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(300, 4, generator=generator)
    x = torch.cat([x, x[:, :1] + 1e-3 * torch.randn(300, 1, generator=generator)], 1)
    y = x[:, :4] @ torch.randn(4, 3, generator=generator)
    kept = set(prune.keep_best(x, y, 4).kept.tolist())
    assert {1, 2, 3} < kept


def test_taking_one_out_costs_what_the_best_choice_costs(prune: ModuleType):
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(200, 6, generator=generator) @ torch.randn(6, 6, generator=generator)
    y = x @ torch.randn(6, 3, generator=generator)
    best = min(itertools.combinations(range(6), 5), key=lambda columns: least_squares_loss(x, y, columns))
    assert tuple(prune.keep_best(x, y, 5).kept.tolist()) == best


def test_the_teacher_of_our_own_blocks_is_the_published_one(prune: ModuleType, test_data: Path):
    from teacher import load_teacher  # pyright: ignore[reportMissingImports]  # beside `prune`

    from winnow.nets.weights import read_state

    teacher = load_teacher(test_data / "weights")
    timm = pytest.importorskip("timm")
    published = timm.create_model("mobilenet_edgetpu_100", pretrained=False, pad_type="same")
    published.blocks[0][0].bn1.act = torch.nn.Identity()
    weights = next((test_data / "weights").glob("mobilenet_edgetpu_100*.safetensors"))
    published.load_state_dict({name: value.float() for name, value in read_state(weights).items()})
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.inference_mode():
        published.eval()
        assert torch.allclose(teacher(x), published(x), atol=1e-3)
