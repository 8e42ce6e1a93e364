"""What attackers have sent to servers like this one: every case of the corpus by its name, and what becomes of it here.

The corpus (`badinput/http/http_cases.jsonl`) names for each case the flaw in another product that it comes from.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from winnow.serve import limited_protocol
from winnow.serve.app import ROUTES
from winnow.serve.door import OPEN_PATHS
from winnow.serve.keys import Keys
from winnow.serve.protocol import Protocol
from winnow.serve.questions import UnansweredError
from winnow.serve.served import Share
from winnow.serve.service import Service

from .asking import (
    ADMIN,
    BAD,
    TOKEN,
    KnowingEngine,
    Listening,
    app_of,
    client_of,
    clouds,
    doubling,
    heard,
    next_answer,
    service_of,
)

RAW = {"Content-Type": "application/octet-stream"}
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
PART = b'--b\r\nContent-Disposition: form-data; name="a"; filename="a.png"\r\n\r\nx\r\n'

NOT_HERE = {
    "open_redirect": "nothing redirects, and there is no login page; `test_nothing_redirects` looks at every route",
    "cookie_after_reset": "there are no cookies; `test_keys` changes tokens, and the old ones die",
    "idor": "there are no users: a token opens the whole server, and nothing that is kept has an id",
    "s3_endpoint": "requests name no object stores; where data lies is said on the command line alone",
    "ssrf_redirect": "`test_url_pictures`",
    "ssrf_rebind": "`test_url_pictures`",
    "ssrf_slow": "`test_url_pictures`",
    "body_corrupt": "`test_bad_pictures` sends them to real workers",
    "drain": "`test_serving` stops a real server under load",
    "reload": "`test_serving` swaps a real server's model under load",
    "worker_kill": "`test_engine` kills real workers",
}
"""Cases that other tests hold, or that have nothing to be tried on."""


class Impatient(Protocol):
    """A protocol that waits hundredths of what it really waits."""

    header_timeout_s = 0.2
    body_timeout_s = 0.2
    unread_timeout_s = 0.2
    most_connections = 4


@pytest.fixture(scope="module")
def engine() -> KnowingEngine:
    return KnowingEngine(Share(clouds("2"), 1.0), Share(doubling(), 1.0))


@pytest.fixture(scope="module")
def service(engine: KnowingEngine) -> Service:
    return service_of(engine, most_bytes=12 << 20)


@pytest.fixture(scope="module")
def client(service: Service) -> TestClient:
    return client_of(app_of(service))


@pytest.fixture(scope="module")
def listening(service: Service) -> Iterator[Listening]:
    server = Listening(app_of(service), Impatient)
    yield server
    server.close()


def refused(client: TestClient, body: bytes, headers: dict[str, str], path: str = "/predict") -> tuple[int, str]:
    answer = client.post(path, content=body, headers=headers)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Traceback" not in answer.text
    return answer.status_code, answer.json()["code"]


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def size_413(listening: Listening) -> None:
    answer = listening.hear(listening.head("POST /predict", *_headers(RAW), f"Content-Length: {(12 << 20) + 1}"))
    assert status_of(answer) == 413
    assert b"body-too-large" in answer


def chunked_no_len(listening: Listening) -> None:
    chunk = b"%x\r\n" % (1 << 20) + bytes(1 << 20) + b"\r\n"
    with listening.connect() as connection:
        connection.sendall(listening.head("POST /predict", *_headers(RAW), "Transfer-Encoding: chunked"))
        try:
            for _ in range(13):
                connection.sendall(chunk)
            answer = heard(connection)
        except ConnectionError:  # it closed while we still sent, which it may
            return
    assert status_of(answer) == 413


def slow_body(listening: Listening) -> None:
    answer = listening.hear(listening.head("POST /predict", *_headers(RAW), "Content-Length: 100"), b"a", b"b")
    assert status_of(answer) == 408


def slow_headers(listening: Listening) -> None:
    assert status_of(listening.hear(b"POST /predict HTTP/1.1\r\nHost: ")) == 408
    assert listening.hear() == b""


def boundary_tail(client: TestClient) -> None:
    assert refused(client, PART + b"--b--\r\n" + b"-" * (10 << 20), FORM) == (400, "bad-multipart")


def preamble(client: TestClient) -> None:
    assert refused(client, b"x" * (10 << 20) + b"\r\n" + PART + b"--b--\r\n", FORM) == (400, "bad-multipart")


def part_headers(client: TestClient) -> None:
    part = b"--b\r\n" + b"X-A: 1\r\n" * 100_000 + b"\r\nx\r\n--b--\r\n"
    assert refused(client, part, FORM) == (400, "bad-multipart")


def parts_100k(client: TestClient) -> None:
    assert refused(client, b"--b\r\n\r\n\r\n" * 100_000 + b"--b--\r\n", FORM) == (413, "too-many")


def field_no_filename(client: TestClient) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + b"x" * (13 << 20) + b"\r\n--b--\r\n"
    assert refused(client, part, FORM) == (413, "body-too-large")
    assert refused(client, part.replace(b"xxx", b""), FORM) == (422, "no-file")


def urlencoded_semicolons(client: TestClient) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert refused(client, b"a;" * (2 << 20), form) == (415, "content-type")


def urlencoded_limit(client: TestClient) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert refused(client, b"&".join(b"a=1" for _ in range(5000)), form) == (415, "content-type")


def content_type_redos(client: TestClient) -> None:
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        status, _ = refused(client, b"x", {"Content-Type": f'{kind}; !="{chr(92) * 5000}'})
        assert status in (400, 415)


def range_quadratic(client: TestClient) -> None:
    answer = client.get("/openapi.json", headers={"Range": "bytes=" + "0-1," * 5000 + "0-1"})
    assert answer.status_code == 200


def upload_blocks_loop(listening: Listening) -> None:
    with listening.connect() as uploading:
        uploading.sendall(listening.head("POST /predict", *_headers(RAW), f"Content-Length: {11 << 20}"))
        uploading.sendall(bytes(1 << 20))
        assert status_of(listening.hear(listening.head("GET /healthz", "Connection: close"))) == 200
        uploading.sendall(bytes(10 << 20))
        assert status_of(next_answer(uploading)) == 200


def method_getattr(listening: Listening) -> None:
    for method in ("INIT", "__CLASS__"):
        assert status_of(listening.hear(listening.head(f"{method} /predict"))) == 405


def host_evil(client: TestClient) -> None:
    answer = client.post("/predict", content=b"x", headers={**RAW, "Host": "evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (421, "other-host")


def host_malformed(client: TestClient) -> None:
    for host in ("x/../admin?", "", "127.0.0.1:8000/models", "user@127.0.0.1"):
        assert client.get("/models", headers={"Host": host}).status_code == 400


def origin_cross(client: TestClient) -> None:
    assert _from(client, Origin="http://evil.example") == 403


def origin_null(client: TestClient) -> None:
    assert _from(client, Origin="null") == 403


def origin_prefix(client: TestClient) -> None:
    assert _from(client, Origin="http://localhost.evil.com") == 403
    assert _from(client, Origin="http://127.0.0.1:8000.evil.com") == 403


def sec_fetch_cross(client: TestClient) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for site in ("cross-site", "same-site"):
            assert client.request(method, "/models/clouds", headers={"Sec-Fetch-Site": site}).status_code == 403


def simple_json(client: TestClient) -> None:
    assert refused(client, b'{"images": []}', {"Content-Type": "text/plain"}) == (415, "content-type")


def cors(client: TestClient) -> None:
    for method in ("GET", "OPTIONS"):
        answer = client.request(method, "/models", headers={"Origin": "http://evil.example"})
        assert not [name for name in answer.headers if name.startswith("access-control")]


def ws_origin(listening: Listening) -> None:
    upgrade = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: eA==", "Sec-WebSocket-Version: 13")
    evil = listening.hear(listening.head("GET /models", *upgrade, "Origin: http://evil.example"))
    assert status_of(evil) == 403
    assert status_of(listening.hear(listening.head("GET /models", *upgrade))) == 200  # no switch: answered as it is


def ua_bypass(client: TestClient) -> None:
    assert _from(client, **{"Sec-Fetch-Site": "cross-site", "User-Agent": "Other"}) == 403


def no_token(service: Service) -> None:
    stranger = client_of(app_of(service), token=None)
    for path, by_method in ROUTES.items():
        for method in by_method:
            answer = stranger.request(method, path.replace("{model}", "clouds").replace("{version}", "2"))
            assert answer.status_code == (200 if path in OPEN_PATHS else 401), path
    assert stranger.get("/nothing").status_code == 401


def token_query_log(service: Service, engine: KnowingEngine, capfd: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []
    client = client_of(app_of(service, log=lines.append))
    engine.fails = RuntimeError("broken")
    try:
        assert client.get("/?token=SECRET").status_code == 404
        assert client.post("/predict?token=SECRET", content=b"x", headers=RAW).status_code == 400
        assert client.post("/predict", content=b"x", headers=RAW).status_code == 500
    finally:
        engine.fails = None
    written = capfd.readouterr()
    for text in (*lines, written.out, written.err):
        assert "SECRET" not in text
        assert TOKEN not in text
    assert [json.loads(line)["status"] for line in lines] == [404, 400, 500]


def orm_filter(client: TestClient) -> None:
    assert client.get("/models?filter=user__password__startswith=a").status_code == 400


def sort_sql(client: TestClient) -> None:
    for sort in ("name;drop table x--", "(select 1)"):
        assert client.get("/models", params={"sort": sort}).status_code == 400


def jsonpath_sql(client: TestClient) -> None:
    name = "a')) OR 1=1--"
    said = client.post("/predict", json={"images": [{"name": name, "data": "eA=="}]}).json()
    assert said["predictions"][0]["source"] == name
    assert refused(client, json.dumps({"images": [], name: 1}).encode(), JSON) == (422, "bad-request")


def env_ref(client: TestClient) -> None:
    name = "$AWS_SECRET_ACCESS_KEY"
    said = client.post("/predict", json={"images": [{"name": name, "data": "eA=="}]}).json()
    assert said["predictions"][0]["source"] == name


def path_artifact(client: TestClient) -> None:
    for path in ("../", "..%2f..%2fetc%2fpasswd", "..%5c", "//etc/passwd", "%23/../", "clouds%00", "clouds/../../x"):
        answer = client.get(f"/models/{path}")
        assert answer.status_code in (400, 404), path
        assert "root:" not in answer.text
    body = {"versions": [{"version": "../../../etc/passwd", "share": 1.0}]}
    assert client.put("/models/clouds", json=body, headers={"Authorization": f"Bearer {ADMIN}"}).status_code == 422


def body_empty(client: TestClient) -> None:
    for headers in (RAW, JSON, FORM):
        assert refused(client, b"", headers) == (400, "empty")


def body_not_image(client: TestClient, engine: KnowingEngine) -> None:
    assert refused(client, BAD, RAW) == (422, "E_CORRUPT")
    assert refused(client, b"text", {"Content-Type": "text/html"}) == (415, "content-type")


def b64_bad(client: TestClient) -> None:
    for text in ("%%%", "eA=", "e A==", "eA==\n", "\u00e9", "=", "eA==eA=="):
        assert refused(client, json.dumps({"images": [text]}).encode(), JSON) == (422, "bad-base64"), text


def b64_data_uri(client: TestClient) -> None:
    svg = "data:image/svg+xml;base64," + base64.b64encode(b"<svg/>").decode()
    for text in (svg, "DATA:image/png,abc", "data:text/html;base64,eA=="):
        assert refused(client, json.dumps({"images": [text]}).encode(), JSON) == (415, "content-type")


def json_nan(client: TestClient) -> None:
    for number in ("NaN", "1e999", "-Infinity", '"0.5"', "true", "-1"):
        status, _ = refused(client, b'{"images": ["eA=="], "threshold": %s}' % number.encode(), JSON)
        assert status == 422
        share = b'{"versions": [{"version": "2", "share": %s}]}' % number.encode()
        changed = client.put("/models/clouds", content=share, headers={**JSON, "Authorization": f"Bearer {ADMIN}"})
        assert changed.status_code == 422


def json_deep(client: TestClient) -> None:
    for path in ("/predict", "/v2/models/doubling/infer"):
        assert refused(client, b"[" * 100_000 + b"]" * 100_000, JSON, path) == (400, "bad-json")


def batch_10k(client: TestClient) -> None:
    assert refused(client, json.dumps({"images": ["eA=="] * 10_000}).encode(), JSON) == (413, "too-many")


def batch_one_bad(client: TestClient) -> None:
    files = [("a", (f"{place}.png", BAD if place == 7 else b"x")) for place in range(16)]
    said = client.post("/predict", files=files).json()["predictions"]
    assert [one["error"] is None for one in said] == [place != 7 for place in range(16)]


def model_missing(client: TestClient) -> None:
    assert refused(client, b"x", RAW, "/predict?model=cloud") == (404, "not-found")
    assert client.get("/models/cloud").status_code == 404
    assert "Did you mean clouds?" in client.get("/v2/models/cloud").json()["error"]


def accept_xml(client: TestClient) -> None:
    answer = client.get("/models", headers={"Accept": "application/xml"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")


def queue_full(client: TestClient, engine: KnowingEngine) -> None:
    engine.fails = UnansweredError(429, "queue-full", "64 questions are waiting already.", 0.3)
    try:
        answer = client.post("/predict", content=b"x", headers=RAW)
    finally:
        engine.fails = None
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


def client_gone(service: Service) -> None:

    engine = KnowingEngine(Share(clouds("1"), 1.0))
    asked, dropped = threading.Event(), threading.Event()

    async def ask(question: object) -> None:
        asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            dropped.set()

    engine.ask = ask  # type: ignore[assignment]
    server = Listening(app_of(service_of(engine)), Impatient)
    with server.connect() as connection:
        connection.sendall(server.head("POST /predict", *_headers(RAW), "Content-Length: 1") + b"x")
        assert asked.wait(20)
    assert dropped.wait(20)
    server.close()


def deadline(client: TestClient, engine: KnowingEngine) -> None:
    engine.fails = UnansweredError(504, "too-late", "There was no answer in the time that was allowed.")
    try:
        answer = client.post("/predict", content=b"x", headers={**RAW, "Winnow-Timeout-Ms": "50"})
    finally:
        engine.fails = None
    assert answer.status_code == 504


def keepalive_10k(service: Service) -> None:
    server = Listening(app_of(service), Impatient)
    idle = [server.connect() for _ in range(4)]
    for connection in idle:
        connection.sendall(server.head("GET /healthz"))
        assert status_of(next_answer(connection)) == 200
    turned_away = server.hear(server.head("GET /healthz"))
    assert status_of(turned_away) == 503
    assert b"retry-after: 1" in turned_away
    idle[0].sendall(server.head("GET /healthz"))
    assert status_of(next_answer(idle[0])) == 200
    for connection in idle:
        connection.close()
    server.close()


def log_injection(service: Service) -> None:
    lines: list[str] = []
    client = client_of(app_of(service, log=lines.append))
    client.get("/models/%0d%0aGET%20/%1b%5b31m", headers={"User-Agent": "\x1b[31m"})
    (line,) = lines
    assert "\n" not in line
    assert "\x1b" not in line
    assert json.loads(line)["path"] == "/models/\r\nGET /\x1b[31m"


def _from(client: TestClient, **headers: str) -> int:
    return client.post("/predict", content=b"x", headers={**RAW, **headers}).status_code


def _headers(headers: dict[str, str]) -> list[str]:
    return [f"{name}: {value}" for name, value in headers.items()]


CASES: dict[str, Callable[..., None]] = {
    case.__name__: case
    for case in (
        *(size_413, chunked_no_len, slow_body, slow_headers, boundary_tail, preamble, part_headers, parts_100k),
        *(field_no_filename, urlencoded_semicolons, urlencoded_limit, content_type_redos, range_quadratic),
        *(upload_blocks_loop, method_getattr, host_evil, host_malformed, origin_cross, origin_null, origin_prefix),
        *(sec_fetch_cross, simple_json, cors, ws_origin, ua_bypass, no_token, token_query_log, orm_filter, sort_sql),
        *(jsonpath_sql, env_ref, path_artifact, body_empty, body_not_image, b64_bad, b64_data_uri, json_nan),
        *(json_deep, batch_10k, batch_one_bad, model_missing, accept_xml, queue_full, client_gone, deadline),
        *(keepalive_10k, log_injection),
    )
}


@pytest.mark.parametrize("case", CASES)
def test_case(case: str, request: pytest.FixtureRequest):
    wanted = CASES[case].__code__.co_varnames[: CASES[case].__code__.co_argcount]
    CASES[case](*(request.getfixturevalue(name) for name in wanted))


def test_every_case_of_the_corpus_is_tried_here_or_told_where(test_data: Path):
    lines = (test_data / "badinput/http/http_cases.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["id"] for line in lines} == CASES.keys() | NOT_HERE.keys()


def test_nothing_redirects(client: TestClient):
    for path in (*ROUTES, "/login?next=//evil.example", "/models/", "//evil.example", "/\\evil", "/%2f%2fevil.example"):
        answer = client.get(path, follow_redirects=False)
        assert not 300 <= answer.status_code < 400
        assert "location" not in answer.headers


def test_a_packed_body_is_not_unpacked(client: TestClient):
    packed = zlib.compress(b"x" * 1000)
    assert refused(client, packed, {**RAW, "Content-Encoding": "deflate"}) == (415, "packed")


def test_too_many_large_bodies_at_once_are_told_to_wait():
    service = service_of(KnowingEngine(Share(clouds("1"), 1.0)), most_bytes=1000)
    taken = [service.intake.take_room({b"transfer-encoding": b"chunked"}) for _ in range(16)]
    client = client_of(app_of(service))
    assert refused(client, b"x" * 1000, RAW) == (429, "too-much-at-once")
    service.intake.give_room(taken.pop())
    assert client.post("/predict", content=b"x" * 1000, headers=RAW).status_code == 200


def test_headers_without_end_are_cut_off(listening: Listening):
    endless = b"GET / HTTP/1.1\r\n" + b"X-A: %s\r\n" % (b"a" * 1000) * 80
    with listening.connect() as connection:
        connection.sendall(endless)
        answer = io.BytesIO(heard(connection))
    assert status_of(answer.getvalue()) == 431


@pytest.mark.parametrize("trailer", [b"X-A: " + b"a" * 1000 + b"\r\n", b"a" * 1000], ids=["many", "one"])
@pytest.mark.parametrize("path", ["GET /healthz", "POST /predict"])
def test_headers_behind_a_body_are_cut_off_too(listening: Listening, path: str, trailer: bytes):
    head = listening.head(path, *_headers(RAW), "Transfer-Encoding: chunked")
    with listening.connect() as connection:
        connection.sendall(head + b"1\r\nx\r\n0\r\nX: ")
        with pytest.raises(ConnectionError):
            connection.sendall(trailer * 20_000)  # 20 MB, more than lies between two sockets


def test_headers_behind_a_body_open_nothing(listening: Listening):
    head = listening.head("POST /predict", *_headers(RAW), "Transfer-Encoding: chunked", token="wrong")
    answer = listening.hear(head + b"1\r\nx\r\n0\r\nAuthorization: Bearer " + TOKEN.encode() + b"\r\n\r\n")
    assert status_of(answer) == 401


def test_an_answer_that_nobody_reads_is_not_kept_for_ever(service: Service):
    class Endless:
        async def __call__(self, scope: object, receive: object, send: Callable[..., Any]) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while True:
                await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": True})
                sent.append(1)
                if gone.is_set():
                    return

    sent: list[int] = []
    gone = threading.Event()

    class Watched(Impatient):
        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            gone.set()

    server = Listening(Endless(), Watched)  # type: ignore[arg-type]
    with server.connect() as connection:
        connection.sendall(server.head("GET /"))
        assert gone.wait(20)  # although we neither read nor close
    server.close()
    assert len(sent) < 64


def test_what_is_no_http_is_refused_in_the_same_form(listening: Listening):
    answer = listening.hear(b"\x16\x03\x01\x02\x00 hello\r\n\r\n")
    assert status_of(answer) in (400, 405)
    assert b"application/problem+json" in answer


def test_old_tokens_die_with_a_new_file(tmp_path: Path, service: Service):
    file = tmp_path / "tokens"
    file.write_text(f"predict {TOKEN}\n")
    keys = Keys.from_file(file)
    assert keys.allowed_by(TOKEN.encode()) == "predict"
    file.write_text("admin another-token-of-tests\n")
    keys.look_again()
    assert keys.allowed_by(TOKEN.encode()) is None
    assert keys.allowed_by(b"another-token-of-tests") == "admin"


def test_a_request_on_its_way_when_the_server_stops_is_answered(service: Service, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(limited_protocol, "LAST_MOMENT_S", 5.0)
    listening = Listening(app_of(service), Protocol)
    question = listening.head("GET /healthz")
    with listening.connect() as used, listening.connect() as new:
        used.sendall(question)
        assert status_of(next_answer(used)) == 200
        listening.server.should_exit = True
        while listening.server.servers and listening.server.servers[0].is_serving():
            time.sleep(0.01)
        for connection in (used, new):
            connection.sendall(question)
            answer = heard(connection)
            assert status_of(answer) == 200
            assert b"connection: close" in answer.lower()
    listening.close()
