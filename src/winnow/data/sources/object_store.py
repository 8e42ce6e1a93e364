"""Object stores (S3, Google Cloud Storage, Azure) as trees: all objects below a prefix are files.

Keys and the machine's own endpoint come from the environment, as each provider's own tools read them.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from winnow.data.decode import UnreadablePictureError
from winnow.data.regular_files import HEAD_BYTES, LARGE_FILE_BYTES, refuse_large, refuse_no_picture
from winnow.data.sources.refused import Refused, RefusedSourceError
from winnow.data.sources.tree import is_litter
from winnow.errors import need
from winnow.events import Note

if TYPE_CHECKING:
    from obstore.store import ObjectStore

SCHEMES = ("s3", "s3a", "gs", "az", "azure", "abfs", "abfss", "adl")
_MAX_OBJECTS = 3_000_000
_CHUNK_BYTES = 8 << 20


class StoreTree:
    """The objects below a prefix.

    Args:
        store: opened at that prefix.
        url: as the user wrote it.
    """

    def __init__(self, store: ObjectStore, url: str) -> None:
        self._store = store
        self._url = url

    @property
    def name(self) -> str:
        """The address."""
        return self._url

    @property
    def paths(self) -> Sequence[str]:
        """All objects, sorted, relative to the prefix.

        Raises:
            RefusedSourceError: E_URL_FAILED, the store cannot be asked; E_ARCHIVE_ENTRIES, there are too many.
        """
        return self._paths

    @property
    def remarks(self) -> Sequence[Refused | Note]:
        """Nothing: every object is a file."""
        return ()

    def reader(self, path: str) -> Callable[[], bytes]:
        """Fetches the object."""
        return partial(self._read, path)

    def picture(self, path: str) -> Callable[[], bytes]:
        """Fetches the object, a large one only if it begins like a picture."""
        return partial(self._read, path, is_picture=True)

    def file(self, path: str) -> Path | None:
        """None: it lies elsewhere."""
        return None

    def has(self, path: str) -> bool:
        """Is there such an object? (Asks for it alone, without listing the others.)"""
        with _sentences(self._url):
            try:
                self._store.head(path)
            except FileNotFoundError:
                return False
        return True

    def download(self, path: str, file: BinaryIO) -> None:
        """Write an object into a file; raises RefusedSourceError (E_URL_FAILED), or OSError where the disk refuses."""
        with _sentences(self._url):
            chunks: Iterator[bytes] = iter(self._store.get(path).stream(min_chunk_size=_CHUNK_BYTES))
        while True:
            with _sentences(self._url):
                chunk = next(chunks, None)
            if chunk is None:
                return
            file.write(chunk)

    @cached_property
    def _paths(self) -> list[str]:
        found: list[str] = []
        with _sentences(self._url):
            for batch in self._store.list():
                paths = (about["path"] for about in batch if about["size"] or not about["path"].endswith("/"))
                found += [path for path in paths if not any(is_litter(part) for part in path.split("/"))]
                if len(found) > _MAX_OBJECTS:
                    raise RefusedSourceError(
                        "E_ARCHIVE_ENTRIES",
                        f"{self._url} holds more than {_MAX_OBJECTS} objects: name a folder inside.",
                    )
        return sorted(found)

    def _read(self, path: str, *, is_picture: bool = False) -> bytes:
        from obstore.exceptions import BaseError

        try:
            got = self._store.get(path)
            n_bytes = got.meta["size"]
            refuse_large(n_bytes)
            if is_picture and n_bytes > LARGE_FILE_BYTES:
                refuse_no_picture(bytes(self._store.get_range(path, start=0, length=HEAD_BYTES)), n_bytes)
            return bytes(got.bytes())
        except BaseError as error:
            raise UnreadablePictureError("E_URL_FAILED", f"It cannot be fetched ({_first_line(error)}).") from error


def store_tree(url: str) -> tuple[StoreTree, str | None]:
    """The tree that an address means, and the one object in it if it names one.

    Raises:
        RefusedSourceError: E_URL_FAILED, the address is wrong or the store cannot be asked.
    """
    above, name = posixpath.split(url.rstrip("/"))
    if "." in name and above.count("/") > 2 - (not above.endswith("/")):
        tree = StoreTree(_store(above), url)
        if tree.has(name):
            return tree, name
    return StoreTree(_store(url), url), None


def _store(url: str) -> ObjectStore:
    from_url = need("obstore.store", extra="cluster", to="read an object store").from_url
    with _sentences(url):
        # Its own defaults would try for three minutes. Without https it asks only an endpoint that the user's own
        # environment names so: a MinIO in the next room.
        return from_url(
            url,
            client_options={
                "connect_timeout": timedelta(seconds=10),
                "timeout": timedelta(minutes=5),
                "allow_http": True,
            },
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)},
        )


@contextmanager
def _sentences(url: str) -> Generator[None]:
    from obstore.exceptions import BaseError

    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError, ValueError) as error:
        raise RefusedSourceError(
            "E_URL_FAILED",
            f"{url} cannot be read ({_first_line(error)}): check the address, the network, and the keys in the "
            "environment (such as AWS_ACCESS_KEY_ID; AWS_SKIP_SIGNATURE=true for public buckets).",
        ) from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
