"""Fetching a file over HTTP that a stranger may have named: only from the public network, within limits.

The address that was checked is the address that is connected to, so that a name which points elsewhere a moment later
(DNS rebinding) leads nowhere else; every redirect is checked like the first address. Proxies are not used: behind one,
nobody can know where a request ends. Machines on the own network are asked only if the user wrote down their name.

Source: OWASP, Server-Side Request Forgery Prevention Cheat Sheet; address ranges: IANA's special-purpose registries, as
in Python's `ipaddress`.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO
from urllib.parse import quote, urljoin, urlsplit

from winnow.data.decode import UnreadablePictureError
from winnow.data.sources.refused import RefusedSourceError
from winnow.errors import BadDataError

_MAX_REDIRECTS = 5
_CONNECT_TIMEOUT_S = 10.0
_MAX_PICTURE_BYTES = 128 << 20
_PICTURE_TIMEOUT_S = 60.0
_CHUNK_BYTES = 64 << 10
_REDIRECTS = (301, 302, 303, 307, 308)
_PORTS = {"http": 80, "https": 443}
# Public by the registry, and yet doors to private IPv4 addresses: NAT64 (RFC 6052), 6to4 (3056), Teredo (4380).
_TUNNELS = tuple(ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))


class FetchError(BadDataError):
    """A file could not be fetched; `code` is E_URL_BLOCKED (it may not be), or E_URL_FAILED (it cannot be)."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{reason} ({code})")
        self.code = code
        self.reason = reason


def fetch_picture(url: str, hosts: frozenset[str] = frozenset()) -> bytes:
    """The bytes behind the URL of a picture.

    Args:
        hosts: machines that may be asked although they are on the own network.

    Raises:
        UnreadablePictureError: E_URL_BLOCKED, it may not be fetched; E_URL_FAILED, it cannot be.
    """
    try:
        return b"".join(fetch(url, hosts, max_bytes=_MAX_PICTURE_BYTES, timeout_s=_PICTURE_TIMEOUT_S))
    except FetchError as error:
        raise UnreadablePictureError(error.code, error.reason) from error


def fetch_into(file: BinaryIO, url: str, hosts: frozenset[str], *, max_bytes: int, timeout_s: float) -> None:
    """Write what is behind a URL into a file.

    Raises:
        RefusedSourceError: E_URL_BLOCKED or E_URL_FAILED, as `fetch_picture`.
        OSError: the file cannot be written.
    """
    try:
        for chunk in fetch(url, hosts, max_bytes=max_bytes, timeout_s=timeout_s):
            file.write(chunk)
    except FetchError as error:
        raise RefusedSourceError(error.code, error.reason) from error


def fetch(url: str, hosts: frozenset[str], *, max_bytes: int, timeout_s: float) -> Iterator[bytes]:
    """What is behind an http or https URL, piece by piece.

    Raises:
        FetchError: it may not be fetched, is too large or too slow, or the server says no.
    """
    deadline = time.monotonic() + timeout_s
    for _ in range(_MAX_REDIRECTS + 1):
        with _answer(url, hosts, deadline) as answer:
            if answer.status in _REDIRECTS and (to := answer.headers.get("Location")):
                url = _redirected(url, to)
                continue
            if answer.status != 200:
                raise FetchError(
                    "E_URL_FAILED",
                    f"{_shown(url)} answers with status {answer.status}: check the address in a browser.",
                )
            yield from _body(answer, url, max_bytes, deadline)
            return
    raise FetchError(
        "E_URL_FAILED", f"{_shown(url)} redirects more than {_MAX_REDIRECTS} times: give the last address."
    )


