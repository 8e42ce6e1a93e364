"""The form of a token file, for the server that is opened with it and for who asks: lines "predict TOKEN"."""

from __future__ import annotations

import os
import shlex
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from winnow.data.paths import at_home
from winnow.errors import UserError

Allowed = Literal["predict", "admin"]
"""What a token allows: to ask; to ask and to change what is served."""


@dataclass(frozen=True, slots=True)
class TokenLine:
    """One token of a file.

    Attributes:
        place: where it stands, for sentences about it: tokens themselves are never quoted.
        allows: what it is for.
        token: itself.
    """

    place: str
    allows: Allowed
    token: str = field(repr=False)


def read_tokens(file: Path) -> list[TokenLine]:
    """The tokens in a file: a line each, "predict TOKEN" or "admin TOKEN"; a bare token is for asking.

    Raises:
        UserError: the file cannot be read, or a line makes no sense.
    """
    try:
        lines = at_home(file).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise UserError(f"The token file {file} cannot be read ({why}): check its name and rights.") from error
    tokens: list[TokenLine] = []
    for number, line in enumerate(lines, start=1):
        place = f"line {number} of {file}"
        match line.split("#", 1)[0].split():
            case []:
                continue
            case [token] | ["predict", token]:
                tokens.append(TokenLine(place, "predict", token))
            case ["admin", token]:
                tokens.append(TokenLine(place, "admin", token))
            case _:
                raise UserError(f"In {place}, write 'predict TOKEN' or 'admin TOKEN'.")
    return tokens


def token_in(file: Path) -> str:
    """The token to ask with: the only one of a file, or the first "predict TOKEN" of a server's.

    Raises:
        UserError: the file cannot be read, or holds none for asking.
    """
    for line in read_tokens(file):
        if line.allows == "predict":
            return line.token
    raise UserError(f"The token file {file} holds no token for asking: write it on a line of its own.")


def warning_about(file: Path) -> str | None:
    """A sentence if others than its owner may read or change a token file; containers mount files so, and may."""
    if os.name != "posix":  # elsewhere these bits say nothing
        return None
    try:
        rights = at_home(file).stat().st_mode
    except OSError:  # who reads it says why it cannot be
        return None
    if not rights & (stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH):
        return None
    return (
        f"Warning: other users of this machine may read or change the token file {file}. Keep it to yourself: "
        f"chmod 600 {shlex.quote(str(file))}"
    )
