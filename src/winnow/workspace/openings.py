"""Openings: every look at a test split is counted, because only the first one is honest.

Choosing between models by their test figures makes the best figure optimistic; the count says how much
choosing there can have been (Blum and Hardt, 2015, "The Ladder: A Reliable Leaderboard for Machine Learning
Competitions"). Versions of a dataset share most of their test pictures, so they share the count.
"""

from __future__ import annotations

from sqlalchemy import func, insert, select

from winnow.workspace.database import Database
from winnow.workspace.datasets import now, require
from winnow.workspace.records import Opening
from winnow.workspace.tables import openings


def record_opening(database: Database, dataset: str, version: int, model: str, model_digest: str) -> Opening:
    """Count this look, unless this very model was measured on this very version before."""
    with database.write() as connection:
        dataset_id = require(connection, dataset).id
        count = connection.scalar(select(func.max(openings.c.number)).where(openings.c.dataset_id == dataset_id)) or 0
        earlier = connection.scalar(
            select(openings.c.number).where(
                openings.c.dataset_id == dataset_id,
                openings.c.version == version,
                openings.c.model_digest == model_digest,
            )
        )
        if earlier is not None:
            return Opening(number=earlier, count=count, is_new=False)
        connection.execute(
            insert(openings).values(
                dataset_id=dataset_id,
                number=count + 1,
                version=version,
                model_digest=model_digest,
                model=model,
                opened=now(),
            )
        )
    return Opening(number=count + 1, count=count + 1, is_new=True)
