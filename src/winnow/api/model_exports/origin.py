"""Where an export comes from: the model's own signed chain, and one link more, from the model to the proof, signed too.

`proof.json` names every file of the export; the link names the proof; `winnow verify FOLDER` follows all of it back to
the dataset version (`winnow.api.verifying_exports`). What was exported of a model that nobody signed has no such file.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from winnow.api.chain import hash_of, hash_of_file, links_in, read_document
from winnow.api.model_exports.model_export import Leaving
from winnow.api.model_exports.proof import PROOF
from winnow.api.sealing import sign, signature_of
from winnow.data.targets.new_folder import Folder
from winnow.errors import UserError
from winnow.workspace.workspace import Workspace

ORIGIN = "origin.json"
MODEL, EXPORT = "model", "export"
_FORMAT = 1


def write_origin(form: str, leaving: Leaving, out: Folder, workspace: Workspace | None) -> None:
    """Write it beside a proof, where the model is signed and there is a workspace to sign with.

    Args:
        form: of the export, such as "onnx".

    Raises:
        WorkspaceError: the workspace's key is damaged, or cannot be made.
        OSError: the disk refused.
    """
    document: dict[str, Any] | None = None
    with suppress(UserError):  # an older Winnow made it, and signed nothing
        document = read_document(leaving.model.folder)
    if document is None or workspace is None:
        return
    links = links_in(document)
    if links is None or signature_of(document) is None or links[2].get("graph") != leaving.facts.sha256:
        return
    link = {
        "link": EXPORT,
        "form": form,
        "proof": hash_of_file(out.path / PROOF),
        "before": hash_of(links[2]),
    }
    origin: dict[str, Any] = {"format": _FORMAT, MODEL: document, EXPORT: link}
    sign(origin, workspace)
    out.write(ORIGIN, json.dumps(origin, indent=1, ensure_ascii=False).encode("utf-8"))
