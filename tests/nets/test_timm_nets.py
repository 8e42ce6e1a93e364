"""Any network of timm: its stages one after the other are the network itself."""

from __future__ import annotations

import pytest
import timm
import torch

from winnow.errors import NotFoundError
from winnow.nets.net import count_parameters
from winnow.nets.registry import build, find_net
from winnow.nets.timm_nets import timm_name, timm_net


@pytest.mark.parametrize(
    ("name", "side_px", "first", "n_stages"),
    [
        ("test_efficientnet", 64, "stem", 8),
        ("mobilenetv3_small_050", 64, "stem", 9),
        ("test_resnet", 64, "stem", 6),
        ("regnetx_002", 64, "stem", 7),
        ("test_convnext", 64, "stem", 6),
        ("test_vit", 160, "patches", 8),
        ("test_byobnet", 64, "trunk", 1),
        ("test_maxvit", 160, "trunk", 1),
    ],
)
def test_its_stages_one_after_the_other_are_timms_own_answer(name: str, side_px: int, first: str, n_stages: int):
    torch.manual_seed(0)
    sized = {"img_size": side_px} if timm.get_pretrained_cfg(name).fixed_input_size else {}
    oracle = timm.create_model(name, num_classes=5, **sized).eval()
    net = timm_net(name, n_classes=5, side_px=side_px, state=oracle.state_dict()).eval()
    assert (net.stage_names[0], len(net.stages)) == (first, n_stages)
    assert count_parameters(net) == count_parameters(oracle)
    x = torch.randn(2, 3, side_px, side_px)
    with torch.inference_mode():
        torch.testing.assert_close(net(x), oracle(x), rtol=0, atol=0)
        torch.testing.assert_close(net.features(x), oracle.forward_head(oracle.forward_features(x), pre_logits=True))


def test_a_network_of_timm_is_found_bare_or_with_its_prefix():
    for name in ("timm:test_resnet", "test_resnet"):
        entry = find_net(name)
        assert entry.name == "timm:test_resnet"
        assert build(name, 3)(torch.zeros(1, 3, 64, 64)).shape == (1, 3)


def test_its_entry_says_what_timm_says():
    entry = find_net("timm:test_vit.r160_in1k")
    assert (entry.side_px, entry.dim, entry.n_classes) == (160, 64, 1000)
    assert entry.stages[:2] == ("patches", "block1")
    assert entry.licence == "apache-2.0"
    assert entry.n_parameters == sum(w.numel() for w in timm.create_model("test_vit").parameters())


def test_names_that_would_reach_for_a_hub_or_a_disk_are_no_names():
    assert timm_name("hf-hub:timm/resnet18") is None
    assert timm_name("local-dir:/tmp") is None
    assert timm_name("timm:resnet18") == "resnet18"


def test_a_mistyped_name_gets_a_hint():
    with pytest.raises(NotFoundError, match=r"timm knows no network 'resnet1888'\. Did you mean .*resnet18"):
        find_net("timm:resnet1888")


def test_other_classes_than_those_of_the_weights_get_a_new_head():
    state = timm.create_model("test_resnet").state_dict()
    net = timm_net("test_resnet", n_classes=3, state=state)
    assert net(torch.randn(2, 3, 64, 64)).abs().max() == 0
