"""Seal a model's folder: name every file by its hash, chain that to climb and dataset, and sign it."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from winnow.api.chain import ALGORITHM, CHAIN, SIGNATURE, chain_of, hash_of_file, links_in, read_document, signed_part
from winnow.api.model import REPORT
from winnow.data.whole_files import disk_errors, write_whole
from winnow.errors import UserError
from winnow.report.schema import Report
from winnow.tasks.predictor import FACTS, GRAPH
from winnow.workspace.signing_key import SigningKey, fingerprint_of, is_signed
from winnow.workspace.workspace import Workspace


def seal(folder: Path, workspace: Workspace) -> None:
    """Write chain and signature into the `winnow.json` of a model that was just made.

    Raises:
        WorkspaceError: no space, no permission.
    """
    document = read_document(folder)
    files = {path.name: hash_of_file(path) for path in folder.iterdir() if path.name != FACTS}
    document[CHAIN] = chain_of(Report.read_json(folder / REPORT), files[GRAPH], files)
    _write_signed(document, folder, workspace)


def renew_seal(folder: Path, workspace: Workspace, written: Collection[str]) -> None:
    """Sign anew after some files of a model were written anew, by a test split that was opened.

    All other files keep the hashes that they had: one that was changed behind our back stays known as changed. A folder
    whose signature does not hold is left as it is, and so is one of an older Winnow, which has none.

    Args:
        written: the names of the files; of those that are not there, nothing is said.

    Raises:
        WorkspaceError: no space, no permission.
    """
    try:
        document = read_document(folder)
    except UserError:
        return
    links = links_in(document)
    if links is None or signature_of(document) is None:
        return
    files: dict[str, str] = dict(links[2]["files"])
    files |= {name: hash_of_file(folder / name) for name in written if (folder / name).is_file()}
    if REPORT in written:  # the dataset version and the climb are what the report says
        document[CHAIN] = chain_of(Report.read_json(folder / REPORT), links[2]["graph"], files)
    else:
        document[CHAIN] = [*links[:2], {**links[2], "files": dict(sorted(files.items()))}]
    _write_signed(document, folder, workspace)


def signature_of(document: dict[str, Any]) -> bytes | None:
    """The public key by which a document is signed; None if it is not, or was changed since."""
    try:
        said = document[SIGNATURE]
        public_key, signature = bytes.fromhex(said["public_key"]), bytes.fromhex(said["value"])
        is_ours = said["algorithm"] == ALGORITHM and is_signed(public_key, signed_part(document), signature)
    except (KeyError, TypeError, ValueError):
        return None
    return public_key if is_ours else None


def sign(document: dict[str, Any], workspace: Workspace) -> None:
    """Put a workspace's signature over all else that a document says into it.

    Raises:
        WorkspaceError: the key is damaged, or cannot be made.
    """
    public_key, signature = SigningKey(workspace.folder).sign(signed_part(document))
    document[SIGNATURE] = {
        "algorithm": ALGORITHM,
        "public_key": public_key.hex(),
        "fingerprint": fingerprint_of(public_key),
        "value": signature.hex(),
    }


def _write_signed(document: dict[str, Any], folder: Path, workspace: Workspace) -> None:
    sign(document, workspace)
    path = folder / FACTS
    with disk_errors("write", path):
        write_whole(path, json.dumps(document, indent=1, ensure_ascii=False).encode("utf-8"), is_durable=True)
