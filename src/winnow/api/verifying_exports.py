"""Verify an export: every file is named by its proof, and that by a link behind the chain of the model that it was."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from winnow.api.chain import Link as ChainLink
from winnow.api.chain import hash_of, hash_of_file, links_in, read_document
from winnow.api.model_exports.origin import EXPORT, MODEL, ORIGIN
from winnow.api.model_exports.proof import PROOF
from winnow.api.sealing import signature_of
from winnow.api.verification import Link, Verification, apart, check_climb, check_dataset, check_key
from winnow.errors import UserError
from winnow.workspace.names import shown
from winnow.workspace.signing_key import fingerprint_of
from winnow.workspace.workspace import Workspace

_AGAIN = "Export it again, or get the folder again, whole."


def is_signed_export(folder: Path) -> bool:
    """Whether a folder says where it was exported from."""
    return (folder / ORIGIN).is_file()


def verify_export(folder: Path, given: str | None, home: Workspace | None) -> Verification:
    """What is known of an export; see `winnow.api.verifying.verify`. Nothing is run.

    Args:
        given: the fingerprint of the signer's key, where that is not this workspace.
        home: where the dataset may lie.
    """
    try:
        origin = read_document(folder, ORIGIN)
    except UserError as error:
        return _broken(folder, str(error))
    model, link = _object(origin.get(MODEL)), _object(origin.get(EXPORT))
    links = links_in(model)
    if links is None or not isinstance(link.get("proof"), str):
        return _broken(folder, f"{ORIGIN} names no chain: it is damaged, or of a newer Winnow. {_AGAIN}")
    signers = signature_of(model), signature_of(origin)
    known = tuple(dict.fromkeys(one for one in signers if one is not None))
    return Verification(
        folder,
        (
            check_dataset(links[0], home),
            check_climb(links),
            _export(link, links[2], folder),
            _files(folder),
            _signature(*signers),
            *(check_key(signer, _given_for(signer, given, known), home) for signer in known),
        ),
        None if signers[1] is None else fingerprint_of(signers[1]),
    )


def _export(link: ChainLink, model: ChainLink, folder: Path) -> Link:
    """Whether the proof is the one that was signed, and is of this model."""
    if link.get("before") != hash_of(model):
        return Link("export", "broken", "The chain is broken: the export does not hold the hash of the model's link.")
    proof = _proof_in(folder)
    try:
        is_it = hash_of_file(folder / PROOF) == link["proof"]
    except OSError:
        is_it = False
    if not is_it:
        return Link("export", "broken", f"{PROOF} is missing, or is not the one that was signed. {_AGAIN}")
    if proof.get("digest") != model.get("graph"):
        return Link("export", "broken", f"{PROOF} is of another model than the chain. {_AGAIN}")
    form, called = shown(str(link.get("form"))), shown(str(proof.get("model")))
    apart_by, n = _object(proof.get("same")).get("greatest_difference"), proof.get("n")
    said = f"Model {called} was exported as {form}: held against its graph on {n} pictures, the probabilities differ by"
    return Link("export", "holds", f"{said} {apart_by} at most.")


def _files(folder: Path) -> Link:
    named = _object(_proof_in(folder).get("files"))
    below = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    there = {path.relative_to(folder).as_posix(): path for path in below}
    wrong = apart(named, {name: path for name, path in there.items() if name not in (PROOF, ORIGIN)})
    if wrong:
        return Link("files", "broken", f"Not as {PROOF} names them: {'; '.join(wrong)}. {_AGAIN}")
    return Link("files", "holds", f"All {len(named)} files are those that {PROOF} names.")


def _signature(of_model: bytes | None, of_export: bytes | None) -> Link:
    if of_model is None or of_export is None:
        part = "model" if of_model is None else "export"
        said = f"The signature of the {part} does not fit {ORIGIN}: somebody changed what it says. {_AGAIN}"
        return Link("signature", "broken", said)
    return Link("signature", "holds", f"The signatures of the model and of the export fit {ORIGIN}.")


def _given_for(signer: bytes, given: str | None, signers: tuple[bytes, ...]) -> str | None:
    """The given key, if it is this signer's or that of none: one may have made the model, and another exported it."""
    others = {fingerprint_of(one) for one in signers} - {fingerprint_of(signer)}
    return None if given in others else given


def _proof_in(folder: Path) -> dict[str, Any]:
    try:
        return read_document(folder, PROOF)
    except UserError:
        return {}


def _object(value: Any) -> dict[str, Any]:
    return dict(cast("Mapping[str, Any]", value)) if isinstance(value, dict) else {}


def _broken(folder: Path, said: str) -> Verification:
    return Verification(folder, (Link("signature", "broken", said),), None)
