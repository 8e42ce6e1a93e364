"""Verify a model: does every file of it come, unchanged, from the climb and the dataset version that it names?"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast

from winnow.api.chain import Link as ChainLink
from winnow.api.chain import hash_of, hash_of_file, links_in, read_document
from winnow.api.evaluation import home_around
from winnow.api.model import model_folder
from winnow.api.sealing import signature_of
from winnow.errors import NotFoundError, UserError
from winnow.tasks.predictor import FACTS, GRAPH, is_model
from winnow.workspace.names import shown
from winnow.workspace.signing_key import SigningKey, fingerprint_of
from winnow.workspace.workspace import Workspace

State = Literal["holds", "broken", "unknown"]
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Link:
    """One thing that was checked."""

    name: Literal["dataset", "climb", "files", "signature", "key"]
    state: State
    """"unknown": it cannot be said here."""
    sentence: str


@dataclass(frozen=True, slots=True)
class Verification:
    """What is known of where a model comes from."""

    folder: Path
    links: tuple[Link, ...]
    """From the dataset version to the key."""
    fingerprint: str | None
    """Of the key by which it is signed, if the signature holds."""

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


def verify(
    model: str | Path, *, key: str | Path | None = None, workspace: str | Path | Workspace | None = None
) -> Verification:
    """Check the chain of a model: its files, its climb, its dataset version, and who signed it. Nothing is run.

    Args:
        model: its folder, or its name in the workspace ("clouds", "clouds@2").
        key: the signer's, where that is not this workspace: a fingerprint of 32 hex digits, a file with the public key
            in hex, or another model's `winnow.json` by the same signer.
        workspace: a folder; default: the one the model lies in, else WINNOW_WORKSPACE, else ~/.winnow.

    Raises:
        NotFoundError: no such model.
        UserError: the key is none.
    """
    folder = model_folder(model, workspace)
    if not is_model(folder):
        raise NotFoundError(f"No model lies in {folder}: a model is a folder with {GRAPH} and {FACTS}.")
    given = None if key is None else _fingerprint_in(key)
    with home_around(folder, workspace) as home:
        try:
            document = read_document(folder)
        except UserError as error:
            return Verification(folder, (Link("signature", "broken", _unsigned(folder, error)),), None)
        links = links_in(document)
        if links is None:
            said = f"{FACTS} names no chain: an older Winnow made the model, or somebody took it out. Train it again."
            return Verification(folder, (Link("signature", "broken", said),), None)
        signer = signature_of(document)
        return Verification(
            folder,
            (
                _dataset(links[0], home),
                _climb(links),
                _files(links[2], document, folder),
                _signature(signer),
                *([] if signer is None else [_key(signer, given, home)]),
            ),
            None if signer is None else fingerprint_of(signer),
        )


def _unsigned(folder: Path, error: UserError) -> str:
    if (folder / FACTS).is_file():
        return str(error)
    return f"The model in {folder} was made by an older Winnow, which signed nothing; train it again to have it signed."


def _dataset(link: ChainLink, home: Workspace | None) -> Link:
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


def _climb(links: tuple[ChainLink, ChainLink, ChainLink]) -> Link:
    first, second, third = links
    if second.get("before") != hash_of(first) or third.get("before") != hash_of(second):
        said = "The chain is broken: a link does not hold the hash of the one before. Do not trust what it says."
        return Link("climb", "broken", said)
    made = f"Climb {shown(str(second.get('id')))} with seed {second.get('seed')} made it from that dataset version."
    return Link("climb", "holds", made)


def _files(link: ChainLink, document: Mapping[str, Any], folder: Path) -> Link:
    named: dict[str, Any] = link["files"]
    there = {path.name: path for path in folder.iterdir() if path.name != FACTS}
    changed = [name for name in sorted(named.keys() & there.keys()) if not _is_same(there[name], named[name])]
    wrong = [
        *_listed("changed", changed),
        *_listed("missing", sorted(named.keys() - there.keys())),
        *_listed("extra", sorted(there.keys() - named.keys())),
    ]
    if GRAPH not in named or not link.get("graph") == named[GRAPH] == document.get("sha256"):
        wrong.append(f"{FACTS} names another graph than its chain")
    if wrong:
        return Link("files", "broken", f"Not as it was signed: {'; '.join(wrong)}. Get the folder again, whole.")
    return Link("files", "holds", f"All {len(named)} files are those that were signed.")


def _is_same(path: Path, digest: Any) -> bool:
    try:
        return path.is_file() and not path.is_symlink() and hash_of_file(path) == digest
    except OSError:
        return False


def _listed(what: str, names: list[str]) -> Iterator[str]:
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        yield f"{what}: {', '.join(shown(name) for name in names[:_NAMED])}{more}"


def _signature(signer: bytes | None) -> Link:
    if signer is None:
        said = f"The signature does not fit {FACTS}: somebody changed what it says. Get the folder again, whole."
        return Link("signature", "broken", said)
    return Link("signature", "holds", f"The signature fits {FACTS}.")


def _key(signer: bytes, given: str | None, home: Workspace | None) -> Link:
    found = fingerprint_of(signer)
    if given is not None:
        if given == found:
            return Link("key", "holds", f"It is signed by the given key, {found}.")
        return Link("key", "broken", f"It is signed by {found}, not by the given key {given}: somebody else signed it.")
    own = None if home is None else SigningKey(home.folder).public_key
    if own == signer:
        return Link("key", "holds", f"It is signed by this workspace's own key, {found}.")
    return Link(
        "key",
        "unknown",
        f"It is signed by a key that is not known here, {found}: ask the maker, by another way than the one on which "
        f"the model came, whether that is theirs, and verify with --key {found}.",
    )


def _fingerprint_in(key: str | Path) -> str:
    path = Path(key).expanduser()
    if path.is_file() and path.stat().st_size < 1 << 24:
        text = path.read_text(encoding="utf-8", errors="replace").strip()
        with contextlib.suppress(ValueError, KeyError, TypeError):
            text = str(cast("dict[str, Any]", json.loads(text))["signature"]["public_key"])
        with contextlib.suppress(ValueError):
            if len(public_key := bytes.fromhex(text)) == 32:
                return fingerprint_of(public_key)
    else:
        said = str(key).replace(" ", "").replace(":", "").lower()
        with contextlib.suppress(ValueError):
            if len(bytes.fromhex(said)) == 16:
                return said
    raise UserError(
        f"{str(key)!r} is no key: give the 32 hex digits of a fingerprint, a file with a public key in hex, or a "
        f"{FACTS} by the same signer."
    )
