"""The front matter of a model card: what the Hugging Face Hub reads of it, as YAML between two lines of dashes.

Source: https://huggingface.co/docs/hub/model-cards (model card metadata and model-index). No licence is named: whose
pictures these were, and what they allow, only the user knows.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from winnow.metrics.evaluation import Evaluation
from winnow.report import words
from winnow.report.limits import is_optimistic
from winnow.report.schema import Report

_TYPES = {"macro_f1": "f1", "micro_f1": "f1", "macro_auroc": "roc_auc", "macro_average_precision": "average_precision"}
"""The Hub's names for metrics, where they are others than ours."""


def front_matter(report: Report) -> str:
    """The YAML block that a model card begins with; whatever the user called things, it is read back as it was.

    Figures are named with the pictures that they were measured on: the test split only where it was opened, and then
    with the count of openings.
    """
    values: dict[str, Any] = {
        "library_name": "onnx",
        "pipeline_tag": "image-classification",
        "tags": ["image-classification", "winnow", "onnx", *(["multi-label"] if report.is_multilabel else [])],
        "metrics": sorted({_type(name) for name, score in report.judged.evaluation.scores.items() if score}),
        "model-index": [{"name": words.printable(report.model), "results": _results(report)}],
    }
    # Escaped beyond ASCII: what a YAML reader takes for a line break or a mark of its own stays inside its quotes.
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=False, width=1 << 20)
    return f"---\n{text}---\n"


def _results(report: Report) -> list[dict[str, Any]]:
    judged = _result(report, report.climb.judged_by, "judged", report.judged.evaluation)
    if report.test is None:
        return [judged]
    said = "test split"
    if report.openings is not None:
        said += f", opening {report.openings.opening} of {report.openings.count}"
    if is_optimistic(report):
        said += ", optimistic"
    return [_result(report, said, "test", report.test.evaluation), judged]


def _result(report: Report, measured_on: str, split: str, evaluation: Evaluation) -> dict[str, Any]:
    dataset = report.dataset
    return {
        "task": {"type": "image-classification", "name": "Image Classification"},
        "dataset": {
            "type": _slug(dataset.name),
            "name": f"{words.printable(dataset.name)}, version {dataset.version} ({words.printable(measured_on)})",
            "split": split,
            "revision": dataset.digest,
        },
        "metrics": [
            {
                "type": _type(metric),
                "name": f"{words.term(metric, report.task)}, 95 % interval {score.low:.4g} to {score.high:.4g}, "
                f"{words.count(evaluation.n, 'picture')}",
                "value": round(score.value, 6),
            }
            for metric, score in evaluation.scores.items()
            if score is not None
        ],
    }


def _type(metric: str) -> str:
    return _TYPES.get(metric, metric)


def _slug(name: str) -> str:
    """A name as the Hub takes it for a dataset: of a private one, it is nobody else's."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "dataset"
