"""`winnow.Client`: asks a server as `winnow.Model` is asked, and gets the same answers."""

from __future__ import annotations

import glob
import secrets
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, cast
from urllib.parse import quote, urlencode

from winnow.api.model import Prediction
from winnow.api.pictures import Given, pictures_of
from winnow.data.paths import is_there
from winnow.errors import NotFoundError, UserError, did_you_mean
from winnow.serve.connection import Answered, Connection, refuse, sentence_of
from winnow.serve.patience import CallTime, Patience
from winnow.serve.refusals import BUSY_CODES

PATIENCE_S = 60.0
_AT_ONCE = 4
"""Requests on their way together: they keep a few cores busy, and leave the queue to others."""
_ITEMS, _ITEM_BYTES = 16, 8 << 20
"""Of one request at most: well within what a server takes."""


@dataclass(frozen=True, slots=True)
class RemoteVersion:
    """One version of a model, as the server describes it.

    Attributes:
        model: its name.
        version: such as "2".
        share: of the model's questions, in [0, 1].
        task: "classify" or "multilabel"; "" for a graph that takes tensors.
        classes: in the order of its probabilities.
    """

    model: str
    version: str
    share: float
    task: str
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Item:
    place: int
    source: str
    data: bytes


_Answer = tuple[Prediction, bool]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The model that a person means, and what its answers look like.

    Attributes:
        asked: as `predict` takes it: the name, with a version if one was named; None: the server's first model.
        model: its name.
        version: the one that was named, else the one that gets most questions.
        task: of that version.
        classes: of that version.
        is_named: the word named it; else the word is a picture's.
    """

    asked: str | None
    model: str
    version: str
    task: str
    classes: tuple[str, ...]
    is_named: bool


class Client:
    """A server's models, asked as `winnow.Model` is.

    Args:
        url: of the server, such as "http://127.0.0.1:8000".
        token: that it was started with; None: the environment's WINNOW_TOKEN.
        allow_insecure: send the token over plain http to another machine, where anybody on the way can read it.
        patience_s: how long to ask a busy server again, since it last answered, before giving up.
        timeout_s: how long one call may take in all, questions asked again included; None: as long as there is
            progress. A single request has 120 s in any case.

    Raises:
        UserError: the address cannot be one, the token would be sent in the clear, or a time makes no sense.

    >>> client = winnow.Client("http://127.0.0.1:8000")  # doctest: +SKIP
    >>> client.predict("sky.jpg")  # doctest: +SKIP
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        allow_insecure: bool = False,
        patience_s: float = PATIENCE_S,
        timeout_s: float | None = None,
    ) -> None:
        self._connection = Connection(url, token, allow_insecure=allow_insecure)
        if not patience_s >= 0:
            raise UserError(f"A patience of {patience_s:g} s makes no sense: 0 s and more do.")
        if timeout_s is not None and not timeout_s > 0:
            raise UserError(f"A timeout of {timeout_s:g} s makes no sense: give more than 0 s, or None.")
        self._patience_s, self._timeout_s = patience_s, timeout_s

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def models(self) -> list[RemoteVersion]:
        """What the server serves, its first model first.

        Raises:
            UserError: nobody answers there, or the token is not taken.
            BusyServerError: the server stayed busy, or the time is over.
        """
        answered = self._connection.ask("GET", "/models", Patience(self._patience_s, CallTime(self._timeout_s)))
        if answered.status != 200:
            raise refuse(answered, self._connection.url)
        try:
            return [
                _version(str(model["name"]), one) for model in answered.value["models"] for one in model["versions"]
            ]
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise self._odd(answered) from error

    def choose(self, word: str) -> Chosen:
        """The model that a word names, such as "clouds" or "clouds@2"; the server's first if it names a file.

        Raises:
            NotFoundError: it names neither a model that is served nor a file.
            UserError: the server cannot be asked.
        """
        served = self.models()
        name, _, version = word.partition("@")
        there = [one for one in served if one.model == name and version in ("", one.version)]
        is_named = bool(there) and not any(mark in word for mark in "/\\")
        if not is_named:
            if not is_there(Path(word)) and not glob.has_magic(word):
                known = {one.model for one in served} | {f"{one.model}@{one.version}" for one in served}
                hint = did_you_mean(word, known, otherwise=f"The server has {', '.join(sorted(known))}.")
                raise NotFoundError(f"'{word}' is neither a model at {self._connection.url} nor a file here. {hint}")
            there = [one for one in served if one.model == served[0].model] if served else []
        if not there:
            raise NotFoundError(f"{self._connection.url} serves no model.")
        best = max(there, key=lambda one: one.share)
        asked = word if is_named else None
        return Chosen(asked, best.model, best.version, best.task, best.classes, is_named)

    def predict(self, pictures: Any, *, model: str | None = None) -> list[Prediction]:
        """Answers with calibrated probabilities, in the order given, as `Model.predict` gives them.

        Files are sent as they are. A picture that cannot be read costs its own answer (`error` says why).

        Args:
            pictures: a path, folder or pattern, bytes, a PIL image, an array (H, W, 3) or (N, H, W, 3), or a list
                of these.
            model: its name, or name and version such as "clouds@2"; None: the server's first.

        Raises:
            NotFoundError: a file is not there, or the server has no such model.
            UserError: nobody answers there, or the token is not taken.
            BusyServerError: the server stayed busy, or the time is over; nothing is known of any picture then.
        """
        return [prediction for prediction, _ in self.answers(pictures_of(pictures), model=model)]

    def answers(self, given: Sequence[Given], *, model: str | None = None) -> Iterator[tuple[Prediction, bool]]:
        """`predict` one after the other, for many pictures, each with whether the server calls it sure."""
        name, _, version = (model or "").partition("@")
        asked = {key: value for key, value in (("model", name), ("version", version)) if value}
        path = "/predict" + (f"?{urlencode(asked, quote_via=quote)}" if asked else "")
        call = CallTime(self._timeout_s)
        waiting: deque[Future[list[_Answer]]] = deque()
        pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="winnow-client")
        try:
            for batch in _batches(given):
                waiting.append(pool.submit(self._answer_all, path, batch, call))
                if len(waiting) > _AT_ONCE:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _answer_all(self, path: str, batch: list[_Item | Prediction], call: CallTime) -> list[_Answer]:
        """The answers of a batch in its order; what could not be read is in it as it shall be answered."""
        found: dict[int, _Answer] = {}
        items = [one for one in batch if isinstance(one, _Item)]
        found.update({place: (one, False) for place, one in enumerate(batch) if isinstance(one, Prediction)})
        patience = Patience(self._patience_s, call)
        loads = [items] if items else []
        while loads:
            load = loads.pop()
            answered = self._ask(path, load, patience)
            # The server's limits may be lower than ours: half of it, then.
            if answered.status == 413 and len(load) > 1:
                loads += [load[len(load) // 2 :], load[: len(load) // 2]]
                continue
            left = self._take(answered, load, found)
            if len(left) < len(load):
                patience.renew()
            if left:
                patience.wait(answered.retry_after_s, "The server is busy.")
                loads.append(left)
        return [found[place] for place in range(len(batch))]

    def _ask(self, path: str, load: list[_Item], patience: Patience) -> Answered:
        boundary = secrets.token_hex(16)
        parts: list[bytes] = []
        for item in load:
            # Places for names: a file's own may hold anything, and need not leave this machine.
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="{item.place}"\r\n'
            parts += [head.encode(), b"Content-Type: application/octet-stream\r\n\r\n", item.data, b"\r\n"]
        body = b"".join([*parts, f"--{boundary}--\r\n".encode()])
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return self._connection.ask("POST", path, patience, body=body, headers=headers)

    def _take(self, answered: Answered, load: list[_Item], found: dict[int, _Answer]) -> list[_Item]:
        """Put answers in their places; gives the items that a busy server left out."""
        if answered.status == 413:
            (only,) = load
            found[only.place] = _unanswered(only.source, sentence_of(answered)), False
            return []
        if answered.status != 200:
            raise refuse(answered, self._connection.url)
        told = answered.value.get("predictions")
        if not isinstance(told, list) or len(cast("list[Any]", told)) != len(load):
            raise self._odd(answered)
        left: list[_Item] = []
        for item, one in zip(load, cast("list[Any]", told), strict=True):
            try:
                if one["error"] is not None and one["error"]["code"] in BUSY_CODES:
                    left.append(item)
                else:
                    found[item.place] = _prediction(item.source, one)
            except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
                raise self._odd(answered) from error
        return left

    def _odd(self, answered: Answered) -> UserError:
        return UserError(
            f"{self._connection.url} answers in a way that this version of Winnow does not know: is it a server of a "
            f"newer Winnow? Update: pip install --upgrade winnow (status {answered.status})"
        )


def _version(model: str, told: dict[str, Any]) -> RemoteVersion:
    classes = tuple(str(name) for name in told["classes"])
    return RemoteVersion(model, str(told["version"]), float(told["share"]), str(told["task"]), classes)


def _batches(given: Sequence[Given]) -> Iterator[list[_Item | Prediction]]:
    batch: list[_Item | Prediction] = []
    n_bytes = 0
    for one in given:
        try:
            data = one.file()
        except UserError as error:
            batch.append(_unanswered(one.source, str(error)))
            data = None
        if data is not None:
            if n_bytes + len(data) > _ITEM_BYTES and batch:
                yield batch
                batch, n_bytes = [], 0
            batch.append(_Item(len(batch), one.source, data))
            n_bytes += len(data)
        if len(batch) >= _ITEMS:
            yield batch
            batch, n_bytes = [], 0
    if batch:
        yield batch


def _unanswered(source: str, why: str) -> Prediction:
    return Prediction(source, None, None, {}, why)


def _prediction(source: str, told: dict[str, Any]) -> _Answer:
    error = told["error"]
    if error is not None:
        code, reason = str(error["code"]), str(error["reason"])
        # As the pictures that are read here are refused.
        why = f"{reason} ({code})" if code.startswith("E_") and not reason.endswith(f"({code})") else reason
        return _unanswered(source, why), False
    probs = {str(name): float(prob) for name, prob in told["probs"].items()}
    label, prob = told["label"], told["prob"]
    labels = tuple(str(name) for name in told["labels"])
    one = Prediction(
        source,
        None if label is None else str(label),
        None if prob is None else float(prob),
        probs,
        labels=labels,
    )
    return one, bool(told["is_sure"])
