"""Sources that lie elsewhere: nothing is fetched without permission, and strangers lead nobody into the own network."""

from __future__ import annotations

import gc
import http.server
import io
import socket
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

import pytest

from winnow.data.decode import UnreadablePictureError, decode
from winnow.data.sources import fetch
from winnow.data.sources.fetch import fetch_picture, is_public
from winnow.data.sources.source import RefusedSourceError
from winnow.errors import MissingExtraError

from .finding import found_in, items_in, refused_in
from .pictures import file_of, noise

HERE = frozenset({"127.0.0.1"})


class Server:
    """A web server that knows some paths; `log` holds what it was asked."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.redirects: dict[str, str] = {}
        self.log: list[str] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_HEAD(self) -> None:
                self.do_GET()

            def do_GET(self) -> None:
                outer.log.append(self.path)
                if self.path in outer.redirects:
                    self.send_response(302)
                    self.send_header("Location", outer.redirects[self.path])
                    self.end_headers()
                    return
                data = outer.answer(self.path)
                self.send_response(404 if data is None else 200)
                self.send_header("Content-Length", str(len(data or b"")))
                self.send_header("Last-Modified", "Fri, 31 May 2024 13:00:00 GMT")
                self.send_header("ETag", '"1"')
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(data or b"")

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def answer(self, path: str) -> bytes | None:
        """The body for a path, or None: 404."""
        return self.files.get(urlsplit(path).path)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Bucket(Server):
    """As much of S3 as listing and reading need: GET /bucket?list-type=2&prefix= and GET /bucket/key."""

    def answer(self, path: str) -> bytes | None:
        parts = urlsplit(path)
        query = parse_qs(parts.query)
        if "list-type" not in query:
            return self.files.get(parts.path)
        start = f"/bucket/{query.get('prefix', [''])[0]}"
        keys = [name for name in sorted(self.files) if name.startswith(start)]
        contents = "".join(
            f"<Contents><Key>{escape(key.removeprefix('/bucket/'))}</Key><Size>{len(self.files[key])}</Size>"
            f'<LastModified>2024-05-31T13:00:00.000Z</LastModified><ETag>"1"</ETag></Contents>'
            for key in keys
        )
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>".encode()


@pytest.fixture
def server() -> Iterator[Server]:
    started = Server()
    yield started
    started.close()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    started = Bucket()
    for name, value in {
        "AWS_ENDPOINT_URL": started.url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    yield started
    started.close()


def photos() -> dict[str, bytes]:
    return {f"photos/{label}/{i}.png": file_of(noise(i)) for i, label in enumerate(["cat", "cat", "dog", "dog"])}


def zip_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


# Permission


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/photos.zip", "https://example.org/t.csv", "s3://bucket/photos"])
def test_nothing_is_fetched_without_permission(url, monkeypatch):
    monkeypatch.setattr(socket, "socket", None)
    with pytest.raises(RefusedSourceError, match=r"--allow-urls.*E_URL_BLOCKED"):
        items_in(url)


def test_a_row_with_an_address_says_which_option_opens_it(server, tmp_path):
    (tmp_path / "t.csv").write_text(f"image,label\n{server.url}/a.png,cat\n")
    assert [(r.code, "--allow-urls" in r.reason) for r in refused_in(tmp_path / "t.csv")] == [("E_URL_BLOCKED", True)]
    assert server.log == []


# Whole sources


def test_an_archive_is_fetched_read_and_deleted(server, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    server.files["/files/photos.zip"] = zip_of(photos())
    found = found_in(f"{server.url}/files/photos.zip?key=secret", allows_urls=True)
    assert [(f.source, f.label) for f in found] == [(path, path.split("/")[1]) for path in photos()]
    assert decode(found[3].read()).pixels.tobytes() == noise(3).tobytes()
    assert all(f.path is None for f in found)
    assert any(tmp_path.iterdir())
    del found
    gc.collect()
    assert not any(tmp_path.iterdir())


def test_paths_of_a_fetched_table_start_where_it_lies(server):
    server.files |= {"/set/labels.csv": b"image,label\nimages/0.png,cat\n../1.png,dog\n"}
    server.files |= {"/set/images/0.png": file_of(noise(0)), "/1.png": file_of(noise(1))}
    found = found_in(f"{server.url}/set/labels.csv", allows_urls=True)
    assert [(f.source, f.label) for f in found] == [
        (f"{server.url}/set/images/0.png", "cat"), (f"{server.url}/1.png", "dog"),
    ]  # fmt: skip
    assert [decode(f.read()).pixels.tobytes() for f in found] == [noise(0).tobytes(), noise(1).tobytes()]


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/missing.zip", "status 404"),
        ("/page.zip", "is a web page"),
        ("/cut.zip", "E_ARCHIVE_CORRUPT"),
        ("/cut", "E_ARCHIVE_CORRUPT"),
        ("/round", "redirects more than 5 times"),
    ],
)
def test_an_address_that_holds_nothing_says_so(path, says, server):
    server.files |= {"/page.zip": b"<html>please log in</html>", "/cut.zip": b"PK\3\4", "/cut": b"PK\3\4"}
    server.redirects["/round"] = "/round"
    with pytest.raises(RefusedSourceError, match=says) as refusal:
        items_in(server.url + path, allows_urls=True)
    assert "winnow-" not in str(refusal.value)  # the user's word for it is the address, not our temporary file


def test_without_a_network_one_sentence_is_said(monkeypatch):
    def nobody(*_: object, **__: object) -> None:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    with pytest.raises(RefusedSourceError, match=r"'example.org' cannot be found: check the address and the network"):
        items_in("https://example.org/photos.zip", allows_urls=True)


# What a stranger may name


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "240.0.0.1", "192.0.2.1", "198.18.0.1", "::", "::1", "fe80::1", "fe80::1%eth0",
        "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::",
        "2001:0:7f00:1::", "2001:db8::1", "::127.0.0.1", "fec0::1",
    ],
)  # fmt: skip
def test_addresses_of_the_own_network_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700:4700::1111"])
def test_addresses_of_the_world_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "localhost.", "127.1", "2130706433", "0x7f.0.0.1", "0", "[::1]", "[::ffff:127.0.0.1]"],
)
def test_a_row_does_not_lead_into_the_own_network(host, server):
    server.files["/a.png"] = file_of(noise(0))
    with pytest.raises(UnreadablePictureError) as refusal:
        fetch_picture(f"http://{host}:{server.port}/a.png")
    assert refusal.value.code in ("E_URL_BLOCKED", "E_URL_FAILED")  # some systems know fewer ways to write it
    assert server.log == []


def test_the_machine_that_the_user_named_may_be_asked_but_no_other(server):
    server.files["/a.png"] = file_of(noise(0))
    assert fetch_picture(f"{server.url}/a.png", HERE) == file_of(noise(0))
    with pytest.raises(UnreadablePictureError, match="own network"):
        fetch_picture(f"http://localhost:{server.port}/a.png", HERE)


def test_a_redirect_is_checked_like_the_first_address(server):
    server.redirects["/a.png"] = f"http://localhost:{server.port}/secret"
    server.redirects["/b.png"] = "file:///etc/passwd"
    server.redirects["/c.png"] = "/ok.png"
    server.files |= {"/secret": b"secret", "/ok.png": b"fine"}
    with pytest.raises(UnreadablePictureError, match="own network"):
        fetch_picture(f"{server.url}/a.png", HERE)
    with pytest.raises(UnreadablePictureError, match="only http and https"):
        fetch_picture(f"{server.url}/b.png", HERE)
    assert fetch_picture(f"{server.url}/c.png", HERE) == b"fine"
    assert "/secret" not in server.log


def test_the_address_that_was_checked_is_the_one_that_is_asked(server, monkeypatch):
    """A name that means a public machine when it is checked, and this one a moment later."""
    asked: list[str] = []
    answers = iter(["93.184.216.34", "127.0.0.1"])

    def resolve(host: str, port: int, **_: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    def connect(self: socket.socket, address: tuple[str, int]) -> None:
        asked.append(address[0])
        raise OSError("far away")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket.socket, "connect", connect)
    with pytest.raises(UnreadablePictureError, match="far away"):
        fetch_picture(f"http://rebinding.example:{server.port}/a.png")
    assert asked == ["93.184.216.34"]


@pytest.mark.parametrize(
    "url",
    [
        "gopher://127.0.0.1/", "ftp://example.org/a.png", "http://user@127.0.0.1@example.com/", "http:///a.png",
        "http://[::1/a.png", "http://h:99999/", "https://user:key@example.org/a.png",
    ],
)  # fmt: skip
def test_odd_addresses_are_not_opened(url):
    with pytest.raises(UnreadablePictureError) as refusal:
        fetch_picture(url)
    assert refusal.value.code == "E_URL_BLOCKED"


def test_a_large_answer_is_not_read_to_its_end(server, monkeypatch):
    monkeypatch.setattr(fetch, "_MAX_PICTURE_BYTES", 1000)
    server.files["/a.png"] = bytes(5000)
    with pytest.raises(UnreadablePictureError, match="has more than"):
        fetch_picture(f"{server.url}/a.png", HERE)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"])
def test_a_server_that_sends_a_byte_now_and_then_is_left(start, monkeypatch):
    monkeypatch.setattr(fetch, "_PICTURE_TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sent: list[int] = []

        def drip() -> None:
            connection, _ = listening.accept()
            with connection:
                try:
                    connection.sendall(start)
                    for number in range(100):
                        connection.sendall(b"x")
                        sent.append(number)
                        time.sleep(0.05)
                except OSError:
                    pass

        threading.Thread(target=drip, daemon=True).start()
        with pytest.raises(UnreadablePictureError) as refusal:
            fetch_picture(f"http://127.0.0.1:{listening.getsockname()[1]}/a.png", HERE)
        assert refusal.value.code == "E_URL_FAILED"
        assert len(sent) < 100


def test_what_breaks_off_is_no_picture():
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def cut() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf")

        threading.Thread(target=cut, daemon=True).start()
        with pytest.raises(UnreadablePictureError, match="E_URL_FAILED"):
            fetch_picture(f"http://127.0.0.1:{listening.getsockname()[1]}/a.png", HERE)


# Object stores


def test_a_prefix_of_an_object_store_is_a_folder(bucket):
    bucket.files |= {f"/bucket/my/{path}": data for path, data in photos().items()}
    bucket.files |= {"/bucket/my/photos/.DS_Store": b"x", "/bucket/other/x.png": b"x", "/bucket/my/photos/cat/": b""}
    found = found_in("s3://bucket/my/photos", allows_urls=True)
    assert [(f.source, f.label) for f in found] == [
        ("cat/0.png", "cat"), ("cat/1.png", "cat"), ("dog/2.png", "dog"), ("dog/3.png", "dog"),
    ]  # fmt: skip
    assert decode(found[2].read()).pixels.tobytes() == noise(2).tobytes()


def test_a_table_in_an_object_store_names_objects_beside_it(bucket):
    bucket.files |= {"/bucket/set/labels.csv": b"image,label\na.png,cat\nimg/b.png,dog\n"}
    bucket.files |= {"/bucket/set/a.png": file_of(noise(0)), "/bucket/set/img/b.png": file_of(noise(1))}
    found = found_in("s3://bucket/set/labels.csv", allows_urls=True)
    assert [(f.source, f.label) for f in found] == [("a.png", "cat"), ("img/b.png", "dog")]
    assert decode(found[1].read()).pixels.tobytes() == noise(1).tobytes()


def test_an_archive_in_an_object_store_is_fetched_once(bucket):
    bucket.files["/bucket/photos.zip"] = zip_of(photos())
    found = found_in("s3://bucket/photos.zip", allows_urls=True)
    assert decode(found[0].read()).pixels.tobytes() == noise(0).tobytes()
    assert len([path for path in bucket.log if path == "/bucket/photos.zip"]) <= 2  # is it there? give it


@pytest.mark.parametrize(("url", "code"), [("s3://bucket/none", "E_EMPTY"), ("s3://bucket/none.zip", "E_EMPTY")])
def test_an_empty_prefix_says_so(url, code, bucket):
    with pytest.raises(RefusedSourceError, match=code):
        items_in(url, allows_urls=True)


def test_an_object_that_vanished_costs_its_line(bucket):
    bucket.files |= {f"/bucket/{path}": data for path, data in photos().items()}
    found = found_in("s3://bucket/photos", allows_urls=True)
    del bucket.files["/bucket/photos/cat/0.png"]
    with pytest.raises((UnreadablePictureError, OSError)):
        found[0].read()


def test_without_the_extra_the_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(MissingExtraError, match=r"read an object store.*winnow\[cluster\]"):
        found_in("s3://bucket/photos", allows_urls=True)


def test_a_store_that_does_not_answer_is_one_sentence(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with pytest.raises(RefusedSourceError, match="check the address, the network, and the keys"):
        items_in("s3://bucket/photos", allows_urls=True)


def test_an_address_that_tells_no_kind_is_read_by_what_is_there(server):
    server.files |= {"/export": b"image,label\n/0.png,cat\n", "/0.png": file_of(noise(0)), "/all": zip_of(photos())}
    assert [f.source for f in found_in(f"{server.url}/export?of=7", allows_urls=True)] == [f"{server.url}/0.png"]
    assert len(found_in(f"{server.url}/all", allows_urls=True)) == 4
