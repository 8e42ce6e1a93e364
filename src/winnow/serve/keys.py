"""The tokens that open the server: who may ask, and who may also change what is served. Only their hashes are kept."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path

from winnow.data.paths import at_home
from winnow.errors import UserError
from winnow.serve.token_file import Allowed, read_tokens

_SHORTEST = 16
_FORM = re.compile(r"[A-Za-z0-9._~+/=-]+")
_LOOK_AGAIN_S = 1.0


class Keys:
    """Tokens by their hashes; a token file that changes is read again, and what it no longer names dies at once.

    Args:
        tokens: token to scope.
        file: where they were read from.
    """

    def __init__(self, tokens: Mapping[str, Allowed], file: Path | None = None) -> None:
        self._hashes = _hashes(tokens)
        self._edition = 0
        self._file = file
        self._seen = None if file is None else _look(file)
        self._look_at = time.monotonic() + _LOOK_AGAIN_S

    @classmethod
    def from_file(cls, file: Path) -> Keys:
        """The tokens in a file: a line each, "predict TOKEN" or "admin TOKEN"; a bare token is for asking.

        Raises:
            UserError: the file cannot be read, or a line makes no sense.
        """
        file = at_home(file)
        return cls(_read(file), file)

    def allowed_by(self, token: bytes) -> Allowed | None:
        """What this token allows; None: nothing."""
        self._look_now_and_then()
        hashed, allowed = hashlib.sha256(token).digest(), None
        for known, scope in self._hashes:
            if hmac.compare_digest(hashed, known):
                allowed = scope
        return allowed

    def edition(self) -> int:
        """Another number after each change of the tokens: what was allowed is to be asked anew."""
        self._look_now_and_then()
        return self._edition

    def look_again(self) -> None:
        """Read the token file again if it has changed; one that is gone or makes no sense opens to nobody."""
        if self._file is None:
            return
        self._look_at = time.monotonic() + _LOOK_AGAIN_S
        seen = _look(self._file)
        if seen != self._seen:
            self._seen = seen
            self._edition += 1
            try:
                self._hashes = _hashes(_read(self._file))
            except UserError:
                self._hashes = ()

    def _look_now_and_then(self) -> None:
        if self._file is not None and time.monotonic() >= self._look_at:
            self.look_again()


def keys_of(file: Path | None, environment: Mapping[str, str] = os.environ) -> tuple[Keys, dict[Allowed, str]]:
    """The tokens to serve with, and those that were made just now, to be shown once.

    They come from the file, else from WINNOW_TOKEN and WINNOW_ADMIN_TOKEN, else they are made.

    Raises:
        UserError: a token is too short to be safe, or the file cannot be used.
    """
    if file is not None:
        return Keys.from_file(file), {}
    given: dict[str, Allowed] = {}
    if token := environment.get("WINNOW_TOKEN", "").strip():
        given[_checked(token, "WINNOW_TOKEN")] = "predict"
    if token := environment.get("WINNOW_ADMIN_TOKEN", "").strip():
        given[_checked(token, "WINNOW_ADMIN_TOKEN")] = "admin"
    if given:
        return Keys(given), {}
    made: dict[Allowed, str] = {"predict": secrets.token_urlsafe(24), "admin": secrets.token_urlsafe(24)}
    return Keys({token: scope for scope, token in made.items()}), made


def _hashes(tokens: Mapping[str, Allowed]) -> tuple[tuple[bytes, Allowed], ...]:
    return tuple((hashlib.sha256(token.encode()).digest(), scope) for token, scope in tokens.items())


def _look(file: Path) -> tuple[int, int, int] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _read(file: Path) -> dict[str, Allowed]:
    tokens: dict[str, Allowed] = {_checked(line.token, line.place): line.allows for line in read_tokens(file)}
    if not tokens:
        raise UserError(f"The token file {file} names no token; write 'predict TOKEN' in it, such as from: {_MAKE}")
    return tokens


_MAKE = 'python3 -c "import secrets; print(secrets.token_urlsafe(24))"'


def _checked(token: str, place: str) -> str:
    """The token itself is never quoted: sentences end up in logs."""
    if len(token) < _SHORTEST or not _FORM.fullmatch(token):
        raise UserError(
            f"The token in {place} must have at least {_SHORTEST} letters, digits or signs of ._~+/=-; "
            f"make one with: {_MAKE}"
        )
    return token
