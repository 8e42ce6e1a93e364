"""What the files say beside the picture: those that could not be read, and those that tell where somebody lives."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from winnow.data.health.finding import Finding, Shown, counted, most_telling, shown
from winnow.data.health.subject import Subject


def find_unreadable(subject: Subject) -> Iterator[Finding]:
    """Files that the import left out."""
    refused = subject.refused
    if not refused:
        return
    codes = ", ".join(f"{n} {code}" for code, n in Counter(line.code for line in refused).most_common(3))
    yield Finding(
        kind="unreadable",
        code="W_UNREADABLE",
        severity="worth a look",
        sentence=f"{counted(len(refused), 'file was', 'files were')} left out by the import ({codes}).",
        count=len(refused),
        examples=tuple(Shown("", line.source, "", 0.0, f"{line.reason} ({line.code})") for line in refused[:100]),
        advice="Mend or remove these files, then import again: only what changed is read.",
    )


def find_personal_metadata(subject: Subject) -> Iterator[Finding]:
    """Pictures that say where they were taken, or whose camera took them."""
    for column, code, kind, said in _PERSONAL:
        places: list[int] = np.flatnonzero(subject.looks[column] == 1).tolist()
        if places:
            yield Finding(
                kind=kind,
                code=code,
                severity="worth a look",
                sentence=f"{counted(len(places), 'file says', 'files say')} {said}: anyone who gets the files can "
                "read it. Models and reports of Winnow do not contain it.",
                count=len(places),
                examples=most_telling(shown(subject.examples[place], 1.0) for place in places),
                evidence="1: the file says so",
                advice=f"Before you pass the files on, take it out of them: {_REMOVAL[kind]}",
            )


_PERSONAL = (
    ("has_gps", "W_GPS", "gps", "where on Earth the picture was taken (GPS position)"),
    ("has_owner", "W_OWNER", "owner", "whose camera it was (owner's name or serial number)"),
)
_REMOVAL = {
    "gps": "exiftool -gps:all= FOLDER",
    "owner": "exiftool -OwnerName= -Artist= -SerialNumber= -LensSerialNumber= FOLDER",
}
