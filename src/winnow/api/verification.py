"""What was found out of where a model comes from, link by link, and the checks that models and exports share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from winnow.api.chain import Link as ChainLink
from winnow.api.chain import hash_of, hash_of_file
from winnow.errors import UserError
from winnow.workspace.names import shown
from winnow.workspace.signing_key import SigningKey, fingerprint_of
from winnow.workspace.workspace import Workspace

State = Literal["holds", "broken", "unknown"]
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Link:
    """One thing that was checked."""

    name: Literal["dataset", "climb", "export", "files", "signature", "key"]
    state: State
    """"unknown": it cannot be said here."""
    sentence: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What is known of where a model, or an export of one, comes from."""

    folder: Path
    links: tuple[Link, ...]
    """From the dataset version to the key."""
    fingerprint: str | None
    """Of the key by which the folder is signed, if the signature holds."""

    @property
    def is_proven(self) -> bool:
        """Whether nothing is broken, and the key is one that you know.

        That the workspace no longer has the dataset version is no reason for doubt.
        """
        return all(link.state == "holds" or (link.name, link.state) == ("dataset", "unknown") for link in self.links)

    def as_dict(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        links = [asdict(link) for link in self.links]
        return {
            "folder": str(self.folder),
            "is_proven": self.is_proven,
            "fingerprint": self.fingerprint,
            "links": links,
        }


def check_dataset(link: ChainLink, home: Workspace | None) -> Link:
    """Whether the dataset version that it names lies, unchanged, in a workspace here."""
    name, version, digest = str(link.get("name")), link.get("version"), link.get("digest")
    called = f"version {version} of the dataset {shown(name)}"
    here = None
    if home is not None:
        with contextlib.suppress(UserError):
            here = next((one for one in home.versions(name) if one.number == version), None)
    if here is None:
        return Link("dataset", "unknown", f"It says it comes from {called}, which is not in a workspace here.")
    if here.digest != digest:
        said = f"It says it comes from {called}, but the one in this workspace is another: compare {digest} with "
        return Link("dataset", "broken", f"{said}{here.digest}.")
    return Link("dataset", "holds", f"It comes from {called}, as it lies in this workspace (digest {digest}).")


def check_climb(links: tuple[ChainLink, ChainLink, ChainLink]) -> Link:
    """Whether each link of a model holds the hash of the one before."""
    first, second, third = links
    if second.get("before") != hash_of(first) or third.get("before") != hash_of(second):
        said = "The chain is broken: a link does not hold the hash of the one before. Do not trust what it says."
        return Link("climb", "broken", said)
    made = f"Climb {shown(str(second.get('id')))} with seed {second.get('seed')} made it from that dataset version."
    return Link("climb", "holds", made)


def check_key(signer: bytes, given: str | None, home: Workspace | None) -> Link:
    """Whether a signer is known: the given one, else that of the workspace."""
    found = fingerprint_of(signer)
    if given is not None:
        if given == found:
            return Link("key", "holds", f"It is signed by the given key, {found}.")
        return Link("key", "broken", f"It is signed by {found}, not by the given key {given}: somebody else signed it.")
    if home is not None and SigningKey(home.folder).public_key == signer:
        # Which one is said: a workspace that somebody handed over holds their key, not the reader's.
        return Link("key", "holds", f"It is signed by the key of the workspace {home.folder}, {found}.")
    return Link(
        "key",
        "unknown",
        f"It is signed by a key that is not known here, {found}: ask the maker, by another way than the one on which "
        f"the model came, whether that is theirs, and verify with --key {found}.",
    )


def apart(named: Mapping[str, Any], there: Mapping[str, Path]) -> list[str]:
    """How files differ from those that were named by their sha256: what changed, is missing, or is extra, in words."""
    changed = [name for name in sorted(named.keys() & there.keys()) if not _is_same(there[name], named[name])]
    return [
        *_listed("changed", changed),
        *_listed("missing", sorted(named.keys() - there.keys())),
        *_listed("extra", sorted(there.keys() - named.keys())),
    ]


def _is_same(path: Path, digest: Any) -> bool:
    try:
        return path.is_file() and not path.is_symlink() and hash_of_file(path) == digest
    except OSError:
        return False


def _listed(what: str, names: list[str]) -> Iterator[str]:
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"{what}: {', '.join(shown(name) for name in names[:_NAMED])}{more}"
