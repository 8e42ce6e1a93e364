"""The files in a multipart body that lies in memory whole and was counted before; every step is linear in its size.

Stricter than it might be, since lenience is what attacks on such parsers use: nothing stands before the first boundary
or after the last, a part has few and short headers, and only files are taken.

Source: RFC 7578, multipart/form-data; RFC 2046, section 5.1.
"""

from __future__ import annotations

import re

from winnow.serve.problem import ProblemError

_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")
_MOST_HEADER_BYTES = 8192
_MOST_HEADERS = 16
_PARAMETER = re.compile(r';\s*([A-Za-z0-9_*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s";]*))')


def files_in(body: bytes, content_type: bytes, most_files: int) -> list[tuple[str, bytes]]:
    """Name and content of each file, in their order.

    Raises:
        ProblemError: the body is not made as multipart bodies are, or holds too many parts, or one that is no file.
    """
    line = b"--" + _boundary(content_type)
    # The first boundary has no line end before it, and a body without any part consists of the last boundary alone.
    if not body.startswith(line):
        raise _malformed("it must begin with its boundary")
    first, *parts = body[len(line) :].split(b"\r\n" + line, most_files + 1)
    parts = [first, *parts]
    if len(parts) > most_files + 1:
        raise ProblemError(413, "too-many", f"One request may hold {most_files} files; send the others in the next.")
    last = parts.pop()
    if last.rstrip(b" \t\r\n") != b"--" or len(last) > 64:
        raise _malformed("it must end with its last boundary")
    return [_file(part) for part in parts]


def _boundary(content_type: bytes) -> bytes:
    for parameter in content_type.split(b";")[1:]:
        name, _, value = parameter.partition(b"=")
        if name.strip().lower() == b"boundary":
            clean = value.strip().removeprefix(b'"').removesuffix(b'"')
            if _BOUNDARY.fullmatch(clean):
                return clean
    raise _malformed("its content type names no boundary")


def _file(part: bytes) -> tuple[str, bytes]:
    end = part.find(b"\r\n\r\n", 0, _MOST_HEADER_BYTES)
    if not part.startswith(b"\r\n") or end < 0:
        raise _malformed("a part has no headers, or more than 8 KB of them")
    lines = part[2:end].split(b"\r\n")
    if len(lines) > _MOST_HEADERS:
        raise _malformed(f"a part has more than {_MOST_HEADERS} headers")
    for line in lines:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-disposition":
            return _file_name(value.decode("utf-8", "replace")), part[end + 4 :]
    raise _malformed("a part has no 'Content-Disposition'")


def _file_name(disposition: str) -> str:
    found = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(disposition)}
    if "filename" not in found:
        raise ProblemError(422, "no-file", "Send pictures as files (with a 'filename'); options stand in the address.")
    return re.sub(r"\\(.)", r"\1", found["filename"])


def _malformed(why: str) -> ProblemError:
    return ProblemError(400, "bad-multipart", f"The multipart body is malformed: {why}.")
