"""Finished models: the newest of a name is the one the bare name means, older ones stay as name@1, name@2."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from winnow.data.whole_files import make_names_durable
from winnow.errors import NotFoundError, did_you_mean
from winnow.workspace.database import Database
from winnow.workspace.datasets import now, require
from winnow.workspace.names import same_name_key, shown, valid_name
from winnow.workspace.records import ModelRecord
from winnow.workspace.tables import datasets, models


class ModelStore:
    """The models of one workspace, in ``models/<name>/<number>/``."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    def add(
        self, name: str | None, climb_id: str | None, dataset: str, version: int, digest: str, made_in: Path
    ) -> ModelRecord:
        """Move a finished model into the workspace; see `Workspace.add_model`."""
        with self._database.write() as connection:
            home = require(connection, dataset)
            wanted = home.name if name is None else valid_name(name)
            newest = connection.execute(_by_key(wanted).order_by(models.c.number.desc())).first()
            if newest is not None and _is_same(newest, digest, home.id, version):
                return self._record(newest, newest.number)
            # The first spelling of a name stays: it is a folder.
            title: str = wanted if newest is None else newest.name
            number: int = 1 if newest is None else newest.number + 1
            move_in(made_in, self.folder(title, number))
            connection.execute(
                insert(models).values(
                    name=title,
                    key=same_name_key(title),
                    number=number,
                    dataset_id=home.id,
                    version=version,
                    climb_id=climb_id,
                    digest=digest,
                    created=now(),
                )
            )
            return self._require(connection, f"{title}@{number}")

    def find(self, name: str) -> ModelRecord:
        """The newest model of that name, or the very one that ``name@2`` means.

        Raises:
            NotFoundError: there is none; says which are near.
        """
        with self._database.read() as connection:
            return self._require(connection, name)

    def all(self) -> list[ModelRecord]:
        """All models by name, then number."""
        with self._database.read() as connection:
            rows = connection.execute(_everything().order_by(models.c.key, models.c.number)).all()
        newest = {row.key: row.number for row in rows}
        return [self._record(row, newest[row.key]) for row in rows]

    def of_dataset(self, connection: Connection, dataset_id: int) -> list[ModelRecord]:
        """The models that were trained on any version of a dataset."""
        rows = connection.execute(_everything().where(models.c.dataset_id == dataset_id).order_by(models.c.id))
        return [self._record(row, row.number) for row in rows]

    def named(self, connection: Connection, name: str) -> list[ModelRecord]:
        """What ``name`` covers for a removal: all numbers of a bare name, one of ``name@2``."""
        base, number = split_number(name)
        asked = self._require(connection, name)
        if number is not None:
            return [asked]
        rows = connection.execute(_by_key(base).order_by(models.c.number))
        return [self._record(row, asked.number) for row in rows]

    def folder(self, name: str, number: int) -> Path:
        """Where the files of a model lie."""
        return self._folder / name / str(number)

    def _require(self, connection: Connection, name: str) -> ModelRecord:
        base, number = split_number(name)
        rows = connection.execute(_by_key(base).order_by(models.c.number)).all()
        newest = rows[-1].number if rows else None
        for row in rows:
            if row.number == (newest if number is None else number):
                return self._record(row, row.number if newest is None else newest)
        if rows:
            there = ", ".join(f"{row.name}@{row.number}" for row in rows)
            raise NotFoundError(f"No model is called {shown(name)}. There are {there}.")
        known = connection.scalars(select(models.c.name).distinct()).all()
        if not known:
            raise NotFoundError(f"No model is called {shown(name)}. There is none yet; make one: winnow train FOLDER.")
        hint = did_you_mean(base, known, otherwise="See what is there: winnow list.")
        raise NotFoundError(f"No model is called {shown(name)}. {hint}")

    def _record(self, row: Row[Any], newest: int) -> ModelRecord:
        return ModelRecord(
            name=row.name,
            number=row.number,
            dataset=row.dataset,
            version=row.version,
            climb_id=row.climb_id,
            digest=row.digest,
            created=row.created,
            is_current=row.number == newest,
            folder=self.folder(row.name, row.number),
        )


def split_number(name: str) -> tuple[str, int | None]:
    """``"clouds@2"`` is ("clouds", 2), ``"clouds"`` is ("clouds", None)."""
    base, at, number = name.rpartition("@")
    return (base, int(number)) if at and number.isdecimal() and len(number) < 10 else (name, None)


def move_in(source: Path, target: Path) -> None:
    """Make the folder `source` the folder `target`, whole or not at all, and wait until the disk holds it.

    What a killed move has left at `target` is replaced.
    """
    for path in source.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        shutil.rmtree(target)
    try:
        source.replace(target)
    except OSError:
        # Another disk: copy beside the target first.
        partial = Path(tempfile.mkdtemp(dir=target.parent, prefix=".partial-"))
        try:
            shutil.copytree(source, partial, dirs_exist_ok=True)
            partial.replace(target)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        shutil.rmtree(source)
    make_names_durable(target)
    make_names_durable(target.parent)


def _is_same(row: Row[Any], digest: str, dataset_id: int, version: int) -> bool:
    return (row.digest, row.dataset_id, row.version) == (digest, dataset_id, version)


def _everything() -> Any:
    return select(models, datasets.c.name.label("dataset")).join(datasets, models.c.dataset_id == datasets.c.id)


def _by_key(name: str) -> Any:
    return _everything().where(models.c.key == same_name_key(name))
