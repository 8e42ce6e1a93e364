"""Published weights from a folder: found, read safely, fitted, and never fetched without permission."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
import timm
import torch
from huggingface_hub import constants
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors.torch import save_file
from torch import Tensor, nn

from winnow.errors import NotFoundError, UserError
from winnow.nets.weights import find_weights, hub_state, list_weights, open_net, read_state

NAME = "test_efficientnet.mine"


def write_folder(folder: Path, state: Mapping[str, Tensor], **facts: Any) -> Path:
    """A folder of weights with one entry."""
    index = {
        NAME: {
            "architecture": "test_efficientnet",
            "mean": [0.5, 0.5, 0.5],
            "std": [0.25, 0.25, 0.25],
            "licence": "Apache-2.0",
            "source": "drawn at random",
        }
        | facts
    }
    (folder / "index.json").write_text(json.dumps(index))
    save_file(dict(state), folder / f"{NAME}.fp16.safetensors")
    return folder


@pytest.fixture
def module() -> nn.Module:
    """The tiny network whose weights the folders hold."""
    torch.manual_seed(0)
    return timm.create_model("test_efficientnet", num_classes=6).eval()


def test_a_folders_weights_answer_as_the_network_that_they_came_from(module: nn.Module, tmp_path: Path):
    module = module.half().float()  # the file holds half precision
    half = {
        name: weight.half() if weight.is_floating_point() else weight for name, weight in module.state_dict().items()
    }
    weights = find_weights(write_folder(tmp_path, half, num_classes=6, input_size=[3, 64, 64]))
    assert (weights.name, weights.licence) == (NAME, "Apache-2.0")
    assert (weights.entry().std, weights.entry().side_px) == ((0.25, 0.25, 0.25), 64)
    x = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        net = open_net(weights).eval()
        torch.testing.assert_close(net(x), module(x), rtol=0, atol=0)


def test_a_fixup_is_read_and_not_executed(module: nn.Module, tmp_path: Path):
    fixup = "model.blocks[0][0].bn1.act = torch.nn.Identity()"
    net = open_net(find_weights(write_folder(tmp_path, module.state_dict(), fixup=fixup)), 6).eval()
    module.blocks[0][0].bn1.act = nn.Identity()  # pyright: ignore
    x = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(net(x), module(x), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"fixup": "__import__('os').system('true')"}, "is not one that is known here"),
        ({"create_kwargs": {"checkpoint_path": "/tmp/evil.pth"}}, "ask for checkpoint_path; allowed are"),
        ({"architecture": "resnet18"}, "weights do not fit the network"),
    ],
)
def test_what_a_folder_may_not_ask_for_is_refused(module: nn.Module, tmp_path: Path, facts: dict[str, Any], said: str):
    with pytest.raises(UserError, match=said):
        open_net(find_weights(write_folder(tmp_path, module.state_dict(), **facts)), 6)


def test_an_architecture_that_is_a_place_on_the_network_is_no_architecture(module: nn.Module, tmp_path: Path):
    folder = write_folder(tmp_path, module.state_dict(), architecture="hf-hub:someone/something")
    with pytest.raises(NotFoundError, match="No network is called 'hf-hub:someone/something'"):
        open_net(find_weights(folder))


def test_a_folder_without_an_index_or_with_a_broken_one_is_said(tmp_path: Path):
    with pytest.raises(NotFoundError, match=r"No index\.json lies in"):
        list_weights(tmp_path)
    (tmp_path / "index.json").write_text('{"a": {"architecture": "resnet18"}}')
    (tmp_path / "a.safetensors").write_bytes(b"")
    with pytest.raises(UserError, match=r"is not an index of weights \(KeyError\('mean'\)\)"):
        list_weights(tmp_path)


def test_a_name_without_a_file_is_not_at_hand(module: nn.Module, tmp_path: Path):
    folder = write_folder(tmp_path, module.state_dict())
    with pytest.raises(NotFoundError, match=rf"no entry 'test_eficientnet'.*Did you mean|It has: {NAME}"):
        find_weights(folder, "test_eficientnet")
    (folder / f"{NAME}.fp16.safetensors").unlink()
    assert list_weights(folder) == []


def test_a_file_cut_short_is_said(module: nn.Module, tmp_path: Path):
    file = write_folder(tmp_path, module.state_dict()) / f"{NAME}.fp16.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(UserError, match="cannot be read as safetensors"):
        read_state(file)
    with pytest.raises(NotFoundError, match="There is no file"):
        read_state(tmp_path / "nothing.safetensors")


def test_the_teachers_weights_are_a_net_that_can_be_cut(test_data: Path):
    weights = find_weights(test_data / "weights")
    net = open_net(weights)
    assert (net.n_classes, net.dim) == (1000, 1280)
    assert net.stage_names[0] == "stem"
    assert open_net(weights, 2).n_classes == 2


class Hub:
    """Stands for the hub's client: what it was asked, and whether the switch was off meanwhile."""

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self.asked: list[tuple[str, str, bool, bool]] = []

    def __call__(self, repository: str, filename: str, *, local_files_only: bool) -> str:
        self.asked.append((repository, filename, local_files_only, constants.HF_HUB_OFFLINE))
        if self.file is None:
            raise LocalEntryNotFoundError("not here")
        return str(self.file)


def test_without_permission_the_network_is_not_asked(monkeypatch: pytest.MonkeyPatch):
    hub = Hub(None)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", hub)
    with pytest.raises(NotFoundError, match=r"not on this disk, and the network may not be used: allow it, or give"):
        hub_state("resnet-18")
    assert hub.asked == [("timm/resnet18.tv_in1k", "model.safetensors", True, True)]


def test_with_permission_one_file_of_safetensors_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, module: nn.Module, tmp_path: Path
):
    save_file(module.state_dict(), tmp_path / "model.safetensors")
    hub, before = Hub(tmp_path / "model.safetensors"), constants.HF_HUB_OFFLINE
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", hub)
    assert set(hub_state("test_efficientnet", allow_network=True)) == set(module.state_dict())
    assert hub.asked == [("timm/test_efficientnet.r160_in1k", "model.safetensors", False, False)]
    assert before == constants.HF_HUB_OFFLINE


def test_what_is_published_as_a_pickle_only_is_refused():
    with pytest.raises(NotFoundError, match="No weights of 'alexnet' are published in a form that is safe to open"):
        hub_state("alexnet", allow_network=True)
