"""`winnow`: the commands, their help, and the exit codes that say how it went."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

import winnow
from winnow.cli.exits import EXIT_CODES_HELP, exit_code_of
from winnow.cli.options import drop_unwritten
from winnow.errors import UserError, WorkspaceError, did_you_mean

_FULL = (errno.ENOSPC, errno.EDQUOT)
_RESUMABLE = ("import", "studio", "train")
"""Commands that keep what they have done so far when they are broken off."""
_RESUMED, _ANEW = "Nothing is lost: the same command goes on where it was.", "It begins anew next time."


class _Commands(TyperGroup):
    """Commands in the order of the work, with a hint for a mistyped one."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command, or say which one was meant."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            known = ", ".join(self.commands)
            hint = did_you_mean(args[0], self.commands, otherwise=f"The commands are {known}.")
            ctx.fail(f"There is no command '{args[0]}'. {hint}")
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:
        """In the order of the work; typer would put `jobs`, which has commands of its own, behind all others."""
        names = [name for name in super().list_commands(ctx) if name != "jobs"]
        after = names.index("train") + 1
        return [*names[:after], "jobs", *names[after:]]

    def invoke(self, ctx: Any) -> Any:
        """Run the command; say what Ctrl-C leaves, and leave quietly when the reader (head, less) has seen enough."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            typer.echo(f"winnow: stopped. {_RESUMED if ctx.invoked_subcommand in _RESUMABLE else _ANEW}", err=True)
            ctx.exit(130)
        except BrokenPipeError:
            drop_unwritten()
            ctx.exit(0)


app = typer.Typer(
    cls=_Commands,
    help="Train models from your own examples, and see what they are worth.",
    epilog=EXIT_CODES_HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback(invoke_without_command=True)
def _options(version: bool = typer.Option(False, "--version", help="Show the version and stop.")) -> None:
    if version:
        typer.echo(f"winnow {winnow.__version__}")
        raise typer.Exit


def _add_commands() -> None:
    if app.registered_commands:
        return
    from winnow.cli import (
        backbones,
        check,
        compare,
        data,
        evaluate,
        export,
        folds,
        jobs,
        nets,
        predict,
        rooms,
        serve,
        studio,
        study,
        suggest,
        train,
        verify,
    )
    from winnow.cli import versions as history

    work = (studio, data, check, train, jobs, evaluate, compare, predict, verify, serve)
    for module in (*work, history, suggest, folds, export, study, rooms, backbones, nets):
        module.add_to(app)


def run(arguments: Sequence[str] | None = None) -> None:
    """Run one command and leave with its exit code: what the `winnow` script calls."""
    _add_commands()
    try:
        app(args=list(arguments) if arguments is not None else None, prog_name="winnow", standalone_mode=True)
    except UserError as error:
        _leave(error)
    except (OSError, SystemExit) as end:
        why = drop_unwritten() or end
        if not isinstance(why, OSError) or why.errno not in _FULL:
            raise
        _leave(WorkspaceError(f"The answer cannot be written ({why.strerror}): make room where it goes."))


def _leave(error: UserError) -> NoReturn:
    from winnow.report.words import printable  # brings numpy, which only an error needs here

    # A message may quote the name of a file, and that may be any bytes at all.
    typer.echo("\n".join(map(printable, f"winnow: {error}".splitlines())), err=True)
    sys.exit(exit_code_of(error))


if __name__ == "__main__":
    run()
