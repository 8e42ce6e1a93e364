"""What a job says, one line of JSON each, for any number of readers anywhere and for the day after tomorrow.

A line's place in the file is the event's number, from 1. One process writes; whoever reads finds whole lines only,
and what a kill left of a line is cut off before the next writer goes on.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from winnow.events import Event, as_json, from_json

FILE = "events.jsonl"


@dataclass(frozen=True, slots=True)
class Told:
    """An event of a job: the running number counts from 1, also across restarts of its worker."""

    number: int
    at: datetime
    """In UTC."""
    event: Event


class EventWriter:
    """Appends to the events in `folder`; only who holds the job's claim may.

    Raises:
        OSError: there, and in `append`: the disk refused; the event is lost, and no other one.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / FILE).open("a+b", buffering=0)
        self._guard = threading.Lock()
        self._file.seek(0)
        self._file.truncate(self._file.read().rfind(b"\n") + 1)

    def append(self, event: Event, at: datetime) -> None:
        """Write an event; readers see it when this returns."""
        # `item`: a number that came out of an array.
        value = {"at": at.isoformat(), **as_json(event)}
        line = json.dumps(value, default=lambda number: number.item()).encode() + b"\n"
        with self._guard:
            end = self._file.seek(0, os.SEEK_END)
            if self._file.write(line) != len(line):  # the disk is full: half a line would spoil the next
                self._file.truncate(end)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class EventReader:
    """Reads the events in `folder`; remembers where it was, so that following a long climb stays cheap."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._number, self._byte = 0, 0

    def after(self, number: int) -> list[Told]:
        """The events behind `number`, in order; none if nothing was said yet."""
        if number < self._number:
            self._number, self._byte = 0, 0
        try:
            with self._path.open("rb") as file:
                file.seek(self._byte)
                said = file.read()
        except FileNotFoundError:
            return []
        lines = [line + b"\n" for line in said.split(b"\n")[:-1]]
        passed = lines[: number - self._number]
        first = self._number + len(passed) + 1
        # The reader stays before what it gives now: who asks for the same again gets the same.
        self._number, self._byte = first - 1, self._byte + sum(map(len, passed))
        return list(_told(lines[len(passed) :], first))


def _told(lines: list[bytes], first: int) -> Iterator[Told]:
    for number, line in enumerate(lines, first):
        try:
            value = json.loads(line)
            at = datetime.fromisoformat(value.pop("at"))
            yield Told(number, at.astimezone(UTC), from_json(value))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue  # what a power cut made of a line; its number stays free
