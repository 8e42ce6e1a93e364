"""Take published weights into a network, whatever classes they were learned for."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from winnow.graph.unsafe_files import UnsafeModelError
from winnow.nets.entry import State
from winnow.nets.net import Net


def load_published(module: nn.Module, state: State) -> None:
    """Fill a module with weights that bear its own names for them.

    Raises:
        UnsafeModelError: E_MODEL_FORMAT, a weight is missing, unknown or of another shape.
    """
    wanted = module.state_dict()
    # How many batches a norm has seen is of no use here, and old files do not say.
    missing = [name for name in wanted if name not in state and not name.endswith("num_batches_tracked")]
    unknown = [name for name in state if name not in wanted]
    other = [name for name in wanted if name in state and state[name].shape != wanted[name].shape]
    if missing or unknown or other:
        said = [
            f"{len(names)} {what} (such as {names[0]})"
            for names, what in ((missing, "missing"), (unknown, "unknown"), (other, "of another shape"))
            if names
        ]
        raise _unfit(", ".join(said))
    module.load_state_dict(dict(state), strict=False)


def _unfit(why: str) -> UnsafeModelError:
    said = f"The weights do not fit the network: {why}. Give the weights of this network."
    return UnsafeModelError("E_MODEL_FORMAT", said)


def with_published(
    make: Callable[[int], nn.Module],
    staged: Callable[[nn.Module], Net],
    *,
    head: str,
    n_classes: int,
    state: State | None,
) -> Net:
    """A net made of a module of its authors', with their weights where `state` is given.

    Args:
        make: n_classes -> the authors' module.
        staged: the same module as a net.
        head: the name of its last layer's weight, whose rows say how many classes `state` is for.
        n_classes: of the net; where the weights are for others, it gets a new head.

    Raises:
        UnsafeModelError: E_MODEL_FORMAT, the weights do not fit.
    """
    if state is None:
        return staged(make(n_classes))
    if head not in state:
        raise _unfit(f"{head} is missing")
    module = make(len(state[head]))
    load_published(module, state)
    net = staged(module)
    if net.n_classes != n_classes:
        net.replace_head(n_classes)
    return net
