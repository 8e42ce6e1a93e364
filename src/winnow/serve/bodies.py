"""What came in a request: its body, counted before it is kept, and the pictures in it."""

from __future__ import annotations

import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, cast

from starlette.types import Receive, Scope

from winnow.serve.multipart import files_in
from winnow.serve.problem import ProblemError
from winnow.serve.reply import CLOSE

LARGE_BYTES = 1 << 18
"""From this size on, a body is taken apart in a thread."""
_RAW = frozenset((b"application/octet-stream", b"application/dicom"))
_MOST_TOGETHER = 16
"""Bodies of the largest size that may lie in memory at once."""
_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Item:
    """One picture of a request: its bytes, or where they lie.

    Attributes:
        source: what the client calls it; only repeated to it, never used as a path.
        data: the picture file.
        url: where to fetch it; then `data` is empty.
    """

    source: str
    data: bytes
    url: str | None = None


class Intake:
    """Reads bodies within limits: of one, and of all that are being read or answered together.

    Args:
        most_bytes: of one body.
    """

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._room = most_bytes * _MOST_TOGETHER

    def take_room(self, headers: Mapping[bytes, bytes]) -> int:
        """Set room for a body aside; gives how much, for `give_room` when it is needed no more.

        Raises:
            ProblemError: it says that it is too large, or there are too many at once.
        """
        return self.take(self._announced(headers))

    def take(self, n_bytes: int) -> int:
        """The same for a body of known length; raises as `take_room`."""
        if n_bytes > self.most_bytes:
            self._refuse()
        if n_bytes > self._room:
            said = "Too many large requests at once; send it again in a moment."
            raise ProblemError(429, "too-much-at-once", said, ((b"retry-after", b"1"), CLOSE))
        self._room -= n_bytes
        return n_bytes

    def give_room(self, n_bytes: int) -> None:
        """Give back what `take_room` gave."""
        self._room += n_bytes

    async def read(self, receive: Receive) -> bytes:
        """The whole body.

        Raises:
            ProblemError: it is too large, or the client left.
        """
        message = await receive()
        if message["type"] == "http.request" and not message.get("more_body", False):
            body = message.get("body", b"")
            if len(body) > self.most_bytes:
                self._refuse()
            return body
        chunks: list[bytes] = []
        n_bytes = 0
        while True:
            if message["type"] == "http.disconnect":
                raise ProblemError(400, "broken-off", "The body broke off before its end.", (CLOSE,))
            chunk = message.get("body", b"")
            n_bytes += len(chunk)
            if n_bytes > self.most_bytes:
                chunks.clear()
                self._refuse()
            chunks.append(chunk)
            if not message.get("more_body", False):
                return b"".join(chunks)
            message = await receive()

    def _announced(self, headers: Mapping[bytes, bytes]) -> int:
        """How much room a body may need: what it says, or, sent in chunks, all that one may have."""
        length = headers.get(b"content-length")
        if length is None:
            return self.most_bytes if b"transfer-encoding" in headers else 0
        if not length.isdigit():
            raise ProblemError(400, "bad-length", "The header 'Content-Length' is no number.", (CLOSE,))
        return int(length[:18])

    def _refuse(self) -> NoReturn:
        limit = self.most_bytes / 2**20
        said = f"The body is larger than {limit:.3g} MB; send smaller pictures, or fewer at once."
        raise ProblemError(413, "body-too-large", said, (CLOSE,))


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """The headers by lower-case name; the last counts where one is repeated."""
    return dict(scope["headers"])


def kind_of(headers: Mapping[bytes, bytes]) -> bytes:
    """The content type without its parameters.

    Raises:
        ProblemError: the body is packed in a way that is not unpacked here.
    """
    if headers.get(b"content-encoding", b"identity").strip().lower() != b"identity":
        raise ProblemError(415, "packed", "Send the body as it is, without a 'Content-Encoding'.", (CLOSE,))
    return headers.get(b"content-type", b"").split(b";", 1)[0].strip().lower()


def is_raw(kind: bytes) -> bool:
    """Whether a body of this content type is one picture file."""
    return kind in _RAW or (kind.startswith(b"image/") and not kind.startswith(b"image/svg"))


