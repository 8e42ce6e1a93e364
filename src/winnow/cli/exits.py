"""Exit codes: what a script may rely on."""

from __future__ import annotations

from winnow.errors import BadDataError, MissingExtraError, NotFoundError, UserError, WorkspaceError

# Typer itself leaves with 2 where options or arguments make no sense.
_CODES: tuple[tuple[type[UserError], int], ...] = (
    (BadDataError, 3),
    (NotFoundError, 4),
    (WorkspaceError, 5),
    (MissingExtraError, 6),
    (UserError, 2),
)

EXIT_CODES_HELP = (
    "Exit codes: 0 done; 1 a fault of Winnow; 2 the command makes no sense; 3 the data cannot be used; "
    "4 something was not found; 5 the workspace cannot be used; 6 an extra is missing; 130 stopped by Ctrl-C."
)


def exit_code_of(error: UserError) -> int:
    """The exit code for an error that a person can mend."""
    return next(code for kind, code in _CODES if isinstance(error, kind))
