"""Published weights from a folder: found, read safely and fitted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file
from timm.models import save_for_hf
from torch import Tensor, nn

from winnow.errors import NotFoundError, UserError
from winnow.nets.weights import find_weights, list_weights, open_net, read_state

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


def test_a_model_of_timms_copied_from_the_hub_is_a_folder_of_weights(tmp_path: Path):
    oracle = timm.create_model("test_efficientnet.r160_in1k", num_classes=6).eval()
    save_for_hf(oracle, tmp_path, safe_serialization=True)
    weights = find_weights(tmp_path)
    assert (weights.name, weights.licence, weights.side_px) == ("test_efficientnet.r160_in1k", "apache-2.0", 160)
    x = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(open_net(weights).eval()(x), oracle(x), rtol=0, atol=0)


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
    sizes = '"mean": [0], "std": [1], "licence": "MIT", "source": "here", "input_size": []'
    (tmp_path / "index.json").write_text(f'{{"a": {{"architecture": "resnet18", {sizes}}}}}')
    with pytest.raises(UserError, match="is not an index of weights"):
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
    with pytest.raises(UserError, match=r"safetensors that can be opened: its header should have.*E_MODEL_FORMAT"):
        read_state(file)
    file.write_bytes(b"")
    with pytest.raises(UserError, match="is empty; get the file again"):
        read_state(file)
    with pytest.raises(NotFoundError, match="There is no file"):
        read_state(tmp_path / "nothing.safetensors")


def test_the_teachers_weights_are_a_net_that_can_be_cut(test_data: Path):
    weights = find_weights(test_data / "weights")
    net = open_net(weights)
    assert (net.n_classes, net.dim) == (1000, 1280)
    assert net.stage_names[0] == "stem"
    assert open_net(weights, 2).n_classes == 2
