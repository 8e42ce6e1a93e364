"""Verify a model, or an export: does every file of it come, unchanged, from the climb and dataset that it names?"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from winnow.api.chain import Link as ChainLink
from winnow.api.chain import links_in, read_document
from winnow.api.evaluation import home_around, own_home
from winnow.api.model import model_folder
from winnow.api.sealing import signature_of
from winnow.api.verification import Link, Verification, apart, check_climb, check_dataset, check_key
from winnow.api.verifying_exports import is_signed_export, verify_export
from winnow.errors import NotFoundError, UserError
from winnow.tasks.predictor import FACTS, GRAPH, is_model
from winnow.workspace.signing_key import fingerprint_of
from winnow.workspace.workspace import Workspace


def verify(
    model: str | Path, *, key: str | Path | None = None, workspace: str | Path | Workspace | None = None
) -> Verification:
    """Check the chain of a model: its files, its climb, its dataset version, and who signed it. Nothing is run.

    Of an export its proof, and that this is of the model, are checked as well.

    Args:
        model: its folder, or its name in the workspace ("clouds", "clouds@2"); or the folder of an export.
        key: the signer's, where that is not this workspace: a fingerprint of 32 hex digits, a file with the public key
            in hex, or another model's `winnow.json` by the same signer.
        workspace: a folder; default: the one the model lies in (an export lies in none), else WINNOW_WORKSPACE, else
            ~/.winnow.

    Raises:
        NotFoundError: no such model.
        UserError: the key is none.
    """
    given = None if key is None else _fingerprint_in(key)
    export = Path(model).expanduser()
    if is_signed_export(export):
        # Not one that lies around it: that may have come with the export, and a key of a stranger's in it.
        with own_home(workspace) as home:
            return verify_export(export, given, home)
    folder = model_folder(model, workspace)
    if not is_model(folder):
        raise NotFoundError(f"No model lies in {folder}: a model is a folder with {GRAPH} and {FACTS}.")
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
                check_dataset(links[0], home),
                check_climb(links),
                _files(links[2], document, folder),
                _signature(signer),
                *([] if signer is None else [check_key(signer, given, home)]),
            ),
            None if signer is None else fingerprint_of(signer),
        )


def _unsigned(folder: Path, error: UserError) -> str:
    if (folder / FACTS).is_file():
        return str(error)
    return f"The model in {folder} was made by an older Winnow, which signed nothing; train it again to have it signed."


def _files(link: ChainLink, document: Mapping[str, Any], folder: Path) -> Link:
    named: dict[str, Any] = link["files"]
    there = {path.name: path for path in folder.iterdir() if path.name != FACTS}
    wrong = apart(named, there)
    if GRAPH not in named or not link.get("graph") == named[GRAPH] == document.get("sha256"):
        wrong.append(f"{FACTS} names another graph than its chain")
    if wrong:
        return Link("files", "broken", f"Not as it was signed: {'; '.join(wrong)}. Get the folder again, whole.")
    return Link("files", "holds", f"All {len(named)} files are those that were signed.")


def _signature(signer: bytes | None) -> Link:
    if signer is None:
        said = f"The signature does not fit {FACTS}: somebody changed what it says. Get the folder again, whole."
        return Link("signature", "broken", said)
    return Link("signature", "holds", f"The signature fits {FACTS}.")


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
