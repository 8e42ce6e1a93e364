"""The networks there are, by name. To add one, write its file and add its line.

Other packages add networks through the entry-point group `winnow.nets`; each names a `NetEntry`. Any name that timm
knows works too: `timm:resnet50d`, or bare where none of ours has it.
"""

from __future__ import annotations

from winnow.errors import NotFoundError, UserError, did_you_mean
from winnow.installed import with_installed
from winnow.nets import alexnet, densenet, fast_small, googlenet, lenet5, mlp, nasnet, resnet, small_convnet, vgg
from winnow.nets.entry import NetEntry, State
from winnow.nets.net import Net
from winnow.nets.timm_nets import PREFIX, timm_entry, timm_name

ENTRY_POINTS = "winnow.nets"

_OURS: tuple[NetEntry, ...] = (
    mlp.PERCEPTRON,
    mlp.ENTRY,
    small_convnet.ENTRY,
    lenet5.ENTRY,
    fast_small.ENTRY,
    alexnet.ENTRY_2012,
    alexnet.ENTRY,
    *vgg.ENTRIES,
    googlenet.ENTRY,
    *resnet.ENTRIES,
    densenet.ENTRY,
    nasnet.ENTRY,
)


def all_nets() -> tuple[NetEntry, ...]:
    """Our networks, then those of installed packages.

    Raises:
        UserError: an installed package's network cannot be loaded, or has the name of another.
    """
    return with_installed(_OURS, ENTRY_POINTS, what="network")


def find_net(name: str) -> NetEntry:
    """What is known of the network of that name.

    Raises:
        NotFoundError: neither we nor timm know the name; the sentence names the nearest.
    """
    known = {entry.name: entry for entry in all_nets()}
    if name in known:
        return known[name]
    if name.startswith(PREFIX) or timm_name(name) is not None:
        return timm_entry(name)
    hint = did_you_mean(name, known, otherwise=f"Known are {', '.join(known)}, and every name that timm knows.")
    raise NotFoundError(f"No network is called '{name}'. {hint}")


def build(
    name: str,
    n_classes: int | None = None,
    *,
    n_channels: int | None = None,
    side_px: int | None = None,
    state: State | None = None,
) -> Net:
    """The network of that name; what is not given is as in its paper.

    Args:
        name: one of `all_nets`, or a timm name.
        n_classes: logits of one picture.
        n_channels: of a picture, 3 for red, green, blue.
        side_px: of a picture; convolutional networks take others too.
        state: weights under the names that their authors gave them; without, fresh ones by torch's global seed.

    Raises:
        NotFoundError: no network of that name.
        UserError: the weights do not fit, or the pictures are too small.
    """
    entry = find_net(name)
    side_px = entry.side_px if side_px is None else side_px
    # timm's own networks are built for whatever side is asked, or say themselves why not.
    if side_px < entry.smallest_side_px and not entry.name.startswith(PREFIX):
        raise UserError(
            f"{entry.title} needs pictures of {entry.smallest_side_px} px or more, not {side_px} px: "
            "take larger ones, or another network."
        )
    return entry.make(
        n_classes=entry.n_classes if n_classes is None else n_classes,
        n_channels=entry.n_channels if n_channels is None else n_channels,
        side_px=side_px,
        state=state,
    )
