"""Start the server, say how to ask it, and serve until it is told to stop."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import uvicorn

from winnow.errors import UserError
from winnow.serve import limited_protocol, protocol
from winnow.serve.app import App
from winnow.serve.board import FIRST_NUMBER, MOST_LENT
from winnow.serve.bodies import Intake
from winnow.serve.door import LOOPBACK, Door, host_name
from winnow.serve.engine import Engine
from winnow.serve.keys import Keys, keys_of
from winnow.serve.limits import LIMITS, Limits
from winnow.serve.opening import lineup_of, open_served
from winnow.serve.running import Running, raise_file_limit
from winnow.serve.served import Lineup
from winnow.serve.service import Service
from winnow.serve.token_file import Allowed, warning_about
from winnow.serve.voice import Voice
from winnow.workspace.servers import announce
from winnow.workspace.workspace import default_folder

_IDLE_TIMEOUT_S = 30
_ANYWHERE = ("0.0.0.0", "::", "[::]")


def serve(
    models: str | Sequence[str],
    *,
    canary: str | Sequence[str] = (),
    workspace: str | Path | None = None,
    port: int = 8000,
    host: str = "127.0.0.1",
    allow_hosts: Sequence[str] = (),
    workers: int | None = None,
    queue: int = LIMITS.queue,
    timeout_s: float = LIMITS.timeout_s,
    max_body_mb: float = LIMITS.max_body_mb,
    max_batch: int = LIMITS.max_batch,
    cache: int = LIMITS.cache,
    allow_urls: bool = False,
    token_file: str | Path | None = None,
    grace_s: float = LIMITS.grace_s,
    log: bool = False,
    said: Callable[[str], None] = print,
) -> None:
    """Answer other programs over HTTP until Ctrl-C or SIGTERM; what was accepted is still answered then.

    SIGHUP reads the token file again, and serves models named without a version in their newest.

    Args:
        models: "clouds", "clouds@2", a model's folder or an ONNX file made elsewhere; the first answers who names none.
        canary: versions that get a share of their model's questions, such as "clouds@3=0.1".
        workspace: where names are looked up; None: WINNOW_WORKSPACE, else ~/.winnow.
        port: of this machine; 0: any that is free.
        host: the address to listen at; others than this machine's own need `allow_hosts`.
        allow_hosts: names by which clients call this server, such as "models.example.org".
        workers: processes that answer; None: one a core.
        queue: so many questions may wait; more are refused with 429.
        timeout_s: after which nobody waits for an answer.
        max_body_mb: the largest body, in MB (2^20 bytes).
        max_batch: pictures in one request.
        cache: so many answers are remembered; 0: none.
        allow_urls: may clients name pictures by their address in the public network?
        token_file: lines such as "predict TOKEN" and "admin TOKEN"; None: WINNOW_TOKEN and WINNOW_ADMIN_TOKEN, and if
            they are not set, tokens are made and said once.
        grace_s: how long stopping may take.
        log: say a line of JSON for each request, without bodies and tokens.
        said: hears where the server is and how it is asked; with `log`, the lines.

    Raises:
        UserError: a model cannot be served, the address is taken or needs a name, or a limit makes no sense.
    """
    launch(
        [models] if isinstance(models, str) else models,
        canaries=[canary] if isinstance(canary, str) else canary,
        workspace=workspace,
        port=port,
        host=host,
        allow_hosts=allow_hosts,
        limits=Limits(workers, queue, timeout_s, max_body_mb, max_batch, cache, grace_s),
        allow_urls=allow_urls,
        token_file=token_file,
        log=log,
        said=said,
    )


def launch(
    models: Sequence[str],
    *,
    canaries: Sequence[str],
    workspace: str | Path | None,
    port: int,
    host: str,
    allow_hosts: Sequence[str],
    limits: Limits,
    allow_urls: bool,
    token_file: str | Path | None,
    log: bool,
    said: Callable[[str], None],
) -> None:
    """`serve` once its limits are checked.

    Raises:
        UserError: as `serve`.
    """
    if not 0 <= port < 1 << 16:
        raise UserError(f"Port {port} is none: choose one from 1 to 65535, or 0 for any that is free.")
    hosts = _names_of(host, allow_hosts)
    tokens = None if token_file is None else Path(token_file)
    keys, made = keys_of(tokens)
    voice = Voice(said)
    if tokens is not None and (warning := warning_about(tokens)) is not None:
        voice.say(warning)
    folder = None if workspace is None else Path(workspace).expanduser()
    look_up = partial(lineup_of, models, canaries, folder)
    engine = Engine(look_up(), workers=limits.workers, most_waiting=limits.queue, most_cached=limits.cache)
    service = Service(
        engine,
        open_version=lambda name: open_served(name, folder),
        intake=Intake(limits.max_body_bytes),
        most_items=limits.max_batch,
        timeout_s=limits.timeout_s,
        allows_urls=allow_urls,
    )
    app = App(service, Door(keys, hosts), voice.say if log else None)
    with _listening(host, port) as listening:
        address = _address(host, listening)
        raise_file_limit(max(2 * limited_protocol.MOST_CONNECTIONS + 256, FIRST_NUMBER + MOST_LENT))
        full_names = [one.served.full_name for one in engine.lineup]
        with announce((folder or default_folder()).expanduser(), address, full_names):
            is_unread = False

            def welcome() -> None:
                nonlocal is_unread
                voice.say(_welcome(address, engine.lineup, made))
                if made and not voice.is_heard:
                    is_unread = running.should_exit = True  # tokens that nobody has read open to nobody

            running = Running(
                _config(app, limits.grace_s),
                service,
                grace_s=limits.grace_s,
                look_again=partial(_look_again, service, keys, look_up),
                started=welcome,
            )
            running.run([listening])
    if is_unread:
        raise UserError(
            "The tokens that were made for this server cannot be shown, so nobody could ask it: make room where its "
            "words go, or give a token by WINNOW_TOKEN or --token-file."
        )


def _names_of(host: str, allow_hosts: Sequence[str]) -> tuple[str, ...]:
    """By which names this server may be called."""
    names = tuple(host_name(one) for one in allow_hosts)
    bound = host_name(host)
    if bound in LOOPBACK:
        return names
    if not names:
        raise UserError(
            f"Whoever reaches {host} could ask this server, and their tokens would travel unprotected: put a proxy "
            "with TLS before it, and say by which name it is called: --allow-host models.example.org"
        )
    return names if host in _ANYWHERE else (*names, bound)


@contextmanager
def _listening(host: str, port: int) -> Generator[socket.socket]:
    plain = host.strip("[]")
    try:
        family, kind, protocol_number, _, place = socket.getaddrinfo(plain, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol_number)
    except OSError as error:
        raise UserError(f"There is no address '{host}' here ({error.strerror}).") from error
    with listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(place)
        except OSError as error:
            raise UserError(
                f"Port {port} of {host} cannot be used ({error.strerror}); give a free one with --port, or 0 for any."
            ) from error
        yield listening


def _address(host: str, listening: socket.socket) -> str:
    name = "127.0.0.1" if host in _ANYWHERE else host_name(host)
    return f"http://{name}:{listening.getsockname()[1]}"


def _config(app: App, grace_s: float) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        interface="asgi3",
        http=protocol.Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=_IDLE_TIMEOUT_S,
        timeout_graceful_shutdown=max(1, round(grace_s)),
    )


def _welcome(address: str, lineup: Lineup, made: dict[Allowed, str]) -> str:
    served = ", ".join(f"{one.served.full_name} ({100 * one.share:g} %)" for one in lineup)
    pictures = next((one.served for one in lineup if one.served.kind == "pictures"), None)
    lines = [f"Serving {served} at {address}; Ctrl-C stops it."]
    if made:
        lines += [
            f"The token for changing what is served, shown this once: {made['admin']}",
            f"In a shell: export WINNOW_TOKEN={made['predict']}",
        ]
    else:
        lines += ["In a shell, with WINNOW_TOKEN set to the token:"]
    if pictures is None:
        name = lineup.names[0]
        lines += [f'  curl -H "Authorization: Bearer $WINNOW_TOKEN" {address}/v2/models/{name}']
    else:
        # The first model answers who names none, and may be one that takes tensors.
        named = "" if pictures.name == lineup.names[0] else f"?model={pictures.name}"
        lines += [
            f'  curl -H "Authorization: Bearer $WINNOW_TOKEN" -H "Content-Type: image/jpeg" '
            f'--data-binary @picture.jpg "{address}/predict{named}"',
            "In Python:",
            f'  winnow.Client("{address}", os.environ["WINNOW_TOKEN"]).predict("picture.jpg")',
        ]
    return "\n".join(lines)


async def _look_again(service: Service, keys: Keys, look_up: Callable[[], Lineup]) -> None:
    """After SIGHUP. What cannot be opened is said, and what was served goes on."""
    keys.look_again()
    try:
        async with service.swapping:
            await service.swap(await asyncio.to_thread(look_up))
    except UserError as error:
        print(json.dumps({"swap": "refused", "why": str(error)}), file=sys.stderr)
