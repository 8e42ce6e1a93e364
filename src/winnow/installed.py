"""Members of a family (rungs, networks, studies) that other packages bring, through Python's entry points."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Protocol, TypeVar

from winnow.errors import UserError


class Named(Protocol):
    """What has a name that a user types."""

    @property
    def name(self) -> str:
        """Each member of a family has another one."""
        ...


T = TypeVar("T", bound=Named)


def with_installed(ours: Sequence[T], group: str, *, what: str) -> tuple[T, ...]:
    """Our members of a family, then those of other packages: each entry point of `group` names an object.

    Args:
        what: one of them in a user's words, such as "rung", for messages.

    Raises:
        UserError: an installed package's member cannot be loaded, or has the name of another.
    """
    members = list(ours)
    for point in sorted(entry_points(group=group), key=lambda p: p.name):
        try:
            member: T = point.load()
            is_new = member.name not in {known.name for known in members}
        except Exception as error:  # foreign code may fail in any way; the user should know which package to mend
            raise UserError(
                f"The {what} {point.value} cannot be loaded ({error}): update or remove its package."
            ) from error
        if not is_new:
            raise UserError(
                f"There is a {what} called '{member.name}' already, and {point.value} is another: remove its package."
            )
        members.append(member)
    return tuple(members)
