"""Check: what is wrong with a dataset, how bad it is, and what would mend it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from winnow.api.dataset import Dataset, dataset_named, using
from winnow.api.health_numbers import health_part, subject_of
from winnow.api.loading import EXAMPLE, load
from winnow.api.shelves import shelves
from winnow.data.blobs import BlobStore
from winnow.data.decode import decode
from winnow.data.health import check as find_all
from winnow.data.health.finding import Finding
from winnow.data.paths import is_there
from winnow.errors import UserError
from winnow.events import Note, Tell, tell_nobody
from winnow.graph.backbone import choose_backbone
from winnow.machine import cores
from winnow.report.health_page import as_health_page
from winnow.report.health_schema import HealthPart
from winnow.report.page.health import pictures_shown
from winnow.report.thumbnails import thumbnail
from winnow.workspace.workspace import Workspace, default_folder

Thumbnails = Callable[[str], bytes | None]


@dataclass(frozen=True)
class Health:
    """What a check found.

    Attributes:
        numbers: all of it as one document (`winnow.report.health_schema.HealthPart`).
        findings: with the edits that would mend them, serious ones first.
        thumbnails: gives an encoded small picture by content hash, or None.
    """

    numbers: HealthPart
    findings: tuple[Finding, ...]
    thumbnails: Thumbnails = field(repr=False, compare=False)

    @property
    def is_serious(self) -> bool:
        """Whether something would make later figures wrong."""
        return any(finding.severity == "serious" for finding in self.findings)

    def find(self, kind: str) -> Finding | None:
        """The (most serious) finding of a kind, such as "duplicates"; None where there is none."""
        return next((finding for finding in self.findings if finding.kind == kind), None)

    def to_json(self) -> dict[str, Any]:
        """All numbers as plain values."""
        return self.numbers.model_dump(mode="json")

    def save(self, path: str | Path) -> Path:
        """Write it where the user wants it: `.html` a page with the pictures, `.json` the numbers.

        Raises:
            UserError: another ending, or the place cannot be written.
        """
        target = Path(path).expanduser()
        if target.suffix == ".html":
            text = as_health_page(self.numbers, self.thumbnails)
        elif target.suffix == ".json":
            text = self.numbers.model_dump_json(indent=1)
        else:
            raise UserError(f"A check is saved as .html or .json, not as '{target.name}'.")
        try:
            target.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UserError(
                f"The check cannot be written to {target} ({error.strerror}); choose another place."
            ) from error
        return target

    def __str__(self) -> str:
        said = [f"{finding.severity}: {finding.sentence}" for finding in self.findings]
        return "\n".join([self.numbers.in_short(), *said])


def check(
    source: Any,
    y: Any = None,
    *,
    backbone: str | Path | None = None,
    seed: int = 0,
    workspace: str | Path | Workspace | None = None,
    tell: Tell = tell_nobody,
) -> Health:
    """What is wrong with a dataset: copies, leaks, wrong labels, shortcuts, unreadable and odd pictures ...

    What is not in the workspace yet is imported into a temporary one, which is gone afterwards; the files are only
    read.

    Args:
        source: a `Dataset`, the name of one (even where a folder here is called so, too: give ./name for that), or
            anything that `winnow.load` takes.
        y: labels (N,) where `source` is an array or a list of pictures.
        backbone: a backbone's folder, or the name of one at hand; None: the first at hand; "none": do without.
            With one, labels are judged far better.
        seed: of the folds.
        workspace: a folder; default: WINNOW_WORKSPACE, else ~/.winnow.
        tell: hears progress.

    Raises:
        BadDataError: nothing can be imported.
        NotFoundError: no such dataset, file or backbone.
    """
    with _opened(source, y, workspace, tell) as (data, is_temporary):
        health = check_dataset(data, backbone=backbone, seed=seed, tell=tell)
        return _kept(health) if is_temporary else health


def check_dataset(
    data: Dataset, *, backbone: str | Path | None = None, seed: int = 0, tell: Tell = tell_nobody
) -> Health:
    """`check` of a dataset version in a workspace."""
    start = time.perf_counter()
    # A temporary workspace has no backbones of its own: those of the user's are looked at, too.
    at_hand = choose_backbone(backbone, shelves(data.workspace, None))
    subject, notes = subject_of(data, at_hand, seed, tell)
    findings = find_all(subject)
    numbers = health_part(data, subject, findings, notes, time.perf_counter() - start)
    return Health(numbers, findings, _thumbnails(data.workspace.blobs))


@contextmanager
def _opened(
    source: Any, y: Any, workspace: str | Path | Workspace | None, tell: Tell
) -> Generator[tuple[Dataset, bool]]:
    """The dataset meant by `source`, and whether it lies in a workspace that will be gone."""
    if isinstance(source, Dataset):
        yield source, False
        return
    if isinstance(source, str) and y is None and is_there(source) and _is_home(workspace):
        # "winnow import photos" answers with "winnow check photos": the edits made since lie in the dataset alone.
        with using(workspace) as home:
            record = next((one for one in home.datasets() if one.name == source and one.newest is not None), None)
            if record is not None:
                tell(Note(f"This is the dataset '{source}'; the files of that name are checked as ./{source}"))
                yield dataset_named(home, record.name), False
                return
    if isinstance(source, str) and y is None and not is_there(source):
        with using(workspace) as home:
            if source != EXAMPLE or EXAMPLE in {record.name for record in home.datasets()}:
                yield load(source, workspace=home, tell=tell), False
                return
    tell(Note("This is not in the workspace: it is imported into a temporary one for the check, and not kept."))
    with tempfile.TemporaryDirectory(prefix="winnow-check-") as folder, Workspace.open(Path(folder)) as temporary:
        yield load(source, y, workspace=temporary, tell=tell), True


def _is_home(workspace: str | Path | Workspace | None) -> bool:
    """Is the workspace there already? A check of files makes none."""
    if isinstance(workspace, Workspace):
        return True
    return is_there((default_folder() if workspace is None else Path(workspace)).expanduser() / "winnow.db")


def _kept(health: Health) -> Health:
    """With its thumbnails in memory, since the workspace is about to go."""
    contents = sorted(set(pictures_shown(health.numbers)))
    with ThreadPoolExecutor(cores()) as pool:
        kept = dict(zip(contents, pool.map(health.thumbnails, contents), strict=True))
    return Health(health.numbers, health.findings, kept.get)


def _thumbnails(blobs: BlobStore) -> Thumbnails:
    def picture(content: str) -> bytes | None:
        try:
            return thumbnail(decode(blobs.read(content), at_least_px=96).pixels)
        except UserError:
            return None  # the picture was removed since; the page shows its name alone

    return picture
