"""What a model answered for every picture that it was judged on: kept beside it, so that thresholds can be moved,
matrices opened and models compared without asking it again."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from winnow.data.whole_files import disk_errors, write_whole
from winnow.errors import BadDataError, NotFoundError

Split = Literal["judged", "test"]
FILES: dict[Split, str] = {"judged": "judged.npz", "test": "test.npz"}
"""Beside the model: what the climb judged, and the test split once it was opened."""
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class JudgedPictures:
    """Answers and truths of N pictures, in a model's own order of its C classes."""

    contents: tuple[str, ...]
    """(N,) content hashes, hex."""
    probs: npt.NDArray[np.float32]
    """(N, C)."""
    truths: npt.NDArray[np.int64]
    """(N,) class ids; (N, C) 0 and 1 where a picture may show several classes."""
    clusters: npt.NDArray[np.int64]
    """(N,) which pictures belong together (copies, one patient)."""
    called: npt.NDArray[np.bool_] | None = None
    """(N, C) which classes were answered, where there may be several; else None. Out of fold this is not "at least
    the model's threshold": a picture's own fold had no say in the threshold that judged it."""

    @property
    def is_multilabel(self) -> bool:
        """Whether a picture may show several classes."""
        return self.called is not None

    @property
    def is_right(self) -> npt.NDArray[np.bool_]:
        """(N,) whether the answer is the truth: all of it and nothing else, where it may be several classes."""
        if self.called is not None:
            return np.asarray((self.called == (self.truths == 1)).all(axis=1))
        return np.asarray(self.probs.argmax(axis=1) == self.truths)

    def taken(self, places: npt.NDArray[np.int64]) -> JudgedPictures:
        """Some of them, by place."""
        return JudgedPictures(
            tuple(self.contents[place] for place in places.tolist()),
            self.probs[places],
            self.truths[places],
            self.clusters[places],
            None if self.called is None else self.called[places],
        )

    def write(self, folder: Path, split: Split) -> None:
        """Write them beside the model, whole or not at all; the same answers make the same bytes.

        Raises:
            WorkspaceError: no space, no permission.
        """
        arrays: dict[str, npt.NDArray[Any]] = {
            "format": np.array(_FORMAT),
            "contents": _hashes(self.contents),
            "probs": self.probs.astype(np.float32, copy=False),
            "truths": self.truths.astype(np.uint8 if self.is_multilabel else np.int32),
            "clusters": self.clusters.astype(np.int32),
        }
        if self.called is not None:
            arrays["called"] = self.called
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)  # pyright: ignore[reportArgumentType]  # its stub takes a name for its switch
        path = folder / FILES[split]
        with disk_errors("write", path):
            write_whole(path, buffer.getvalue(), is_durable=True)

    @classmethod
    def read(cls, folder: Path, split: Split) -> JudgedPictures:
        """Read what `write` wrote.

        Raises:
            NotFoundError: there is no such file; models of before have none.
            BadDataError: it is damaged, or of a newer Winnow.
        """
        path = folder / FILES[split]
        try:
            with np.load(path, allow_pickle=False) as arrays:
                if int(arrays["format"]) > _FORMAT:
                    raise BadDataError(f"{path} is of a newer Winnow. Update it: pip install --upgrade winnow")
                return cls(
                    tuple(row.tobytes().hex() for row in arrays["contents"]),
                    arrays["probs"],
                    arrays["truths"].astype(np.int64),
                    arrays["clusters"].astype(np.int64),
                    arrays.get("called"),
                )
        except FileNotFoundError:
            raise NotFoundError(
                f"The model in {folder} does not keep what it answered picture by picture, as those of older versions "
                "do not: train it again."
            ) from None
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise BadDataError(f"{path} is damaged ({error}); train the model again.") from error


def _hashes(contents: Sequence[str]) -> npt.NDArray[np.uint8]:
    """(N, 32) the bytes of hex SHA-256 hashes."""
    return np.frombuffer(bytes.fromhex("".join(contents)), dtype=np.uint8).reshape(len(contents), 32)
