"""The key with which a workspace signs its models: it never leaves this folder, and only its owner can read it.

Source: Ed25519, RFC 8032, by libsodium (PyNaCl).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from pathlib import Path

from winnow.data.whole_files import disk_errors
from winnow.errors import WorkspaceError

_FILE = "signing.key"
_SEED_BYTES = 32


def fingerprint_of(public_key: bytes) -> str:
    """What people compare instead of a key: 32 hex digits.

    >>> fingerprint_of(bytes(32))
    '66687aadf862bd776c8fc18b8e9f8e20'
    """
    return hashlib.sha256(public_key).hexdigest()[:32]


def is_signed(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the owner of a public key (32 bytes) signed a message."""
    from nacl.exceptions import CryptoError
    from nacl.signing import VerifyKey

    try:
        VerifyKey(public_key).verify(message, signature)
    except (CryptoError, ValueError, TypeError):  # of wrong lengths, too
        return False
    return True


class SigningKey:
    """A workspace's key; made when something is signed for the first time.

    Args:
        folder: the workspace's.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / _FILE

    @property
    def public_key(self) -> bytes | None:
        """Its public half (32 bytes); None while nothing was signed here.

        Raises:
            WorkspaceError: the key cannot be read, or is damaged.
        """
        from nacl.signing import SigningKey as Ed25519

        return bytes(Ed25519(self._seed()).verify_key) if self._file.is_file() else None

    def sign(self, message: bytes) -> tuple[bytes, bytes]:
        """The public key (32 bytes) and the signature (64 bytes) of a message; makes the key if there is none.

        Raises:
            WorkspaceError: no space, no permission, or the key is damaged.
        """
        from nacl.signing import SigningKey as Ed25519

        if not self._file.is_file():
            self._make()
        key = Ed25519(self._seed())
        return bytes(key.verify_key), key.sign(message).signature

    def _seed(self) -> bytes:
        with disk_errors("read", self._file):
            text = self._file.read_bytes()
        with contextlib.suppress(ValueError):
            seed = bytes.fromhex(text.decode("ascii"))
            if len(seed) == _SEED_BYTES:
                return seed
        raise WorkspaceError(
            f"The key {self._file} is damaged. Put its copy back; or move it away, and models are signed by a new key."
        )

    def _make(self) -> None:
        """Whole or not at all: of two programs that make it at once, the first one's is kept."""
        draft = self._file.with_name(f".{_FILE}.{uuid.uuid4().hex}.tmp")
        with disk_errors("write", self._file):
            try:
                descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(descriptor, "wb") as file:
                    file.write(os.urandom(_SEED_BYTES).hex().encode() + b"\n")
                    file.flush()
                    os.fsync(file.fileno())
                with contextlib.suppress(FileExistsError):
                    os.link(draft, self._file)
            finally:
                draft.unlink(missing_ok=True)
