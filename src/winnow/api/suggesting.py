"""Suggest: which pictures to label next, what each may be, which labels look wrong; by a model that learns along."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from winnow.api.dataset import Dataset, dataset_named, using
from winnow.api.shelves import shelves
from winnow.data.health.label_errors import label_issues, multilabel_issues
from winnow.data.manifest import Example
from winnow.data.splits import clusters as find_clusters
from winnow.errors import UserError, did_you_mean
from winnow.events import Progress, Tell, tell_nobody
from winnow.graph.backbone import Backbone, choose_backbone
from winnow.graph.features import FeatureGraph, FeatureStore, PictureReader, Rows
from winnow.graph.formats import FormatChoice
from winnow.tasks.classify.asking import Guesses, learn, most_useful, typicality, uncertainty, unit_rows
from winnow.tasks.classify.out_of_fold import out_of_fold, out_of_fold_multilabel
from winnow.workspace.workspace import Workspace

How = Literal["useful", "uncertain", "typical", "wrong"]
HOWS: tuple[How, ...] = get_args(How)
MOST_LOOKED_AT = 20_000
"""Of more pictures a draw is looked at: memory stays below some 200 MB, and a new guess takes seconds."""
_BLOCK = 256
Labels = Sequence[Sequence[str] | None]
Places = npt.NDArray[np.int64]
Guess = tuple[tuple[str, ...], float]
"""The classes suggested for a picture, and how probable they are."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One picture, and what it may be.

    Attributes:
        source: of the picture.
        labels: that it has; None: unlabelled.
        suggested: what the model would call it; () while there is no model.
        prob: how probable the model finds that, in [0, 1]; None while there is no model.
    """

    source: str
    labels: tuple[str, ...] | None
    suggested: tuple[str, ...]
    prob: float | None

    def to_json(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def suggest(
    dataset: str | Dataset,
    *,
    how: str = "useful",
    most: int = 60,
    backbone: str | Path | None = None,
    seed: int = 0,
    workspace: str | Path | Workspace | None = None,
    tell: Tell = tell_nobody,
) -> list[Suggestion]:
    """Pictures to look at next, best first.

    A logistic regression on a backbone's features learns from the labels so far. With fewer than two classes labelled,
    the useful pictures are typical ones that differ from each other.

    Args:
        dataset: its name, or a `Dataset`.
        how: "useful": unlabelled pictures whose labels would teach most; "uncertain": unlabelled ones, the closest
            calls first; "typical": what its class looks like, the most typical first; "wrong": labels that a model
            which had not seen the picture contradicts.
        most: how many.
        backbone: as in `winnow.train`.
        seed: of draws and folds.
        workspace: a folder; default: WINNOW_WORKSPACE, else ~/.winnow.
        tell: hears progress.

    Raises:
        UserError: no backbone is at hand, or `how` is none of these.
        NotFoundError: no such dataset or backbone.
    """
    chosen = _how(how)
    with using(dataset.workspace if isinstance(dataset, Dataset) else workspace) as home:
        data = dataset if isinstance(dataset, Dataset) else dataset_named(home, dataset)
        examples = data.examples()
        pupil = Pupil(home, [example.content for example in examples], backbone=backbone, seed=seed)
        pupil.look(tell)
        labels = [example.labels for example in examples]
        pupil.learn(labels, has_several=data.manifest.task == "multilabel")
        rows = pupil.order(chosen, labels, most, _clusters_of(examples))
        return [_suggestion(examples[row], pupil.contradictions.get(row) or pupil.guess(row)) for row in rows]


def _suggestion(example: Example, guess: Guess | None) -> Suggestion:
    return Suggestion(example.source, example.labels, guess[0] if guess else (), guess[1] if guess else None)


def _how(how: str) -> How:
    for known in HOWS:
        if how == known:
            return known
    hint = did_you_mean(how, HOWS, otherwise=f"Choose {', '.join(HOWS)}.")
    raise UserError(f"Pictures cannot be suggested by '{how}'. {hint}")


def _clusters_of(examples: Sequence[Example]) -> npt.NDArray[np.int64]:
    return find_clusters([example.pixels for example in examples], [example.group for example in examples])


class Pupil:
    """Looks at pictures once, learns from labels as often as they change, and says what it makes of them.

    Rows are places in `contents`; of more than `MOST_LOOKED_AT` a draw is looked at, and of the others nothing is said.

    Args:
        workspace: that holds pictures and caches.
        contents: (N,) SHA-256 of the files.
        backbone: as in `winnow.train`.
        seed: of draws and folds.

    Raises:
        UserError: no backbone is at hand.
    """

    def __init__(
        self, workspace: Workspace, contents: Sequence[str], *, backbone: str | Path | None = None, seed: int = 0
    ) -> None:
        chosen = choose_backbone(backbone, shelves(workspace))
        if chosen is None:
            raise UserError(
                "No backbone is at hand, so nothing can be suggested: add one to the workspace's folder 'backbones'."
            )
        self._contents = list(contents)
        self._seed = seed
        self._looked = _draw(len(contents), seed)
        self._place_of = {row: place for place, row in enumerate(self._looked.tolist())}
        self._store = FeatureStore(PictureReader(workspace.blobs.read, workspace.cache_folder))
        self._features = _feature_graph(chosen)
        self._choice: FormatChoice | None = None
        self._rows: Rows = np.zeros((0, chosen.dim), dtype=np.float32)
        self._kept_units = self._rows
        self.guesses: Guesses | None = None
        self.contradictions: dict[int, Guess] = {}
        """What the models of the last order by "wrong" say, which had not seen the label, by row."""

    @property
    def _units(self) -> Rows:
        if len(self._kept_units) != len(self._rows):
            self._kept_units = unit_rows(self._rows)
        return self._kept_units

    @property
    def n(self) -> int:
        """Pictures that it looks at."""
        return len(self._looked)

    @property
    def n_seen(self) -> int:
        """Pictures that it has looked at: the first of its draw."""
        return len(self._rows)

    def look(self, tell: Tell = tell_nobody) -> None:
        """Look at all pictures of its draw; what `tell` raises ends it, and what was seen is kept."""
        while self.n_seen < self.n:
            self.look_on()
            tell(Progress("looking at pictures", self.n_seen, self.n))

    def look_on(self, block: int = _BLOCK) -> None:
        """Look at some more pictures; features that were computed before are read from the cache."""
        everything = [self._contents[row] for row in self._looked.tolist()]
        if self._choice is None:
            self._choice = self._store.format_of(self._features, everything)
        start = self.n_seen
        wanted = everything[start:]
        n_missing = self._store.missing(self._features, wanted, self._choice)
        contents = wanted if not n_missing else wanted[:block]
        rows = self._store.rows(self._features, contents, self._choice)
        self._rows = np.concatenate([self._rows, rows])

    def learn(self, labels: Labels, *, has_several: bool = False) -> Guesses | None:
        """Learn from the labels of all N pictures; None while fewer than two classes have one.

        Args:
            labels: N; None: unlabelled.
            has_several: may a picture have several classes?
        """
        # One thread: this is done again after every few labels, and the machine has other things to do.
        with threadpool_limits(1):
            self.guesses = learn(self._units, self._seen(labels), has_several=has_several, seed=self._seed)
        return self.guesses

    def guess(self, row: int) -> Guess | None:
        """The classes suggested for a picture and their probability; None where nothing can be said."""
        place, guesses = self._place_of.get(row), self.guesses
        if guesses is None or place is None or place >= len(guesses.probs):
            return None
        return guesses.suggested(place)

    def order(
        self,
        how: How,
        labels: Labels,
        most: int | None = None,
        clusters: npt.NDArray[np.int64] | None = None,
        is_there: Callable[[int], bool] = lambda row: True,
    ) -> list[int]:
        """Rows to look at, best first; see `suggest`.

        Args:
            how: one of `HOWS`.
            labels: N; None: unlabelled.
            most: how many; None: 60 useful ones, all others.
            clusters: (N,) what belongs together, and so in one fold; None: nothing does.
            is_there: False for rows that were removed.
        """
        seen = self._seen(labels)
        there = np.array([is_there(row) for row in self._looked[: len(seen)].tolist()], dtype=np.bool_)
        if how == "useful":
            hidden = [several if ok else () for several, ok in zip(seen, there.tolist(), strict=True)]
            places = most_useful(self._units, hidden, self._covering(), most or 60, self._seed)
        elif how == "uncertain":
            places = self._uncertain(seen)
        elif how == "typical":
            places = np.argsort(-typicality(self._units, self._classes(seen), self._seed), kind="stable")
        else:
            places = self._wrong(seen, clusters)
        return self._looked[places[there[places]]].tolist()[:most]

    def like(self, row: int) -> npt.NDArray[np.float32] | None:
        """(N,) how like this picture each is, as cosine; -1 where it was not looked at; None if this one was not."""
        place = self._place_of.get(row)
        if place is None or place >= self.n_seen:
            return None
        likeness = np.full(len(self._contents), -1, dtype=np.float32)
        likeness[self._looked[: self.n_seen]] = self._units @ self._units[place]
        return likeness

    def _seen(self, labels: Labels) -> list[Sequence[str] | None]:
        return [labels[row] for row in self._looked[: self.n_seen].tolist()]

    def _covering(self) -> Guesses | None:
        """The guesses, if they cover all that has been seen."""
        return self.guesses if self.guesses is not None and len(self.guesses.probs) == self.n_seen else None

    def _uncertain(self, seen: Labels) -> Places:
        guesses = self._covering()
        unlabelled = np.flatnonzero([several is None for several in seen])
        chosen = unlabelled if len(unlabelled) else np.arange(len(seen))
        if guesses is None:
            return chosen
        return chosen[np.argsort(-uncertainty(guesses)[chosen], kind="stable")]

    def _classes(self, seen: Labels) -> list[str | None]:
        """The class of each picture, given or guessed; the first of several."""
        guesses = self._covering()
        return [
            several[0] if several else guesses.suggested(place)[0][0] if guesses is not None else None
            for place, several in enumerate(seen)
        ]

    def _wrong(self, seen: Labels, clusters: npt.NDArray[np.int64] | None) -> Places:
        """Labels that a model contradicts which had not seen the picture (confident learning), the worst first."""
        labelled = np.array([place for place, several in enumerate(seen) if several is not None], dtype=np.int64)
        together = np.arange(len(self._contents)) if clusters is None else clusters
        together = together[self._looked[labelled]]
        names = sorted({name for several in seen for name in several or ()})
        ids = {name: place for place, name in enumerate(names)}
        if len(names) < 2:
            return labelled[:0]
        rows = self._rows[labelled]
        is_single = all(len(seen[place] or ()) == 1 for place in labelled.tolist())
        if is_single:
            given = np.array([ids[(seen[place] or ("",))[0]] for place in labelled.tolist()])
            found = out_of_fold(rows, given, together, self._seed)
            if found is None:
                return labelled[:0]
            issues = label_issues(np.searchsorted(found.classes, given[found.places]), found.probs)
        else:
            member = np.zeros((len(labelled), len(names)), dtype=np.bool_)
            for row, place in enumerate(labelled.tolist()):
                member[row, [ids[name] for name in seen[place] or ()]] = True
            found = out_of_fold_multilabel(rows, member, together, self._seed)
            if found is None:
                return labelled[:0]
            given_ids = [np.flatnonzero(one).tolist() for one in member[found.places][:, found.classes]]
            issues = multilabel_issues(given_ids, found.probs)
        flagged = np.flatnonzero(issues.is_flagged)
        worst = flagged[np.argsort(issues.self_confidence[flagged], kind="stable")]
        told = Guesses(tuple(names[one] for one in found.classes.tolist()), found.probs, len(rows), not is_single)
        places = labelled[found.places]
        self.contradictions = {int(self._looked[places[one]]): told.suggested(one) for one in worst.tolist()}
        return places[worst]


def _draw(n: int, seed: int) -> Places:
    """In random order, so that the first ones seen speak for all."""
    return np.random.default_rng(seed).permutation(n)[:MOST_LOOKED_AT].astype(np.int64)


def _feature_graph(backbone: Backbone) -> FeatureGraph:
    name = f"{backbone.name} ({backbone.input_spec.side_px} px)"
    return FeatureGraph(name, backbone.graph(), backbone.input_spec, backbone.dim, is_backbone=True)
