"""Climbs: what was asked, how far it got, and whether somebody is running it now."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from winnow.errors import NotFoundError
from winnow.workspace.claim import Claim
from winnow.workspace.database import Database
from winnow.workspace.datasets import now, require
from winnow.workspace.names import shown
from winnow.workspace.records import ClimbRecord, ClimbState
from winnow.workspace.tables import climbs, datasets

# A climb that failed is not resumed: what made it fail may lie in its folder.
_RESUMABLE = ("running", "interrupted")


def spec_digest(spec: Mapping[str, Any]) -> str:
    """SHA-256 of the spec's JSON, independent of the order of its keys."""
    text = json.dumps(spec, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


class ClimbStore:
    """The climbs of one workspace; each has a folder of its own for what it writes while it runs."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._claims: dict[str, Claim] = {}

    def start(self, dataset: str, version: int, spec: Mapping[str, Any]) -> ClimbRecord:
        """A new climb, claimed by this process; see `Workspace.start_climb`."""
        climb_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        with self._database.write() as connection:
            row = require(connection, dataset)
            self._claim(climb_id)
            connection.execute(
                insert(climbs).values(
                    id=climb_id,
                    dataset_id=row.id,
                    version=version,
                    spec=json.dumps(spec, sort_keys=True, allow_nan=False),
                    spec_digest=spec_digest(spec),
                    state="running",
                    started=now(),
                )
            )
            return self._require(connection, climb_id)

    def find_unfinished(self, dataset: str, version: int, digest: str) -> ClimbRecord | None:
        """The newest climb of that spec that nobody runs any more; see `Workspace.find_unfinished_climb`."""
        with self._database.write() as connection:
            rows = connection.execute(
                select(climbs.c.id)
                .where(
                    climbs.c.dataset_id == require(connection, dataset).id,
                    climbs.c.version == version,
                    climbs.c.spec_digest == digest,
                    climbs.c.state.in_(_RESUMABLE),
                )
                .order_by(climbs.c.started.desc(), climbs.c.id.desc())
            ).all()
            for row in rows:
                if self._claim(row.id):
                    connection.execute(
                        update(climbs).where(climbs.c.id == row.id).values(state="running", finished=None)
                    )
                    return self._require(connection, row.id)
        return None

    def finish(self, climb_id: str, state: ClimbState, *, verdict: str | None, seconds: float | None) -> ClimbRecord:
        """Write down how a climb ended and let go of it; see `Workspace.finish_climb`."""
        with self._database.write() as connection:
            self._require(connection, climb_id)
            connection.execute(
                update(climbs)
                .where(climbs.c.id == climb_id)
                .values(state=state, verdict=verdict, seconds=seconds, finished=now())
            )
            record = self._require(connection, climb_id)
        self._release(climb_id)
        return record

    def of_dataset(self, dataset: str) -> list[ClimbRecord]:
        """All climbs on a dataset, oldest first."""
        with self._database.read() as connection:
            row = require(connection, dataset)
            rows = connection.execute(
                _with_dataset().where(climbs.c.dataset_id == row.id).order_by(climbs.c.started, climbs.c.id)
            )
            return [self._record(climb) for climb in rows]

    def release_all(self) -> None:
        """Let go of every climb this process has claimed."""
        for climb_id in list(self._claims):
            self._release(climb_id)

    def folder(self, climb_id: str) -> Path:
        """Where a climb writes."""
        return self._folder / climb_id

    def _claim(self, climb_id: str) -> bool:
        claim = Claim.take(self.folder(climb_id))
        if claim is not None:
            self._claims[climb_id] = claim
        return claim is not None

    def _release(self, climb_id: str) -> None:
        claim = self._claims.pop(climb_id, None)
        if claim is not None:
            claim.release()

    def _require(self, connection: Connection, climb_id: str) -> ClimbRecord:
        row = connection.execute(_with_dataset().where(climbs.c.id == climb_id)).first()
        if row is None:
            raise NotFoundError(f"No climb has the id {shown(climb_id)}. See what is there: winnow list.")
        return self._record(row)

    def _record(self, row: Row[Any]) -> ClimbRecord:
        return ClimbRecord(
            id=row.id,
            dataset=row.dataset,
            version=row.version,
            spec=json.loads(row.spec),
            spec_digest=row.spec_digest,
            state=row.state,
            verdict=row.verdict,
            seconds=row.seconds,
            started=row.started,
            finished=row.finished,
            folder=self.folder(row.id),
        )


def _with_dataset() -> Any:
    return select(climbs, datasets.c.name.label("dataset")).join(datasets)
