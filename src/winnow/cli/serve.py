"""`winnow serve`: models answer other programs over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from winnow.cli.options import WorkspaceOption, drop_unwritten, example
from winnow.serve.limits import LIMITS, Limits


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "serve",
        epilog=example(
            "winnow serve clouds",
            "winnow serve clouds@2 --canary clouds@3=0.1 --port 9000",
            "winnow serve clouds digits=elsewhere.onnx --host 0.0.0.0 --allow-host models.example.org",
        ),
    )(_serve)


def _serve(
    models: Annotated[list[str], typer.Argument(help="Names (clouds, clouds@2), model folders or ONNX files.")],
    canary: Annotated[list[str] | None, typer.Option(help="A version and its share, such as clouds@3=0.1.")] = None,
    port: Annotated[int, typer.Option(help="Of this machine; 0: any that is free.")] = 8000,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    allow_host: Annotated[list[str] | None, typer.Option(help="A name by which clients call this server.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that answer [default: one a core].")] = None,
    queue: Annotated[int, typer.Option(help="So many questions may wait; more are refused (429).")] = LIMITS.queue,
    timeout: Annotated[float, typer.Option(help="Seconds after which nobody waits for an answer.")] = LIMITS.timeout_s,
    max_body: Annotated[float, typer.Option(help="The largest body, in MB (2^20 bytes).")] = LIMITS.max_body_mb,
    max_batch: Annotated[int, typer.Option(help="Pictures in one request.")] = LIMITS.max_batch,
    cache: Annotated[int, typer.Option(help="So many answers are remembered; 0: none.")] = LIMITS.cache,
    allow_urls: Annotated[bool, typer.Option("--allow-urls", help="Let clients name pictures by address.")] = False,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="Lines 'predict TOKEN' and 'admin TOKEN' "
            "[default: WINNOW_TOKEN and WINNOW_ADMIN_TOKEN, else made now]."
        ),
    ] = None,
    grace: Annotated[float, typer.Option(help="Seconds in which stopping answers what was accepted.")] = LIMITS.grace_s,
    log: Annotated[bool, typer.Option("--log", help="A line of JSON for each request.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Answer other programs over HTTP.

    Unless --host says otherwise, the server answers at this machine's own address; always only to who sends a token.
    Ctrl-C or SIGTERM stops it when all that was accepted is answered. SIGHUP lets it read the token file again, and
    serve models that were named without a version in their newest.
    """
    from winnow.serve.launch import launch

    launch(
        models,
        canaries=canary or (),
        workspace=workspace,
        port=port,
        host=host,
        allow_hosts=allow_host or (),
        limits=Limits(workers, queue, timeout, max_body, max_batch, cache, grace),
        allow_urls=allow_urls,
        token_file=token_file,
        log=log,
        said=typer.echo,
    )
    drop_unwritten()  # what nobody could take was told while it served
