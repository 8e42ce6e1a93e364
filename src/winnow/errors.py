"""What a person can mend: every error here is one sentence that says what to do next.

The command line, the studio and the server show the sentence alone, without a stack trace. Anything else
that is raised is a bug of ours and keeps its trace.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable
from types import ModuleType


class UserError(Exception):
    """Something a person can mend; its text says what happened, what was expected and what to do."""


class BadDataError(UserError):
    """The examples cannot be used as they are (empty folder, one class, no readable picture, ...)."""


class NotFoundError(UserError):
    """A name, file or folder is not there."""


class ConflictError(UserError):
    """Somebody else changed the same thing meanwhile; look again, then decide."""


class WorkspaceError(UserError):
    """The workspace cannot be opened or written (newer version, no permission, no space)."""


class MissingExtraError(UserError):
    """An optional part of Winnow is not installed."""


def did_you_mean(name: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """A hint for a mistyped name: the nearest known names, or `otherwise` where nothing is near.

    >>> did_you_mean("acuracy", ["accuracy", "log_loss"])
    'Did you mean accuracy?'
    >>> did_you_mean("zzz", ["accuracy"], otherwise="Known: accuracy.")
    'Known: accuracy.'
    """
    near = difflib.get_close_matches(name, list(known), n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(near)}?" if near else otherwise


def need(module: str, *, extra: str, to: str) -> ModuleType:
    """Import an optional module, or say in one sentence which extra brings it.

    Args:
        module: the module's import name, such as ``"pandas"``.
        extra: the extra of Winnow that installs it, such as ``"deep"``.
        to: what the user wanted, as in "To *train a network*, install ...".

    Raises:
        MissingExtraError: the module is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"To {to}, install the extra '{extra}': pip install 'winnow[{extra}]' ({module} is missing)."
        ) from error
