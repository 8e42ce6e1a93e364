"""What every rung promises that trains a network; tiny networks, a few steps."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from graph.tiny import plain_run
from winnow.data.inputs import InputSpec, read_input
from winnow.data.manifest import Example
from winnow.events import EpochDone, Event, Progress, tell_nobody
from winnow.graph import formats
from winnow.graph.backbone import Backbone, write_backbone
from winnow.ladder.climb import climb
from winnow.nets.backbone_weights import write_weights
from winnow.nets.export import Normalise, as_graph, from_pixels
from winnow.nets.kept_net import read_net
from winnow.nets.registry import all_nets
from winnow.nets.winnow_backbone import BackboneShape, BlockShape, winnow_backbone
from winnow.tasks import judging
from winnow.tasks.classify.problem import ClassifyProblem
from winnow.tasks.classify.rungs import (
    all_rungs,
    classic,
    find_rungs,
    fine_tune,
    frozen_lower_layers,
    lenet_5,
    pretrained_autoencoder,
    small_net,
)
from winnow.tasks.classify.trained_rung import TrainedRung
from winnow.tasks.rung import Candidate, Clock, LongRung, OutOfTimeError, Workbench
from winnow.train import course, measure

from .problems import COLOURS, SIDE_PX, Shop

TRAINED = [rung for rung in all_rungs() if isinstance(rung, TrainedRung)]
every_rung = pytest.mark.parametrize("rung", TRAINED, ids=lambda rung: rung.name)


@pytest.fixture(scope="module", autouse=True)
def _short_and_exact() -> Generator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(formats, "_formats_to_try", lambda: iter(()))
        patch.setattr(formats, "_TIMED_S", 0.01)
        patch.setattr(judging, "DRAWS", 100)
        patch.setattr(measure, "_ROUNDS", 1)
        for module in (fine_tune, frozen_lower_layers, lenet_5, small_net):
            patch.setattr(module, "LEAST_EACH", 1)
        for module in (fine_tune, frozen_lower_layers, lenet_5, pretrained_autoencoder, small_net):
            for name in ("LEAST_STEPS", "LEAST_EPOCHS", "MOST_EPOCHS"):
                patch.setattr(module, name, 2)
        patch.setattr(pretrained_autoencoder, "_HEAD_EPOCHS", 1)
        yield


def backbone_with_weights(folder: Path) -> Backbone:
    torch.manual_seed(0)
    block = BlockShape("fused", 8, 16, 8, skips=True)
    shape = BackboneShape(SIDE_PX, (8, 8), ((block,),), 12)
    net = winnow_backbone(shape, 2).eval()
    graph = as_graph(from_pixels(net, Normalise((0.5,) * 3, (0.5,) * 3), "features"), SIDE_PX)
    written = write_backbone(
        folder, graph, name="tiny", input_spec=InputSpec(SIDE_PX), licence="CC0-1.0", source="made up"
    )
    facts = {"name": "winnow-backbone", "shape": shape.to_json(), "mean": [0.5] * 3, "std": [0.5] * 3}
    return write_weights(written, net, facts)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = Shop(tmp_path_factory.mktemp("shop"))
    shop.backbone = backbone_with_weights(tmp_path_factory.mktemp("deep") / "backbone")
    return shop


def with_validation(shop: Shop) -> list[Example]:
    return [replace(e, split="validation" if i % 3 == 0 else "train") for i, e in enumerate(shop.examples)]


def problem_for(rung: TrainedRung, shop: Shop, **changes: object) -> ClassifyProblem:
    examples = with_validation(shop)
    if rung.name == "lenet-5":
        examples = [replace(example, is_grey=True) for example in examples]
    return shop.problem(**{"examples": examples, **changes})


class Done:
    def __init__(self, rung: TrainedRung, shop: Shop) -> None:
        self.heard: list[Event] = []
        self.problem = problem_for(rung, shop)
        self.candidate: Candidate = rung.climb(self.problem, Clock(), self.heard.append)


@pytest.fixture(scope="module")
def climbs() -> dict[str, Done]:
    return {}


def climbed(rung: TrainedRung, shop: Shop, climbs: dict[str, Done]) -> Done:
    if rung.name not in climbs:
        climbs[rung.name] = Done(rung, shop)
    return climbs[rung.name]


@every_rung
def test_it_ends_as_a_calibrated_graph_that_answers_as_it_was_judged(
    rung: TrainedRung, shop: Shop, climbs: dict[str, Done]
):
    done = climbed(rung, shop, climbs)
    predictions = done.candidate.predictions
    assert predictions.shape == (done.problem.n_judged, len(COLOURS))
    assert predictions.dtype == np.float32
    assert predictions.sum(axis=1) == pytest.approx(1, abs=1e-5)
    # Reopened by somebody who knows the candidate alone, as a resumed climb does.
    again = problem_for(rung, shop)
    contents = again.contents
    spec = again.input_spec_of(done.candidate)
    seen = np.stack([read_input(shop.blobs.read(content), spec) for content in contents])
    assert plain_run(done.candidate.graph, seen) == pytest.approx(
        again.probabilities(done.candidate, contents), abs=1e-4
    )
    assert again.number_format_of(done.candidate) == "fp32"


@every_rung
def test_its_weights_loaded_into_its_network_give_what_the_graph_gives(
    rung: TrainedRung, shop: Shop, climbs: dict[str, Done]
):
    done = climbed(rung, shop, climbs)
    assert done.candidate.weights is not None
    net, about = read_net(done.candidate.weights(), "weights.safetensors")
    spec = done.problem.input_spec_of(done.candidate)
    seen = np.stack([read_input(shop.blobs.read(content), spec) for content in done.problem.contents])
    normalise = Normalise(tuple(about["mean"]), tuple(about["std"]), pad_px=about["pad_px"])
    with torch.inference_mode():
        x = normalise(torch.from_numpy(seen))
        # Both sides are seen by the stages; the head is linear, so the mean of both answers is that of both features.
        logits = (net(x) + net(x.flip(3))) / 2 if about["is_mirrored"] else net(x)
    probs = (logits / about["temperature"]).softmax(1).numpy()
    assert probs == pytest.approx(plain_run(done.candidate.graph, seen), abs=1e-4)
    assert about["classes"] == sorted(COLOURS)


@every_rung
def test_the_graph_and_its_settings_say_what_it_is(rung: TrainedRung, shop: Shop, climbs: dict[str, Done]):
    done = climbed(rung, shop, climbs)
    notes = {entry.key: entry.value for entry in onnx.load_from_string(done.candidate.graph).metadata_props}
    assert notes["winnow.rung"] == rung.name
    assert json.loads(notes["winnow.classes"]) == sorted(COLOURS)
    assert notes["winnow.input"] == done.problem.input_spec_of(done.candidate).key
    assert json.loads(json.dumps(done.candidate.settings)) == done.candidate.settings
    assert done.candidate.picture_ms > 0


@every_rung
def test_its_learning_is_told_epoch_by_epoch(rung: TrainedRung, shop: Shop, climbs: dict[str, Done]):
    heard = climbed(rung, shop, climbs).heard
    epochs = [event for event in heard if isinstance(event, EpochDone)]
    assert epochs
    assert all(np.isfinite(list(event.losses.values())).all() for event in epochs)
    (curve,) = climbed(rung, shop, climbs).candidate.curves
    assert curve.network == "training pictures"
    taught = epochs[-len(curve.epochs) :]  # before them come those of pre-training, if there was any
    assert [dict(epoch.losses) for epoch in curve.epochs] == [dict(event.losses) for event in taught]
    progress = [event for event in heard if isinstance(event, Progress)]
    assert (progress[-1].what, progress[-1].done, progress[-1].total) == (rung.title, 1, 1)


@every_rung
def test_a_short_budget_ends_it_cleanly(rung: TrainedRung, shop: Shop):
    problem = problem_for(rung, shop)
    problem.mapped(rung.way.input_spec(problem))
    with pytest.raises(OutOfTimeError):
        rung.climb(problem, Clock(budget_s=0), tell_nobody)


def test_killed_while_it_learns_it_goes_on_to_the_same_bits(shop: Shop, tmp_path: Path, climbs: dict[str, Done]):
    (rung,) = (rung for rung in TRAINED if rung.name == "fine-tune")
    bench = Workbench(tmp_path / "work", {})
    heard: list[Event] = []

    def stop_after_an_epoch(event: Event) -> None:
        if isinstance(event, EpochDone) and event.epoch == 1:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        rung.climb_at(bench, problem_for(rung, shop), Clock(), stop_after_an_epoch)
    resumed = rung.climb_at(bench, problem_for(rung, shop), Clock(), heard.append)
    assert 1 not in [event.epoch for event in heard if isinstance(event, EpochDone)]
    whole = climbed(rung, shop, climbs).candidate
    assert resumed.graph == whole.graph
    assert resumed.predictions.tobytes() == whole.predictions.tobytes()
    assert resumed.curves == whole.curves


def test_out_of_fold_every_network_is_another(shop: Shop):
    (rung,) = find_rungs(["fine-tune"])
    problem = shop.problem(examples=[e for e in shop.examples if e.source.endswith(("/0.png", "/1.png"))])
    assert len(problem.parts) == 2
    candidate = rung.climb(problem, Clock(), tell_nobody)
    assert candidate.predictions.shape == (6, 3)
    assert [curve.network for curve in candidate.curves] == ["without fold 1", "without fold 2", "all pictures"]
    assert np.isfinite(candidate.predictions).all()


def test_a_graph_that_answers_otherwise_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (rung,) = find_rungs(["fine-tune"])
    monkeypatch.setattr(course, "MOST_DIFFERENCE", -1.0)
    outcome = climb(problem_for(rung, shop), find_rungs(["commonest-class", "fine-tune"]), tmp_path, are_named=True)
    assert "its graph does not answer as its network does" in str(outcome.steps[1].reason)


def test_it_waits_until_it_is_asked_for(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("winnow.tasks.classify.trained_rung.PATIENCE_S", 0.5)
    (rung,) = find_rungs(["small-net"])
    outcome = climb(problem_for(rung, shop), find_rungs(["commonest-class", "small-net"]), tmp_path)
    reason = outcome.steps[1].reason or ""
    assert reason.startswith("it would take about ")
    assert reason.endswith("give it time (--budget 1m) or name it (--rungs small-net)")


def test_without_torch_the_extra_is_named(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    reasons = {rung.skip_reason(problem_for(rung, shop)) for rung in TRAINED}
    assert reasons == {"it needs the extra 'deep': pip install 'winnow[deep]'"}


def test_a_backbone_without_weights_cannot_learn_on(shop: Shop):
    (rung,) = find_rungs(["fine-tune"])
    assert shop.backbone.network is not None
    without = replace(shop.backbone, network=None)
    assert "has no weights" in str(rung.skip_reason(shop.problem(backbone=without)))
    assert "no backbone is at hand" in str(rung.skip_reason(shop.problem(backbone=None)))


def test_classic_networks_are_tried_where_they_are_named():
    names = [rung.name for rung in find_rungs(["resnet-18", "features-lda", "timm:resnet10t"])]
    assert names == ["features-lda", "resnet-18", "timm:resnet10t"]
    assert not {one.name for one in classic.CLASSICS} & {rung.name for rung in all_rungs()}


def test_classic_networks_are_those_of_the_registry():
    entries = {entry.name: entry for entry in all_nets()}
    for one in classic.CLASSICS:
        assert (one.title, one.side_px) == (entries[one.name].title, entries[one.name].side_px)
        assert one.smallest_px >= entries[one.name].smallest_side_px or one.side_px == 28


def test_a_classic_network_learns_from_scratch(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    for name in ("LEAST_STEPS", "LEAST_EPOCHS", "MOST_EPOCHS"):
        monkeypatch.setattr(classic, name, 2)
    (rung,) = find_rungs(["small-convnet"])
    candidate = rung.climb(problem_for(rung, shop), Clock(), tell_nobody)
    assert candidate.settings["features"] == "Small convolutional network (28 px)"
    assert candidate.predictions.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_a_network_and_a_light_rung_become_an_ensemble(shop: Shop, tmp_path: Path, climbs: dict[str, Done]):
    done = climbed(next(rung for rung in TRAINED if rung.name == "fine-tune"), shop, climbs)
    (light, ensemble) = find_rungs(["features-nearest-mean", "ensemble"])
    other = light.climb(done.problem, Clock(), tell_nobody)
    # Each is sure of another half, so that neither does alone.
    labels, half = done.problem.labels[done.problem.judged], np.arange(done.problem.n_judged) % 2 == 0
    first, second = (
        replace(one, predictions=np.where(is_sure[:, None], np.eye(3, dtype=np.float32)[labels], 1 / 3))
        for one, is_sure in ((done.candidate, half), (other, ~half))
    )
    assert isinstance(ensemble, LongRung)
    bench = Workbench(tmp_path, {"fine-tune": first, "features-nearest-mean": second})
    made = ensemble.climb_at(bench, done.problem, Clock(), tell_nobody)
    assert made.predictions.shape == first.predictions.shape
    contents = done.problem.contents
    shares = {name: float(share) for name, share in (m.split(" ") for m in str(made.settings["members"]).split(", "))}
    expected = sum(
        share * done.problem.probabilities({"fine-tune": first, "features-nearest-mean": second}[name], contents)
        for name, share in shares.items()
    )
    assert done.problem.probabilities(made, contents) == pytest.approx(expected, abs=0.01)
    assert done.problem.input_spec_of(made) == InputSpec(SIDE_PX)
