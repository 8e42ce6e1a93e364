"""The classic networks are those that others count and build: published figures, and torchvision as the oracle."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
import timm
import torch
import torchvision.models as published
from torch import nn

from winnow.errors import UserError
from winnow.nets.entry import IMAGENET_MEAN, IMAGENET_STD
from winnow.nets.export import Normalise, normalise_for
from winnow.nets.nasnet import _staged as staged_nasnet
from winnow.nets.net import count_parameters
from winnow.nets.registry import all_nets, build, find_net
from winnow.nets.vgg import n_layers


@pytest.mark.parametrize(
    ("name", "millions", "digits"),
    [
        # Simonyan and Zisserman, Table 2, in whole millions (D is 138, E 144).
        ("vgg-a", 133, 0),
        ("vgg-b", 133, 0),
        ("vgg-c", 134, 0),
        ("vgg-d", 138, 0),
        ("vgg-e", 144, 0),
        # Krizhevsky et al. 2012: 60 million parameters (abstract), with two towers.
        ("alexnet-2012", 61.0, 1),
        # torchvision's table of weights.
        ("alexnet", 61.1, 1),
        ("googlenet", 6.6, 1),
        ("resnet-18", 11.7, 1),
        ("resnet-34", 21.8, 1),
        ("resnet-50", 25.6, 1),
        ("resnet-101", 44.5, 1),
        ("resnet-152", 60.2, 1),
        ("densenet-121", 8.0, 1),
        # Zoph et al. 2018, Table 2: NASNet-A (6 @ 4032), 88.9 M; timm's port counts 88.75 M.
        ("nasnet-a-large", 88.8, 1),
        # Jordan 2024: 1.97 M.
        ("fast-small", 1.97, 2),
        # LeCun et al. 1998: 60,000.
        ("lenet-5", 0.06, 5),
    ],
)
def test_parameters_are_as_published(name: str, millions: float, digits: int):
    assert round(find_net(name).n_parameters / 1e6, digits) == millions


def test_vgg_has_11_13_16_16_and_19_layers():
    assert [n_layers(configuration) for configuration in "abcde"] == [11, 13, 16, 16, 19]


def test_vgg_c_is_d_with_three_convolutions_made_1x1():
    with torch.device("meta"):
        of_c, of_d = build("vgg-c"), build("vgg-d")
    sides = [[m.kernel_size[0] for m in net.modules() if isinstance(m, nn.Conv2d)] for net in (of_c, of_d)]
    assert sides[0] == [3] * 6 + [1] + [3] * 2 + [1] + [3] * 2 + [1]
    assert sides[1] == [3] * 13


def test_two_towers_halve_what_conv2_conv4_and_conv5_see():
    with torch.device("meta"):
        net = build("alexnet-2012")
    shapes = [tuple(m.weight.shape) for m in net.modules() if isinstance(m, nn.Conv2d)]
    assert shapes == [(96, 3, 11, 11), (256, 48, 5, 5), (384, 256, 3, 3), (384, 192, 3, 3), (256, 192, 3, 3)]


def googlenet(**_: object) -> nn.Module:
    """torchvision's, as it is without its auxiliary classifiers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return published.googlenet(weights=None, aux_logits=False, init_weights=False)


@pytest.mark.parametrize(
    ("name", "theirs", "side_px"),
    [
        ("resnet-18", published.resnet18, 32),
        ("densenet-121", published.densenet121, 32),
        ("googlenet", googlenet, 32),
    ],
)
def test_with_torchvisions_weights_it_answers_as_torchvision_does(name: str, theirs: Callable[..., nn.Module], side_px):
    torch.manual_seed(0)
    oracle = theirs(weights=None).eval()
    net = build(name, state=oracle.state_dict(), side_px=side_px).eval()
    x = torch.randn(2, 3, side_px, side_px)
    with torch.inference_mode():
        torch.testing.assert_close(net(x), oracle(x), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("alexnet", published.alexnet),
        ("vgg-a", published.vgg11),
        ("vgg-b", published.vgg13),
        ("vgg-d", published.vgg16),
        ("vgg-e", published.vgg19),
        ("resnet-50", published.resnet50),
        ("resnet-152", published.resnet152),
    ],
)
def test_torchvisions_weights_fit_a_big_network_one_by_one(name: str, theirs: Callable[..., nn.Module]):
    with torch.device("meta"):
        build(name, state=theirs(weights=None).state_dict())


