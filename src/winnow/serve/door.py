"""Who may come in: a known Host, no stranger's page, and a token for everything but the questions of health.

Everything passes here before any route is looked up and before a byte of a body is read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from starlette.types import Scope

from winnow.errors import UserError
from winnow.serve.keys import Keys
from winnow.serve.problem import ProblemError
from winnow.serve.reply import CLOSE
from winnow.serve.token_file import Allowed

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
OPEN_PATHS = frozenset(("/healthz", "/readyz", "/v2/health/live", "/v2/health/ready"))
_SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
_OUR_SITES = frozenset((b"same-origin", b"none"))
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")
_BEARER = b"bearer "
_CHALLENGE = (b"www-authenticate", b'Bearer realm="winnow"')


class Door:
    """Looks at each request before anything else does.

    Args:
        keys: the tokens.
        hosts: names by which this server may be called, besides this machine's own; without a port.
    """

    def __init__(self, keys: Keys, hosts: Iterable[str] = ()) -> None:
        self.keys = keys
        self._hosts = frozenset((*LOOPBACK, *(host_name(host) for host in hosts)))

    def let_in(self, scope: Scope) -> Allowed | None:
        """What the request may do; None where it brought no token and needs none.

        Raises:
            ProblemError: it may not come in.
        """
        hosts: list[bytes] = []
        origin = site = token = None
        for name, value in scope["headers"]:
            if name == b"host":
                hosts.append(value)
            elif name == b"authorization":
                token = value
            elif name == b"origin":
                origin = value
            elif name == b"sec-fetch-site":
                site = value
        host = self._called(hosts)
        if origin is not None and origin.lower() not in (b"http://" + host, b"https://" + host):
            raise ProblemError(403, "other-site", "A page of another site may not ask here.", (CLOSE,))
        if site is not None and site.lower() not in _OUR_SITES and scope["method"] not in _SAFE_METHODS:
            raise ProblemError(403, "other-site", "A page of another site may not act here.", (CLOSE,))
        if scope["path"] in OPEN_PATHS:
            return None
        may = None
        if token is not None and token[:7].lower() == _BEARER:
            may = self.keys.allowed_by(token[7:].strip())
        if may is None:
            said = "Send the token that was set or printed when the server started: 'Authorization: Bearer TOKEN'."
            raise ProblemError(401, "no-token" if token is None else "wrong-token", said, (_CHALLENGE, CLOSE))
        return may

    def _called(self, hosts: list[bytes]) -> bytes:
        host = hosts[0].lower() if len(hosts) == 1 else b""
        form = _HOST.fullmatch(host.decode("latin-1"))
        if form is None:
            raise ProblemError(400, "bad-host", "The header 'Host' must name this server, once.", (CLOSE,))
        if form[1] not in self._hosts:
            raise ProblemError(
                421, "other-host", "This server does not go by that name; start it with --allow-host NAME.", (CLOSE,)
            )
        return host


def host_name(text: str) -> str:
    """A host's name as it is compared: lower case, no port, an IPv6 address in brackets.

    Raises:
        UserError: it is no name of a host.
    """
    clean = text.strip().lower()
    if clean.count(":") > 1 and not clean.startswith("["):
        clean = f"[{clean}]"
    form = _HOST.fullmatch(clean)
    if form is None:
        raise UserError(f"'{text[:100]}' is no name of a host; write it as in an address, such as models.example.org.")
    return form[1]
