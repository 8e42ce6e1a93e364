"""Any network that timm knows, as a net with stages.

Where timm runs a family's parts one after the other, each part is a stage; a network of another family is one stage,
"trunk", and can be cut behind it only.

Source: Wightman, PyTorch Image Models, github.com/huggingface/pytorch-image-models.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import timm
import torch
from timm.layers.pool1d import global_pool_nlc
from timm.models import convnext, efficientnet, mobilenetv3, regnet, vision_transformer
from timm.models import resnet as timm_resnet
from torch import Tensor, nn

from winnow.errors import NotFoundError, UserError, did_you_mean
from winnow.nets.entry import NetEntry, State
from winnow.nets.net import Net, count_parameters
from winnow.nets.published import load_published

PREFIX = "timm:"

Staging = Callable[[Any], dict[str, nn.Module]]


def timm_name(name: str) -> str | None:
    """The name as timm has it, without our prefix; None where timm does not know it."""
    bare = name.removeprefix(PREFIX)
    # What holds a colon or a slash would be looked for on a hub or a disk.
    return bare if not set(bare) & set(":/\\") and timm.is_model(bare) else None


def timm_entry(name: str) -> NetEntry:
    """What is known of a network of timm, found out by building it without memory.

    Raises:
        NotFoundError: timm does not know the name; the sentence names the nearest.
    """
    bare = timm_name(name)
    if bare is None:
        near = did_you_mean(name.removeprefix(PREFIX), timm.list_models(), otherwise="timm.list_models() lists all.")
        raise NotFoundError(f"timm knows no network '{name.removeprefix(PREFIX)}'. {near}")
    published = timm.get_pretrained_cfg(bare) or timm.models.PretrainedCfg(license="no published weights")
    n_channels, side_px, _ = published.input_size
    n_classes = published.num_classes or 1000
    with torch.device("meta"):
        net = timm_net(bare, n_classes=n_classes, n_channels=n_channels, side_px=side_px)
    return NetEntry(
        name=PREFIX + bare,
        title=bare,
        year=None,
        paper=_paper(published),
        n_parameters=count_parameters(net),
        stages=net.stage_names,
        dim=net.dim,
        make=partial(timm_net, bare),
        side_px=side_px,
        smallest_side_px=side_px if published.fixed_input_size else 32,
        n_channels=n_channels,
        n_classes=n_classes,
        mean=tuple(published.mean),
        std=tuple(published.std),
        hub=bare if published.hf_hub_id else None,
        licence=(published.license or "unknown: see its page") if published.hf_hub_id else "no published weights",
    )


def _paper(published: Any) -> str:
    return str(published.paper_name or published.paper_ids or "named in timm's documentation")


def timm_net(
    name: str,
    *,
    n_classes: int,
    n_channels: int = 3,
    side_px: int = 224,
    state: State | None = None,
    create: Mapping[str, Any] | None = None,
    amend: Callable[[nn.Module], None] | None = None,
) -> Net:
    """A network of timm.

    Args:
        name: as `timm.create_model` takes it.
        state: weights under timm's names.
        create: further arguments of `timm.create_model`.
        amend: changes the module before it is cut into stages.

    Raises:
        UserError: the weights do not fit.
    """
    published = timm.get_pretrained_cfg(name)
    arguments: dict[str, Any] = {"img_size": side_px} if published is not None and published.fixed_input_size else {}
    arguments |= create or {}
    n_own = n_classes if state is None else _classes_in(state, published, n_classes)
    module = timm.create_model(name, num_classes=n_own, in_chans=n_channels, **arguments)
    if amend is not None:
        amend(module)
    if state is not None:
        load_published(module, state)
    net = _staged(module, n_own)
    if n_own != n_classes:
        net.replace_head(n_classes)
    return net


def _classes_in(state: State, published: Any, otherwise: int) -> int:
    """For how many classes weights were learned, by the rows of the classifier that timm names."""
    head = f"{published.classifier}.weight" if published is not None and published.classifier else ""
    return len(state[head]) if head in state else otherwise


def _staged(module: nn.Module, n_classes: int) -> Net:
    head = module.get_classifier()  # pyright: ignore[reportCallIssue]  # every model of timm has it
    if not isinstance(head, nn.Linear):
        raise UserError(
            f"The network {type(module).__name__} does not end in one linear layer and cannot be used here; "
            "take another network."
        )
    stages = _STAGINGS.get(type(module), _as_trunk)(module)
    return Net(stages, head, dim=head.in_features, n_classes=n_classes)


def _as_trunk(module: Any) -> dict[str, nn.Module]:
    module.reset_classifier(0)
    return {"trunk": module}


def _blocks(blocks: nn.Module) -> dict[str, nn.Module]:
    return {f"block{number}": block for number, block in enumerate(blocks.children(), start=1)}


def _efficientnet(module: Any) -> dict[str, nn.Module]:
    return {
        "stem": nn.Sequential(module.conv_stem, module.bn1),
        **_blocks(module.blocks),
        "top": nn.Sequential(module.conv_head, module.bn2),
        "pool": module.global_pool,
    }


def _mobilenetv3(module: Any) -> dict[str, nn.Module]:
    return {
        "stem": nn.Sequential(module.conv_stem, module.bn1),
        **_blocks(module.blocks),
        "pool": module.global_pool,
        "top": nn.Sequential(module.conv_head, module.norm_head, module.act2, module.flatten),
    }


def _resnet(module: Any) -> dict[str, nn.Module]:
    return {
        "stem": nn.Sequential(module.conv1, module.bn1, module.act1, module.maxpool),
        **{name: getattr(module, name) for name in ("layer1", "layer2", "layer3", "layer4")},
        "pool": module.global_pool,
    }


def _regnet(module: Any) -> dict[str, nn.Module]:
    return {
        "stem": module.stem,
        **{name: getattr(module, name) for name in ("s1", "s2", "s3", "s4")},
        "top": module.final_conv,
        "pool": module.head.global_pool,
    }


def _convnext(module: Any) -> dict[str, nn.Module]:
    module.reset_classifier(0)  # what is left of the head pools and norms
    return {"stem": module.stem, **_blocks(module.stages), "pool": nn.Sequential(module.norm_pre, module.head)}


class _Patches(nn.Module):
    """A vision transformer up to its first block."""

    def __init__(self, module: Any) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        x = self.module.patch_drop(self.module._pos_embed(self.module.patch_embed(x)))
        return self.module.norm_pre(x)


class _TokenPool(nn.Module):
    """Tokens (N, T, D) to features (N, D), by the class token or the mean, as the network was made."""

    def __init__(self, kind: str, n_prefix: int, has_prefix: bool) -> None:
        super().__init__()
        self.kind, self.n_prefix, self.has_prefix = kind, n_prefix, has_prefix

    def forward(self, x: Tensor) -> Tensor:
        return global_pool_nlc(
            x, pool_type=self.kind, num_prefix_tokens=self.n_prefix, reduce_include_prefix=self.has_prefix
        )


def _vision_transformer(module: Any) -> dict[str, nn.Module]:
    if module.attn_pool is not None:
        return _as_trunk(module)
    pool = _TokenPool(module.global_pool, module.num_prefix_tokens, module.pool_include_prefix)
    stages = {**_blocks(module.blocks), "pool": nn.Sequential(module.norm, pool, module.fc_norm, module.head_drop)}
    # What has become a stage of its own must not be counted and saved twice.
    module.blocks, module.norm, module.fc_norm, module.head = (nn.Identity() for _ in range(4))
    return {"patches": _Patches(module), **stages}


_STAGINGS: dict[type, Staging] = {
    efficientnet.EfficientNet: _efficientnet,
    mobilenetv3.MobileNetV3: _mobilenetv3,
    timm_resnet.ResNet: _resnet,
    regnet.RegNet: _regnet,
    convnext.ConvNeXt: _convnext,
    vision_transformer.VisionTransformer: _vision_transformer,
}
