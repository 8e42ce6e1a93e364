"""Write what was measured of the backbone beside it: its transfer into backbone.json, and the model card.

python recipes/embedded_backbone/card.py src/winnow/graph/backbones/winnow-small bench/results/backbone.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from winnow.data.whole_files import write_whole
from winnow.graph.backbone import FACTS, open_backbone

TEACHER = "mobilenet-edgetpu-100"
_SETS = {
    "cats-dogs": "yes, its training split",
    "caltech101-mini": "yes, its training split",
    "clouds": "no",
    "cifar10": "no",
    "mnist": "no",
}
_CARD = """# winnow-small: an image backbone in the box

A network that turns a picture of 128 x 128 pixels into {dim} features, for transfer learning on machines that have
never seen one. {parameters:.2f} million weights: `graph.onnx` (what predicts; fp32) and `weights.safetensors` (the same
network with its batch norms, filters in half precision, for fine-tuning; its widths are in `backbone.json`).

## How it came about

`recipes/embedded_backbone` in Winnow's repository, one command, fixed seeds:

1. **Inherited.** The teacher is MobileNet-EdgeTPU 1.0 (MLPerf mobile v0.7, trained on ImageNet by its authors). Most of
   the hidden channels of every block were taken out, those whose loss costs least after refitting the block by least
   squares on what the pruned blocks below it hand up; the outer widths stayed, some blocks of the first stages merged.
2. **Distilled.** {steps:,} steps of 64 views: the student's last map and its pooled features shall be the teacher's for
   the very same pixels (mean squared distance in units of the teacher's spread), in the first {hinted:,} steps also a
   map half-way up. No labels were used. AdamW, two cosine schedules, bfloat16, about an hour of two processor cores;
   the first round ran in one process, the second in two that shared every batch.

## On which pictures

{views:,} fixed views (crops, mirrors, colours): enlarged pictures of tiny-imagenet (training part, 49,000 pictures of
64 px), mosaics of four of them, and crops of the photographs in the training splits of caltech101-mini (1,515) and
cats-dogs (1,000). Nothing was distilled on clouds, CIFAR-10 or MNIST; cross-validation on their training parts was
looked at to see whether the second round had helped. No test split of any set was used for training or for any choice.

## Licence

Apache-2.0, as its teacher's (mlcommons/mobile_models, Apache-2.0), from which it is derived. Named plainly: the
pictures of tiny-imagenet stem from ImageNet, whose terms allow non-commercial research and education; caltech101-mini
and cats-dogs state no licence. No picture is contained in these files. The teacher, too, was trained on ImageNet.
Whether such terms reach weights is disputed; who must be sure should bring a backbone of their own (`--backbone`).

## Measured

Test accuracy of logistic regression on frozen features of 128-pixel pictures (`bench/backbone.py`, {date}); the
teacher sees the same pixels.

| set | learned from | judged on | winnow-small | teacher | distilled on it? |
|---|---|---|---|---|---|
{rows}

Speed, one picture at a time, one stream a core, {cores} cores ({processor}): {ours:.0f} pictures a second in
{our_format} against {theirs:.0f} of the teacher in {their_format}; by processor time {ratio:.1f} times as many.

## Limits

- It knows photographs of things, animals and scenes. Drawings, documents, medical or microscope pictures and anything
  finer than 128 pixels show may need another network or fine-tuning.
- It was distilled at 128 px, mostly on enlarged pictures of 64 px and on few sharp photographs.
- It inherits what its teacher learned from ImageNet, biases of that collection included. It was not tested for
  fairness, and it is not meant for recognising people.
- Figures hold for the sets above. `winnow train` measures it on yours.
"""


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the backbone's folder")
    parser.add_argument("result", type=Path, help="what bench/backbone.py measured")
    asked = parser.parse_args()
    result: dict[str, Any] = json.loads(asked.result.read_text(encoding="utf-8"))
    accuracy = result["measured"]["accuracy"]
    backbone = open_backbone(asked.out)
    facts = json.loads((asked.out / FACTS).read_text(encoding="utf-8"))
    facts["transfer"] = {name: scores[backbone.name] for name, scores in accuracy.items()}
    write_whole(asked.out / FACTS, json.dumps(facts, indent=1).encode(), is_durable=False)
    (asked.out / "MODEL_CARD.md").write_text(card(asked.out, result), encoding="utf-8")


def card(folder: Path, result: dict[str, Any]) -> str:
    """The model card, in Markdown."""
    from distil import ROUNDS
    from pictures import N_CROPS_EACH, N_ENLARGED, N_MOSAICS
    from safetensors import safe_open

    backbone, measured = open_backbone(folder), result["measured"]
    with safe_open(folder / "weights.safetensors", "np") as weights:
        names = [name for name in weights.keys() if "running_" not in name and "num_batches" not in name]  # noqa: SIM118  # no dict
        parameters = sum(weights.get_tensor(name).size for name in names)
    rows = [
        f"| {name} | {scores['learned from']:,} | {scores['judged on']:,} | {scores[backbone.name]:.3f} | "
        f"{scores[TEACHER]:.3f} | {_SETS[name]} |"
        for name, scores in measured["accuracy"].items()
    ]
    formats, rates = measured["number_formats"], measured["pictures_per_s"]
    return _CARD.format(
        dim=f"{backbone.dim:,}",
        parameters=parameters / 1e6,
        steps=sum(one.n_steps for one in ROUNDS),
        hinted=ROUNDS[0].n_steps,
        views=N_ENLARGED + N_MOSAICS + N_CROPS_EACH * (1515 + 1000),
        date=result["date"][:10],
        rows="\n".join(rows),
        cores=result["machine"].get("cores", "?"),
        processor=result["machine"].get("processor", "?"),
        ours=rates[f"{backbone.name} {formats[backbone.name]}"],
        our_format=formats[backbone.name],
        theirs=rates[f"{TEACHER} {formats[TEACHER]}"],
        their_format=formats[TEACHER],
        ratio=measured["ratio_by_processor_time"],
    )


if __name__ == "__main__":
    main()
