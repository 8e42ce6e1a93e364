"""The model card."""

from __future__ import annotations

import json

import pytest
import yaml

from winnow.report import words
from winnow.report.card import as_model_card
from winnow.report.schema import Report


def test_the_card_has_the_sections_of_a_model_card(report: Report):
    headings = [line for line in as_model_card(report).splitlines() if line.startswith("## ")]
    assert headings == [
        "## Intended use",
        "## Data",
        "## Method",
        "## Figures",
        "## Limits",
        "## Cost",
        "## How to get the same again",
    ]


def test_figures_carry_their_intervals_and_their_openings(report: Report):
    card = as_model_card(report)
    accuracy = report.judged.evaluation.scores["accuracy"]
    assert accuracy is not None
    assert (
        f"| accuracy | {100 * accuracy.value:.1f} % ({100 * accuracy.low:.1f} to {100 * accuracy.high:.1f}) |" in card
    )
    assert "opening 2, optimistic" in card


def test_every_row_of_a_table_has_as_many_cells_as_its_head(report: Report, hostile: Report):
    for card in (as_model_card(report), as_model_card(hostile)):
        for block in card.split("\n\n"):
            rows = [line.replace("\\|", "").count("|") for line in block.splitlines() if line.startswith("|")]
            assert len(set(rows)) <= 1


def test_names_that_are_markup_are_escaped(hostile: Report):
    card = as_model_card(hostile)
    assert "<script" not in card.replace("\\<", "")
    assert "\\<script\\>alert(1)\\</script\\>" in card
    assert "\x1b" not in card
    assert "\n# \\<b\\>x" in "\n" + card


def test_many_classes_are_summed_up(many: Report):
    assert "The 20 worst and the 20 best of 102 classes." in as_model_card(many)


# For the Hub


def metadata(card: str) -> dict[str, object]:
    """What stands between the first two lines of dashes."""
    assert card.startswith("---\n")
    return yaml.safe_load(card.split("---\n")[1])


def test_the_front_matter_names_the_task_and_no_licence(report: Report):
    said = metadata(as_model_card(report))
    assert said["pipeline_tag"] == "image-classification"
    assert said["library_name"] == "onnx"
    assert "license" not in said
    assert json.loads(json.dumps(said)) == said


def test_figures_say_what_they_were_measured_on(report: Report, unopened: Report):
    (index,) = metadata(as_model_card(report))["model-index"]  # type: ignore[misc]
    test, judged = index["results"]
    assert test["dataset"]["split"] == "test"
    assert "(test split, opening 2 of 2, optimistic)" in test["dataset"]["name"]
    assert judged["dataset"]["split"] == "judged"
    assert report.climb.judged_by in judged["dataset"]["name"]
    accuracy = report.judged.evaluation.scores["accuracy"]
    assert accuracy is not None
    (found,) = [metric for metric in judged["metrics"] if metric["type"] == "accuracy"]
    assert found["value"] == pytest.approx(accuracy.value, abs=1e-6)
    assert f"95 % interval {accuracy.low:.4g} to {accuracy.high:.4g}" in found["name"]

    (index,) = metadata(as_model_card(unopened))["model-index"]  # type: ignore[misc]
    assert [result["dataset"]["split"] for result in index["results"]] == ["judged"]


@pytest.mark.parametrize(
    "name",
    [
        "a: b",
        "---",
        "x\n---\nlicense: mit",
        "'\"",
        "!!python/object:os.system",
        "{{}}",
        "\u2028é\u0085",
        "\ud800",
        "null",
        "- a",
        "#",
    ],
)
def test_no_name_breaks_the_front_matter(report: Report, name: str):
    changed = report.model_copy(update={"model": name, "dataset": report.dataset.model_copy(update={"name": name})})
    card = as_model_card(changed)
    said = metadata(card)
    assert set(said) == {"library_name", "pipeline_tag", "tags", "metrics", "model-index"}
    (index,) = said["model-index"]  # type: ignore[misc]
    assert index["name"] == words.printable(name)
    assert card.count("\n---\n") == 1


def test_the_hubs_own_client_reads_every_figure(report: Report, hostile: Report):
    hub = pytest.importorskip("huggingface_hub")
    for one in (report, hostile):
        data = hub.ModelCard(as_model_card(one), ignore_metadata_errors=False).data
        assert data.pipeline_tag == "image-classification"
        assert data.model_name == words.printable(one.model)
        parts = [part for part in (one.test, one.judged) if part is not None]
        expected = [score.value for part in parts for score in part.evaluation.scores.values() if score is not None]
        assert [result.metric_value for result in data.eval_results] == pytest.approx(expected, abs=1e-6)
