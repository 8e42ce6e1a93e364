"""Weights from the hub: one file, only with permission."""

from __future__ import annotations

from pathlib import Path

import huggingface_hub
import pytest
import timm
from huggingface_hub import constants
from huggingface_hub.errors import LocalEntryNotFoundError
from safetensors.torch import save_file

from winnow.errors import NotFoundError
from winnow.nets.hub import hub_weights
from winnow.nets.weights import open_net


class Hub:
    """Stands for the hub's client: what it was asked, and whether the switch was off meanwhile."""

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self.cache: Path | None = None
        self.asked: list[tuple[str, str, bool, bool]] = []

    def __call__(
        self, repository: str, filename: str, *, cache_dir: Path | None, endpoint: str, local_files_only: bool
    ) -> str:
        assert endpoint == constants.ENDPOINT
        self.asked.append((repository, filename, local_files_only, constants.HF_HUB_OFFLINE))
        self.cache = cache_dir
        if self.file is None:
            raise LocalEntryNotFoundError("not here")
        return str(self.file)


def test_without_permission_the_network_is_not_asked(monkeypatch: pytest.MonkeyPatch):
    hub = Hub(None)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", hub)
    with pytest.raises(
        NotFoundError,
        match=r"not on this disk, and the network is used only if you allow it: give --download, or --weights FOLDER",
    ):
        hub_weights("resnet-18")
    assert hub.asked == [("timm/resnet18.tv_in1k", "model.safetensors", True, True)]


def test_where_nobody_answers_the_client_is_not_left_to_try_for_half_a_minute(monkeypatch: pytest.MonkeyPatch):
    hub = Hub(None)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", hub)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("winnow.nets.hub.getproxies", dict)
    with pytest.raises(NotFoundError, match="could not be fetched"):
        hub_weights("resnet-18", allow_network=True)
    assert hub.asked == [("timm/resnet18.tv_in1k", "model.safetensors", True, True)]


def test_with_permission_one_file_of_safetensors_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr("winnow.nets.hub._answers", lambda _: True)
    state = timm.create_model("test_efficientnet").state_dict()
    save_file(state, tmp_path / "model.safetensors")
    hub, before = Hub(tmp_path / "model.safetensors"), constants.HF_HUB_OFFLINE
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", hub)
    weights = hub_weights("test_efficientnet", allow_network=True, cache=tmp_path)
    assert open_net(weights).head.weight.equal(state["classifier.weight"])
    assert weights.source == "huggingface.co/timm/test_efficientnet.r160_in1k"
    assert hub.cache == tmp_path
    assert hub.asked == [("timm/test_efficientnet.r160_in1k", "model.safetensors", False, False)]
    assert before == constants.HF_HUB_OFFLINE


def test_what_is_published_as_a_pickle_only_is_refused():
    with pytest.raises(NotFoundError, match="No weights of 'alexnet' are published in a form that is safe to open"):
        hub_weights("alexnet", allow_network=True)