def items_of(
    kind: bytes, headers: Mapping[bytes, bytes], body: bytes, most_items: int, *, allows_urls: bool
) -> list[Item]:
    """The pictures in a body of several.

    Raises:
        ProblemError: the body is not what its content type says, is empty, or holds too many pictures.
    """
    if kind not in (b"multipart/form-data", b"application/json"):
        refuse_kind()
    if not body:
        raise ProblemError(400, "empty", "The body is empty; send a picture.")
    if kind == b"application/json":
        items = _items_of_json(body, most_items, allows_urls=allows_urls)
    else:
        files = files_in(body, headers.get(b"content-type", b""), most_items)
        items = [Item(name[:_LONGEST_NAME] or f"file {place}", data) for place, (name, data) in enumerate(files)]
    if not items:
        raise ProblemError(400, "empty", "There is no picture in the body; send at least one.")
    return items


def refuse_kind() -> NoReturn:
    """Say which content types there are."""
    said = (
        "Send a picture as 'Content-Type: application/octet-stream' or image/..., several as multipart/form-data, or "
        "base64 as application/json. (SVG is no picture of pixels.)"
    )
    raise ProblemError(415, "content-type", said, (CLOSE,))


def too_many(most_items: int) -> ProblemError:
    """Why a request with so many pictures is refused."""
    return ProblemError(413, "too-many", f"One request may hold {most_items} pictures; send the others in the next.")


def parse_json(body: bytes) -> dict[str, Any]:
    """The JSON object in a body.

    Raises:
        ProblemError: 400 where it is no JSON, 422 where it is no object or has numbers that JSON does not know.
    """
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_refuse_number, parse_float=_finite)
    except RecursionError:
        raise ProblemError(400, "bad-json", "The JSON is nested too deeply.") from None
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are among them
        raise ProblemError(400, "bad-json", f"The body is no JSON in UTF-8: {error}.") from None
    if not isinstance(value, dict):
        raise ProblemError(422, "bad-request", 'The JSON must be an object, such as {"images": ["<base64>"]}.')
    return cast("dict[str, Any]", value)


def _refuse_number(text: str) -> float:
    raise ProblemError(422, "bad-number", f"{text} is no number of JSON; numbers must be finite.")


def _finite(text: str) -> float:
    number = float(text)
    return number if abs(number) != float("inf") else _refuse_number(text[:40])


def _items_of_json(body: bytes, most_items: int, *, allows_urls: bool) -> list[Item]:
    asked = parse_json(body)
    images = asked.pop("images", None)
    if asked or not isinstance(images, list):
        raise ProblemError(422, "bad-request", 'The JSON must be {"images": [...]} and nothing else.')
    given = cast("list[Any]", images)
    if len(given) > most_items:
        raise too_many(most_items)
    return [_item_of_json(one, f"images[{place}]", allows_urls=allows_urls) for place, one in enumerate(given)]


def _item_of_json(one: Any, place: str, *, allows_urls: bool) -> Item:
    match one:
        case str():
            return Item(place, _base64(one, place))
        case {"data": str(data), **rest} if set(rest) <= {"name"} and isinstance(rest.get("name", ""), str):
            return Item(rest.get("name", "")[:_LONGEST_NAME] or place, _base64(data, place))
        case {"url": str(url), **rest} if set(rest) <= {"name"} and isinstance(rest.get("name", ""), str):
            if not allows_urls:
                said = "This server fetches no addresses; send the picture itself, or start it with --allow-urls."
                raise ProblemError(422, "no-urls", said)
            return Item(rest.get("name", "")[:_LONGEST_NAME] or place, b"", url)
        case _:
            said = f'{place} must be base64, {{"name": ..., "data": "<base64>"}} or {{"name": ..., "url": ...}}.'
            raise ProblemError(422, "bad-request", said)


def _base64(text: str, place: str) -> bytes:
    if text[:5].lower() == "data:":
        start, comma, text = text.partition(",")
        kind = start[5:].lower()
        if not comma or not kind.endswith(";base64") or not is_raw(kind.split(";", 1)[0].encode("utf-8", "replace")):
            said = f"{place} must be a data address of a picture in base64, such as data:image/png;base64,... (no SVG)."
            raise ProblemError(415, "content-type", said)
    return from_base64(text, place)


def from_base64(text: str, place: str) -> bytes:
    """The bytes that a text stands for.

    Raises:
        ProblemError: it is no base64; `place` says where it stood.
    """
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:  # binascii.Error is one; so are signs beyond ASCII
        said = f"{place} is no base64: letters, digits, + and / in groups of four, no spaces or line ends."
        raise ProblemError(422, "bad-base64", said) from None