@contextmanager
def _answer(url: str, hosts: frozenset[str], deadline: float) -> Generator[http.client.HTTPResponse]:
    scheme, host, port, target = _parts(url)
    connection = http.client.HTTPConnection(host, port, timeout=_CONNECT_TIMEOUT_S)
    connection.default_port = _PORTS[scheme]
    watch: threading.Timer | None = None
    try:
        connection.sock = _connected(url, scheme, host, port, hosts, deadline)
        # A timeout counts from byte to byte: a server that sends one every nine seconds would hold us for days.
        watch = threading.Timer(deadline - time.monotonic(), _cut, [connection.sock])
        watch.daemon = True
        watch.start()
        connection.request("GET", target, headers={"User-Agent": "winnow", "Accept-Encoding": "identity"})
        yield connection.getresponse()
    except (http.client.HTTPException, OSError, ValueError) as error:
        raise _failed(url, error) from error
    finally:
        if watch is not None:
            watch.cancel()
        connection.close()


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _parts(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port, and path with query."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
        scheme = parts.scheme.casefold()
        # Names with letters beyond ASCII are written in punycode on the wire.
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except ValueError as error:  # UnicodeError is one
        raise FetchError(
            "E_URL_BLOCKED", f"{_shown(url)} is no address that can be opened ({error}): mend it."
        ) from error
    if scheme not in _PORTS or not host or "@" in parts.netloc:
        raise FetchError(
            "E_URL_BLOCKED",
            f"{_shown(url)} is not opened: only http and https addresses without a user name are.",
        )
    target = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._") + (f"?{_query(parts.query)}" if parts.query else "")
    return scheme, host, port or _PORTS[scheme], target


def _query(query: str) -> str:
    return quote(query, safe="/?%:@!$&'()*+,;=~-._[]")


def _connected(
    url: str, scheme: str, host: str, port: int, hosts: frozenset[str], deadline: float
) -> socket.socket | ssl.SSLSocket:
    last: OSError | None = None
    for family, address in _addresses(url, host, port, is_named=host.casefold() in hosts):
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(_left(url, deadline))
            connection.connect(address)
            if scheme == "https":
                return ssl.create_default_context().wrap_socket(connection, server_hostname=host)
            return connection
        except OSError as error:
            connection.close()
            last = error
    raise last or OSError("no address")


def _addresses(url: str, host: str, port: int, *, is_named: bool) -> list[tuple[socket.AddressFamily, tuple[str, int]]]:
    """Where a name points; all of it must be public, unless the user wrote the name down."""
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise FetchError(
            "E_URL_FAILED", f"The machine {host[:100]!r} cannot be found: check the address and the network."
        ) from error
    addresses = [(info[0], (str(info[4][0]), port)) for info in infos]
    for _, (address, _) in addresses:
        if not is_named and not is_public(address):
            raise FetchError(
                "E_URL_BLOCKED",
                f"{_shown(url)} leads into the own network ({address}): download it yourself, then import it.",
            )
    return addresses


def is_public(address: str) -> bool:
    """May a stranger send us to this IP address?

    >>> is_public("127.0.0.1"), is_public("169.254.169.254"), is_public("::ffff:10.0.0.1"), is_public("1.1.1.1")
    (False, False, False, True)
    """
    ip = ipaddress.ip_address(address.split("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip.is_site_local or any(ip in net for net in _TUNNELS):
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _redirected(url: str, to: str) -> str:
    new = urljoin(url, to)
    if url.casefold().startswith("https:") and not new.casefold().startswith("https:"):
        raise FetchError(
            "E_URL_BLOCKED", f"{_shown(url)} redirects to an address without https: give the address it leads to."
        )
    return new


def _body(answer: http.client.HTTPResponse, url: str, max_bytes: int, deadline: float) -> Iterator[bytes]:
    if (answer.length or 0) > max_bytes:
        raise _too_large(url, max_bytes)
    n_bytes = 0
    # read1 gives what has come; read would wait for all of it, and a slow server could hold it for ever.
    while chunk := answer.read1(_CHUNK_BYTES):
        n_bytes += len(chunk)
        if n_bytes > max_bytes:
            raise _too_large(url, max_bytes)
        _left(url, deadline)
        yield chunk
    if answer.length:
        raise FetchError("E_URL_FAILED", f"{_shown(url)} broke off {answer.length} bytes before its end: try again.")


def _left(url: str, deadline: float) -> float:
    """Seconds that one step may take."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise FetchError("E_URL_FAILED", f"{_shown(url)} is too slow: download it yourself, then import it.")
    return min(left, _CONNECT_TIMEOUT_S)


def _too_large(url: str, max_bytes: int) -> FetchError:
    return FetchError(
        "E_URL_FAILED", f"{_shown(url)} has more than {max_bytes >> 20} MB: download it yourself, then import it."
    )


def _failed(url: str, error: Exception) -> FetchError:
    why = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return FetchError(
        "E_URL_FAILED", f"{_shown(url)} cannot be fetched ({why[:200]}): check the address and the network."
    )


def _shown(url: str) -> str:
    """Short, printable, and without what may be a secret: keys of object stores stand in the query."""
    return "".join(sign for sign in url.split("?", 1)[0][:200] if sign.isprintable())
