"""Forms in which a model leaves the workspace. A new one is a file and a line here; the contract tests find it.

What leaves is whole or not at all, and proven: the finished export, opened afresh, answers as the evaluated model does
on the pictures that this one was judged on, and the proof lies beside it (see `winnow.api.model_exports.proof`).
"""

from __future__ import annotations

from winnow.api.model_exports.docker import Docker
from winnow.api.model_exports.hugging_face import HuggingFace
from winnow.api.model_exports.int8 import Int8
from winnow.api.model_exports.model_export import ModelExport
from winnow.api.model_exports.onnx_file import OnnxFile
from winnow.api.model_exports.openvino_files import OpenVinoFiles
from winnow.api.model_exports.standalone import Standalone
from winnow.api.model_exports.web import WebPage

MODEL_EXPORTS: tuple[ModelExport, ...] = (
    OnnxFile(),
    OpenVinoFiles(),
    Int8(),
    Standalone(),
    Docker(),
    HuggingFace(),
    WebPage(),
)
