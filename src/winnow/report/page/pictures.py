"""The pictures a page shows: asked for once each, and never more than a page can carry."""

from __future__ import annotations

from collections.abc import Callable

from winnow.report.markup import Html, data_block, tag
from winnow.report.thumbnails import data_uri

_AT_MOST = 800
"""At about 3 KB a thumbnail: a page of some 3 MB, which still opens at once."""


class Pictures:
    """Thumbnails by content hash, collected while the page is written and embedded at its end."""

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        """Ask `read` for encoded thumbnails; it answers None where there is no picture to show."""
        self._read = read
        self._uris: dict[str, str | None] = {}

    def has(self, content: str) -> bool:
        """Whether this picture can be shown; the first question fetches it."""
        if content not in self._uris:
            if len(self._uris) >= _AT_MOST:
                return False
            encoded = self._read(content)
            self._uris[content] = None if encoded is None else data_uri(encoded)
        return self._uris[content] is not None

    def image(self, content: str, alt: str) -> Html:
        """The picture itself, or a quiet gap where it cannot be shown."""
        if not self.has(content):
            return tag("span", "no picture", class_="no-picture")
        return tag("img", src=self._uris[content], alt=alt)

    def data(self, contents: list[str]) -> Html:
        """These pictures, for the script, as {content hash: data address}."""
        return data_block("pictures", {c: self._uris[c] for c in contents if self.has(c)})
