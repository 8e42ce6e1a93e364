"""Checks of datasets under way and over, kept while the studio runs; the page Label looks at the same ones."""

from __future__ import annotations

from winnow.api.dataset import Dataset
from winnow.api.fixing import Fixed
from winnow.api.health import Health, check_dataset
from winnow.data.health.finding import Finding
from winnow.events import Tell
from winnow.studio.background import Background
from winnow.studio.per_workspace import PerWorkspace
from winnow.workspace.workspace import Workspace


class Checks:
    """The newest check of each dataset of one workspace, and what was mended by it last."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._all: dict[str, tuple[int, Background[Health]]] = {}
        self.last_fix: dict[str, Fixed] = {}
        """By dataset: what can be undone."""

    def begin(self, data: Dataset) -> Background[Health]:
        """Check this version; the same work as before where it was asked for already and did not fail."""
        version, work = self._all.get(data.name, (0, None))
        if work is not None and version == data.version and work.state in ("running", "done"):
            return work
        if work is not None and work.is_running:
            work.stop()  # of an older version: nobody looks at it any more

        def run(tell: Tell) -> Health:
            return check_dataset(data, tell=tell)

        self._all[data.name] = data.version, (work := Background(run))
        return work

    def health(self, name: str) -> Health | None:
        """What the newest check of a dataset found, of whatever version; None where there is none yet.

        Its findings name pictures by source, which means the same in later versions.
        """
        _, work = self._all.get(name, (0, None))
        return None if work is None else work.outcome


def pictures_of(finding: Finding) -> tuple[str, ...]:
    """The pictures that a finding is about, by source: the most telling first, then all others that a fix would touch.

    A finding keeps at most 100 examples; those beyond are known only where it has a fix.
    """
    touched = (picture for fix in finding.fixes for edit in fix.edits for picture in edit.pictures)
    shown = (one.source for one in finding.examples if one.content)
    return tuple(dict.fromkeys((*shown, *touched)))


checks_of = PerWorkspace(Checks)
"""The checks of a workspace, the same for all pages."""