@pytest.mark.parametrize("name", [entry.name for entry in all_nets() if entry.hub])
def test_what_timm_publishes_on_the_hub_fits(name: str):
    entry = find_net(name)
    assert entry.hub is not None
    told = timm.get_pretrained_cfg(entry.hub)
    assert told is not None
    assert told.hf_hub_id
    assert told.license == entry.licence.lower()
    with torch.device("meta"):
        net = build(name, state=timm.create_model(entry.hub.split(".")[0]).state_dict())
    assert count_parameters(net) == entry.n_parameters


@pytest.mark.parametrize(
    ("name", "theirs", "last", "side_px"),
    [
        ("alexnet", published.alexnet, "conv5", 64),
        ("vgg-a", published.vgg11, "block5", 32),
        ("vgg-e", published.vgg19, "block5", 32),
    ],
)
def test_the_convolutions_of_a_big_network_are_torchvisions(
    name: str, theirs: Callable[..., nn.Module], last: str, side_px: int
):
    """All but the dense layers, whose many millions of weights would take seconds to draw."""
    with torch.device("meta"):
        oracle = theirs(weights=None).eval()
        net = build(name, state=oracle.state_dict()).eval()
    maps, ours = oracle.get_submodule("features").to_empty(device="cpu"), net.lower(last).to_empty(device="cpu")
    generator = torch.Generator().manual_seed(0)
    for their, our in zip(maps.parameters(), ours.parameters(), strict=True):
        nn.init.uniform_(their, -0.05, 0.05, generator=generator)
        our.data.copy_(their)
    x = torch.randn(1, 3, side_px, side_px)
    with torch.inference_mode():
        torch.testing.assert_close(ours(x), maps(x), rtol=0, atol=0)


def test_nasnets_stages_one_after_the_other_are_timms_own_answer():
    """A narrow member of the family: 1 / 42 of the maps."""
    torch.manual_seed(0)
    oracle = timm.create_model("nasnetalarge", num_features=96, stem_size=8, num_classes=5).eval()
    x = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        expected = oracle(x)
        torch.testing.assert_close(staged_nasnet(oracle)(x), expected, rtol=0, atol=0)


def test_published_weights_for_other_classes_keep_their_features_under_a_new_head():
    torch.manual_seed(0)
    oracle = published.resnet18(weights=None).eval()
    net = build("resnet-18", 4, state=oracle.state_dict()).eval()
    oracle.fc = nn.Identity()
    x = torch.randn(2, 3, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(net.features(x), oracle(x), rtol=0, atol=0)
        assert net(x).shape == (2, 4)


def test_googlenet_takes_pictures_as_its_published_weights_do():
    """With them torchvision turns pictures that are normalised as ImageNet's into -1..1 before the first layer."""
    torch.manual_seed(0)
    oracle = googlenet()
    oracle.transform_input = True  # pyright: ignore[reportAttributeAccessIssue]  # as torchvision sets it for its weights
    pixels = torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8)
    seen = oracle._transform_input(Normalise(IMAGENET_MEAN, IMAGENET_STD)(pixels))  # pyright: ignore[reportCallIssue]
    torch.testing.assert_close(normalise_for(find_net("googlenet"))(pixels), seen, rtol=0, atol=1e-5)


def test_weights_of_another_network_are_refused_with_what_does_not_fit():
    with torch.device("meta"):
        state = published.resnet34(weights=None).state_dict()
        with pytest.raises(
            UserError, match=r"do not fit the network: \d+ unknown \(such as layer1\.2\.conv1\.weight\)"
        ):
            build("resnet-18", state=state)
        with pytest.raises(UserError, match="do not fit the network"):
            build("vgg-a", state=state)
