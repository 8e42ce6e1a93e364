"""The playground's modules, run by node as a browser runs them, held to closed forms, numpy and PyTorch."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ..scripts import Scripts

ACTIVATIONS = ("tanh", "sigmoid", "relu", "leaky", "linear")
OPTIMISERS = ("descent", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
KNOBS = {
    "kind": "xor", "n": 200, "noise": 0.1, "seed": 0, "trainShare": 0.7, "hidden": [4], "activation": "tanh",
    "optimiser": "descent", "rate": 0.1, "batch": 10, "l1": 0, "l2": 0,
}  # fmt: skip
Run = Callable[..., Any]


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs lines of JavaScript that use the modules by their names; gives what they return."""
    names = ("activations", "by_hand", "chance", "course", "examples", "network", "optimisers", "ravine")
    return Scripts(tmp_path_factory.mktemp("playground"), {name: f"playground/{name}.js" for name in names}).run


def loss_in_numpy(hidden: list[int], activation: str, weights: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    """Mean cross entropy of the same network, written another way."""
    of = {
        "tanh": np.tanh,
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "relu": lambda z: np.maximum(z, 0),
        "leaky": lambda z: np.where(z > 0, z, 0.01 * z),
        "linear": lambda z: z,
    }[activation]
    a, z, start, widths = x, x, 0, [2, *hidden, 1]
    for inputs, outputs in itertools.pairwise(widths):
        end = start + inputs * outputs
        z = a @ weights[start:end].reshape(outputs, inputs).T + weights[end : end + outputs]
        a, start = of(z), end + outputs
    answer = 1 / (1 + np.exp(-z[:, 0]))
    return float(-np.mean(y * np.log(answer) + (1 - y) * np.log(1 - answer)))


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("hidden", [[], [3], [4, 3]], ids=str)
def test_loss_and_gradient_are_those_of_finite_differences_in_numpy(run: Run, activation: str, hidden: list[int]):
    found = run(
        """const net = network.network(hidden, activation, 5);
        const some = examples.examples("spiral", { n: 12, noise: 0.2, seed: 3 });
        const places = [...Array(12).keys()];
        return { weights: net.weights, x: some.x, y: some.y, loss: network.measure(net, some).loss,
                 gradient: network.gradient(net, some, places, { l1: 0, l2: 0 }) };""",
        hidden=hidden,
        activation=activation,
    )
    weights, x, y = np.array(found["weights"]), np.array(found["x"]).reshape(-1, 2), np.array(found["y"])
    assert found["loss"] == pytest.approx(loss_in_numpy(hidden, activation, weights, x, y), rel=1e-9)
    h = 1e-6
    steps = np.eye(len(weights)) * h
    slopes = [
        (
            loss_in_numpy(hidden, activation, weights + one, x, y)
            - loss_in_numpy(hidden, activation, weights - one, x, y)
        )
        / (2 * h)
        for one in steps
    ]
    assert found["gradient"] == pytest.approx(slopes, abs=1e-6)


def test_the_penalty_pulls_on_weights_and_leaves_biases_alone(run: Run):
    plain, pulled, weights, is_weight = run(
        """const net = network.network([3], "tanh", 5);
        const some = examples.examples("xor", { n: 8, noise: 0, seed: 3 });
        const with_ = (l1, l2) => network.gradient(net, some, [0, 1, 2], { l1, l2 });
        const isIn = (i, { weights, biases }) => i >= weights && i < biases;
        const isWeight = Array.from(net.weights, (_, i) => net.layers.some((one) => isIn(i, one)));
        return [with_(0, 0), with_(0.1, 0.2), net.weights, isWeight];"""
    )
    expected = np.where(is_weight, 0.1 * np.sign(weights) + 0.2 * np.array(weights), 0)
    assert np.array(pulled) - np.array(plain) == pytest.approx(expected)


def test_no_line_tells_more_than_three_of_the_four_corners_of_xor(run: Run):
    # All lines: every direction, at every offset between and beyond the corners.
    best = run(
        """const net = network.network([], "tanh", 0);
        let best = 0;
        for (let turn = 0; turn < 360; turn += 1) for (let offset = -2; offset <= 2; offset += 0.05) {
          const angle = (turn * Math.PI) / 180;
          net.weights.set([Math.cos(angle), Math.sin(angle), offset]);
          best = Math.max(best, network.measure(net, examples.CORNERS).accuracy);
        }
        return best;"""
    )
    assert best == 0.75


LEARN = """const corners = examples.CORNERS;
return seeds.map((seed) => {
  const going = course.course({ ...knobs, seed, batch: 4 }, { train: corners, test: corners });
  while (going.epochs < epochs) course.epoch(going);
  return course.now(going).train.accuracy;
});"""


def test_a_perceptron_fails_at_xor_whatever_its_seed(run: Run):
    assert max(run(LEARN, knobs={**KNOBS, "hidden": []}, seeds=list(range(10)), epochs=500)) <= 0.75


def test_one_hidden_layer_solves_xor(run: Run):
    knobs = {**KNOBS, "hidden": [8], "optimiser": "adam", "rate": 0.05}
    assert run(LEARN, knobs=knobs, seeds=list(range(10)), epochs=500) == [1.0] * 10


def test_without_an_activation_a_hidden_layer_is_a_perceptron_again(run: Run):
    knobs = {**KNOBS, "activation": "linear", "hidden": [8]}
    assert max(run(LEARN, knobs=knobs, seeds=list(range(5)), epochs=500)) <= 0.75


@pytest.mark.parametrize("kind", ["xor", "circle", "gaussians", "spiral"])
def test_a_network_of_two_layers_learns_every_kind_of_examples(run: Run, kind: str):
    knobs = {**KNOBS, "kind": kind, "hidden": [8, 8], "optimiser": "adam", "rate": 0.02}
    accuracy = run(
        """const going = course.course(knobs, course.data(knobs));
        while (going.epochs < 200) course.epoch(going);
        return course.now(going).test.accuracy;""",
        knobs=knobs,
    )
    assert accuracy > 0.9


def test_the_same_seed_gives_the_same_course_to_the_last_bit_and_another_seed_another(run: Run):
    weights = run(
        """return [0, 0, 1].map((seed) => {
          const mine = { ...knobs, seed };
          const going = course.course(mine, course.data(mine));
          course.epoch(going);
          return going.net.weights;
        });""",
        knobs=KNOBS,
    )
    assert weights[0] == weights[1] != weights[2]


def test_every_example_is_dealt_once_and_the_curves_stay_short(run: Run):
    found = run(
        """const all = examples.examples("circle", { n: 50, noise: 0.1, seed: 0 });
        const { train, test } = examples.deal(all, 0.7, 0);
        const going = course.course({ ...knobs, hidden: [] }, { train, test });
        while (going.epochs < 2000) course.epoch(going);
        return { n: [train.n, test.n], given: all.x, dealt: [...train.x, ...test.x],
                 epochs: going.history.map((one) => one.epochs) };""",
        knobs=KNOBS,
    )
    assert found["n"] == [35, 15]
    assert sorted(found["dealt"]) == sorted(found["given"])
    assert len(found["epochs"]) <= 401
    assert np.unique(np.diff(found["epochs"])).size == 1


def test_drawn_numbers_are_even_and_normal(run: Run):
    even, normal = run(
        """const luck = chance.chance(7);
        const many = (of) => Array.from({ length: 20000 }, of);
        return [many(luck.uniform), many(luck.normal)];"""
    )
    assert np.histogram(even, bins=10, range=(0, 1))[0] == pytest.approx(2000, abs=200)
    assert np.mean(normal) == pytest.approx(0, abs=0.03)
    assert np.std(normal) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("name", OPTIMISERS)
def test_every_optimiser_walks_as_pytorch_s(run: Run, name: str):
    torch = pytest.importorskip("torch")
    path = run(
        """const where = ravine.ravine(30, 0.4);
        return ravine.walk(where, name, { rate: 0.02, momentum: 0.8 }, [-2, 0.5], 40);""",
        name=name,
    )
    x = torch.tensor([-2.0, 0.5], dtype=torch.float64, requires_grad=True)
    optimiser = {
        "descent": lambda: torch.optim.SGD([x], lr=0.02),
        "momentum": lambda: torch.optim.SGD([x], lr=0.02, momentum=0.8),
        "nesterov": lambda: torch.optim.SGD([x], lr=0.02, momentum=0.8, nesterov=True),
        "adagrad": lambda: torch.optim.Adagrad([x], lr=0.02, eps=1e-8),
        "rmsprop": lambda: torch.optim.RMSprop([x], lr=0.02, alpha=0.9),
        "adam": lambda: torch.optim.Adam([x], lr=0.02),
    }[name]()
    turn = torch.tensor([[math.cos(0.4), math.sin(0.4)], [-math.sin(0.4), math.cos(0.4)]], dtype=torch.float64)
    expected = [x.tolist()]
    for _ in range(40):
        optimiser.zero_grad()
        u, v = turn @ x
        ((u * u + 30 * v * v) / 2).backward()
        optimiser.step()
        expected.append(x.tolist())
    assert np.array(path) == pytest.approx(np.array(expected), abs=1e-9)


@pytest.mark.parametrize("condition", [1, 10, 100])
def test_the_best_plain_descent_contracts_exactly_as_the_formula_says(run: Run, condition: float):
    path, factor = run(
        """const where = ravine.ravine(condition, 0.3);
        const path = ravine.walk(where, "descent", ravine.bestSettings("descent", condition), where.place(1, 1), 50);
        return [path.map(ravine.distance), ravine.knownFactor("descent", condition)];""",
        condition=condition,
    )
    assert factor == (condition - 1) / (condition + 1)
    # Along and across shrink by the same share, so every single step does.
    assert path[1:] == pytest.approx([before * factor for before in path[:-1]], abs=1e-12)


@pytest.mark.parametrize(("name", "steps"), [("momentum", 2000), ("nesterov", 2000)])
def test_momentum_s_known_optimum_is_reached_in_the_long_run_and_beats_plain_descent(run: Run, name: str, steps: int):
    condition = 400
    path, factor = run(
        """const where = ravine.ravine(condition, 0.3);
        const path = ravine.walk(where, name, ravine.bestSettings(name, condition), where.place(1, 1), steps);
        return [path.map(ravine.distance), ravine.knownFactor(name, condition)];""",
        name=name,
        condition=condition,
        steps=steps,
    )
    # Between two late steps; where the roots are double, the distance is t times the factor to the t.
    early, late = 100, 300
    measured = (path[late] / late / (path[early] / early)) ** (1 / (late - early))
    assert measured == pytest.approx(factor, abs=0.01)
    assert factor < (condition - 1) / (condition + 1)


def test_too_high_a_rate_runs_away_and_ends_early(run: Run):
    path = run("""return ravine.walk(ravine.ravine(10, 0), "descent", { rate: 0.25 }, [1, 1], 500);""")
    assert len(path) < 500
    assert np.isfinite(path).all()


@pytest.mark.parametrize("name", ["adagrad", "rmsprop", "adam"])
def test_rates_for_each_axis_make_a_ravine_along_the_axes_as_easy_as_a_bowl(run: Run, name: str):
    last = run(
        """return [1, 100].map((condition) =>
          ravine.walk(ravine.ravine(condition, 0), name, { rate: 0.1 }, [-2, 0.5], 30).at(-1));""",
        name=name,
    )
    assert last[0] == pytest.approx(last[1], abs=1e-6)


def test_back_propagation_by_hand_gives_the_textbook_s_numbers(run: Run):
    nodes = run("""const found = by_hand.sumTimes(-2, 5, -4);
        return Object.fromEntries(Object.entries(found).map(([name, one]) => [name, [one.value, one.gradient]]));""")
    assert nodes == {"x": [-2, -4], "y": [5, -4], "z": [-4, 3], "q": [3, -4], "f": [-12, 1]}


def test_a_node_used_twice_gathers_both_gradients(run: Run):
    assert run("""const x = by_hand.input(3); const f = by_hand.add(by_hand.multiply(x, x), x);
        by_hand.backward(f); return [f.value, x.gradient];""") == [12, 7]
