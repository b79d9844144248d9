"""The tasks: targets are right, and baselines and optima are what predictors really reach.

Every limit is compared with three things where they exist: a figure that was computed elsewhere, a
slow reference written here in another way, and a simulated predictor, within four standard errors.
"""

import ast
import dataclasses
import inspect
import itertools
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from course_utils import tasks
from course_utils.tasks import base

LN2 = math.log(2)
FACTORIES = {
    name: getattr(tasks, name)
    for name in [
        "adding",
        "adding_1997",
        "autoregression",
        "average_until_cue",
        "copying",
        "counting",
        "counting_next_symbol",
        "dyck",
        "elman_letters",
        "elman_xor",
        "embedded_reber",
        "embedded_reber_stream",
        "hidden_markov",
        "hold_among_distractors",
        "latch",
        "latch_among_distractors",
        "moving_ball",
        "multiplication",
        "neighbour_xor",
        "noisy_ball",
        "radiology",
        "random_digits",
        "reber",
        "register",
        "running_parity",
        "sign_of_running_sum",
        "temporal_order",
        "temporal_order_1997",
        "two_event_order",
        "two_sided_average",
    ]
}
TASKS = {name: factory() for name, factory in FACTORIES.items()}
every_task = pytest.mark.parametrize("name", FACTORIES)
SIZE = {"counting": "N", "counting_next_symbol": "N", "radiology": "sentences"}
NO_SIZE = {"reber", "embedded_reber"}
TOKENS = {"radiology"}  # X holds word numbers (B, T)


def generator():
    return np.random.default_rng(7)


def is_regression(task):
    return task.unit == "mean squared error"


def is_binary(task, batch):
    return not is_regression(task) and batch.target.dtype.kind == "f"


def test_tasks_need_numpy_and_nothing_else():
    allowed = set(sys.stdlib_module_names) | {"numpy"}
    for path in Path(tasks.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.startswith("course_utils.tasks") or name.split(".")[0] in allowed


def test_every_task_is_in_the_list():
    made = {
        name
        for name in tasks.__all__
        if inspect.isfunction(getattr(tasks, name))
        and inspect.signature(getattr(tasks, name)).return_annotation == "Task"
    }
    assert made == set(FACTORIES)


# ---------------------------------------------------------------- the contract


@every_task
def test_shapes_and_types(name):
    task, B = TASKS[name], 5
    X, target, mask = task.sample(generator(), B)
    if name in TOKENS:
        assert X.ndim == 2
        assert X.dtype.kind == "i"
        assert 0 <= X.min() <= X.max() < task.num_inputs
    else:
        assert X.ndim == 3
        assert X.dtype == np.float64
        assert X.shape[-1] == task.num_inputs
    assert X.shape[0] == target.shape[0] == B
    if mask is not None:
        assert mask.dtype == bool
        assert mask.shape == X.shape[:2] == target.shape[:2]
        assert mask.any(axis=1).all()
    if target.dtype.kind == "i":
        assert 0 <= target.min() <= target.max() < task.num_outputs
    else:
        assert target.dtype == np.float64
        assert target.shape[-1] == task.num_outputs
    assert target.shape[:-1] in {(B,), X.shape[:2]} or target.shape in {(B,), X.shape[:2]}
    assert np.isfinite(X).all()
    assert np.isfinite(target).all()


@every_task
def test_the_generator_decides_all(name):
    first, again = (TASKS[name].sample(generator(), 4) for _ in range(2))
    other = TASKS[name].sample(np.random.default_rng(8), 4)
    for a, b in zip(first, again):
        np.testing.assert_array_equal(a, b)
    assert first.X.shape != other.X.shape or (first.X != other.X).any()


@every_task
def test_replicas_stand_in_front(name):
    task, R, B = TASKS[name], 3, 4
    plain = next(task.batches(generator(), B))
    assert plain.X.shape[0] == B
    batches = task.batches(generator(), B, replicas=R)
    for batch in itertools.islice(batches, 2):
        assert batch.X.shape[:2] == batch.target.shape[:2] == (R, B)
        if batch.mask is None:
            assert (batch.X[0] != batch.X[1]).any()  # data of their own
        else:
            assert batch.mask.shape == batch.X.shape[1:3]
            np.testing.assert_array_equal(batch.X[0], batch.X[2])
    one, two = itertools.islice(task.batches(generator(), B), 2)
    assert one.X.shape != two.X.shape or (one.X != two.X).any()


@every_task
def test_limits_are_in_order(name):
    task = TASKS[name]
    assert task.name
    assert task.unit
    assert 0 <= task.optimum <= task.baseline
    for what, level in task.levels.items():
        assert task.optimum - 1e-12 <= level <= task.baseline + 1e-12, what
    for share in task.accuracies.values():
        assert 0 <= share <= 1


@every_task
def test_bad_arguments_are_named(name):
    task = TASKS[name]
    with pytest.raises(TypeError, match=r"rng is 7 of type int; expected .*default_rng"):
        task.sample(7, 4)
    with pytest.raises(ValueError, match="B is 0"):
        task.sample(generator(), 0)
    with pytest.raises(TypeError, match=r"B is 2\.5"):
        task.sample(generator(), 2.5)
    with pytest.raises(TypeError, match="rng is 7"):
        task.batches(7, 4)
    with pytest.raises(ValueError, match="replicas is 0"):
        task.batches(generator(), 4, replicas=0)
    if name not in NO_SIZE:
        size = SIZE.get(name, "T")
        with pytest.raises(ValueError, match=f"{size} is 0"):
            FACTORIES[name](**{size: 0})
        with pytest.raises(TypeError, match=f"{size} is 'x'"):
            FACTORIES[name](**{size: "x"})
    with pytest.raises(dataclasses.FrozenInstanceError):
        task.baseline = 0.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: tasks.moving_ball(5, height=1), "height is 1"),
        (lambda: tasks.moving_ball(5, width=0), "width is 0"),
        (lambda: tasks.noisy_ball(5, damping=1.0), "damping is 1.0"),
        (lambda: tasks.noisy_ball(5, noise=-1), "noise is -1"),
        (lambda: tasks.noisy_ball(5, period=float("nan")), "period is nan"),
        (lambda: tasks.autoregression(5, memory=1.5), "memory is 1.5"),
        (lambda: tasks.temporal_order(5), "T is 5; expected a whole number >= 10"),
        (lambda: tasks.copying(5, symbols=1), "symbols is 1"),
        (lambda: tasks.register(5, query=2), "query is 2"),
        (lambda: tasks.hidden_markov(5, stay=0.2), "stay is 0.2"),
        (lambda: tasks.hidden_markov(5, emission=1.0), "emission is 1.0"),
        (lambda: tasks.dyck(kinds=0), "kinds is 0"),
        (lambda: tasks.pendulum().best_weights(0), "k is 0"),
        (lambda: tasks.counting_string(0), "n is 0"),
        (lambda: tasks.digits_of_pi(0), "count is 0"),
        (lambda: tasks.one_hot(np.array([0, 3]), 3), "tokens run from 0 to 3; expected 0 to 2"),
        (lambda: tasks.REBER.stream(generator(), 2, 3, np.zeros(3)), r"state has shape \(3,\)"),
        (lambda: tasks.REBER.states(np.array([0, 1])), "expected 2 axes"),
        (lambda: tasks.negation_rule(np.array([0, 1])), "expected 2 axes"),
        (lambda: tasks.hidden_markov_posterior(np.zeros((2, 3, 1))), "values -1 and 1"),
    ],
)
def test_bad_sizes_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("name", tasks.__all__)
def test_public_names_say_where_they_are_taught(name):
    thing = getattr(tasks, name)
    if inspect.isfunction(thing) or inspect.isclass(thing):
        assert "Taught in: notebooks/" in thing.__doc__


# ---------------------------------------------------------------- baselines, simulated


def per_sequence(values, mask):
    """Sums and counts per sequence, for a mean with its standard error."""
    values = values.reshape(len(values), -1) if mask is None else values.reshape(mask.shape)
    weight = np.ones(values.shape) if mask is None else mask.astype(float)
    return np.where(weight > 0, values, 0.0).sum(axis=1), weight.sum(axis=1)


def close(values, expected, mask=None, exact=1e-9):
    """The mean of values (B, ...) is `expected` within four standard errors of B sequences."""
    sums, counts = per_sequence(np.asarray(values, dtype=float), mask)
    mean = sums.sum() / counts.sum()
    spread = (sums - mean * counts).std() / counts.mean() / math.sqrt(len(sums))
    assert abs(mean - expected) <= 4 * spread + exact, (mean, expected, spread)


def constant_predictor_loss(task, batch):
    """The loss of the best constant, found on another sample."""
    other = task.sample(np.random.default_rng(99), 4000)
    if is_regression(task):
        return ((batch.target - other.target.mean()) ** 2).reshape(len(batch.target), -1)
    keep = np.ones(other.target.shape[:2], dtype=bool) if other.mask is None else other.mask
    if is_binary(task, batch):
        p = (
            other.target[keep[:, : other.target.shape[1]]]
            if other.target.ndim == 3
            else other.target
        )
        p = p.reshape(-1, other.target.shape[-1]).mean(axis=0)
        y = batch.target
        return -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(axis=-1)
    labels = other.target if other.target.ndim == 1 else other.target[keep]
    counts = np.bincount(labels.ravel(), minlength=task.num_outputs)
    with np.errstate(divide="ignore"):  # a label that never comes, except under the mask
        return -np.log(counts / counts.sum())[batch.target]


@pytest.mark.parametrize("name", sorted(set(FACTORIES) - {"copying", "hidden_markov"}))
def test_baseline_is_what_a_constant_reaches(name):
    task = TASKS[name]
    batch = task.sample(generator(), 4000)
    loss = constant_predictor_loss(task, batch)
    # The constant comes from 4000 other sequences, which costs it a little: K / (2 * 4000) nats.
    close(loss, task.baseline, batch.mask, exact=2 * (task.num_outputs or 1) / 4000)


def test_baseline_of_copying_and_hidden_markov():
    task = tasks.copying(7, length=4, symbols=5)
    loss = np.zeros((10, 15))
    loss[:, -4:] = math.log(5)  # blank for certain, then a guess
    close(loss, task.baseline)
    task = tasks.hidden_markov(40)
    batch = task.sample(generator(), 4000)
    right = (batch.X[..., 0] > 0) == batch.target
    close(-np.log(np.where(right, 0.8, 0.2)), task.baseline)


# ---------------------------------------------------------------- figures computed elsewhere


@pytest.mark.parametrize(
    ("value", "figure"),
    [
        (tasks.adding().baseline, 1 / 6),
        (tasks.adding().levels["one number known"], 1 / 12),
        (tasks.adding_1997().baseline, 1 / 24),
        (tasks.adding_1997().levels["one number known"], 1 / 48),
        (tasks.multiplication().baseline, 7 / 144),
        (tasks.multiplication().levels["one number known"], 1 / 36),
        (tasks.copying(20).baseline, 0.5199),
        (tasks.copying(50).baseline, 0.2971),
        (tasks.copying(100).baseline, 0.1733),
        (tasks.temporal_order().baseline, math.log(4)),
        (tasks.temporal_order().levels["one event"], LN2),
        (tasks.two_event_order().levels["bag of words"], LN2 / 2),
        (tasks.two_event_order().accuracies["bag of words"], 0.75),
        (tasks.elman_xor(30).baseline, 0.6931),
        (tasks.elman_xor(30).optimum, 0.4621),
        (tasks.elman_letters(20_000).levels["one letter back"], 0.7324),
        (tasks.elman_letters(20_000).optimum, 0.3662),
        (tasks.REBER.nats_per_string() / LN2, 6),
        (tasks.REBER.visits().sum(), 8),
        (tasks.EMBEDDED_REBER.nats_per_string() / LN2, 7),
        (tasks.EMBEDDED_REBER.visits().sum(), 12),
        (tasks.embedded_reber().optimum, 0.4411),
        (tasks.embedded_reber().levels["outer symbol unknown"], 0.5041),
        (tasks.embedded_reber_stream().optimum, 0.4043),
        (tasks.embedded_reber_stream().baseline, 1.897),
        (tasks.embedded_reber_stream().levels["last 1 symbols"], 1.281),
        (tasks.embedded_reber_stream().levels["last 2 symbols"], 0.578),
        (tasks.embedded_reber_stream().levels["last 3 symbols"], 0.4621),
        (tasks.hidden_markov().baseline, 0.5004),
        (tasks.two_sided_average(100_000).baseline, 0.003870),
        (tasks.two_sided_average(100_000).levels["past only"], 0.001286),
        (tasks.pendulum().best_error(1), 0.5070),
        (tasks.pendulum().best_error(2), 0.4764),
        (tasks.pendulum().best_error(5), 0.4305),
        (tasks.pendulum().best_error(20), 0.3267),
        (tasks.pendulum().kalman_error(), 0.3256),
        (tasks.autoregression().baseline, 1.5),
        (tasks.autoregression(1).levels["last 1"], 0.898),
        (tasks.autoregression(20_000).optimum, 0.7465),
        (tasks.counting_next_symbol(10).optimum, 0.2093),
        (tasks.counting_next_symbol(20).optimum, 0.1427),
        (tasks.counting_next_symbol(50).optimum, 0.0767),
        (tasks.running_parity().baseline, LN2),
        (tasks.neighbour_xor().levels["past only"], LN2),
        (tasks.random_digits().optimum, math.log(10)),
        (tasks.register(30).baseline, 0.2 * 29 / 30 / 3),
        (tasks.dyck(1, 8, 20_000).optimum, 7 / 8 * LN2),
        (tasks.dyck(2, 4, 20_000).optimum, 3 / 4 * LN2 + LN2 / 2),
        (tasks.dyck(2, 8, 20_000).optimum, 7 / 8 * LN2 + LN2 / 2),
    ],
)
def test_known_figures(value, figure):
    tolerance = 6e-4 if round(figure, 3) == figure else min(6e-5, 2e-3 * figure)
    assert value == pytest.approx(figure, abs=tolerance)


# ---------------------------------------------------------------- targets and oracles


def test_ball_pictures():
    frames, position, velocity = tasks.ball_pictures(generator(), 300, 30, height=5, width=7)
    assert frames.shape == (300, 30, 5, 7)
    assert (frames.sum(axis=(2, 3)) == 1).all()
    assert set(np.unique(velocity)) == {-1, 1}
    for b, t in itertools.product(range(300), range(29)):
        p, v = position[b, t].copy(), velocity[b, t].copy()
        assert frames[b, t, p[0], p[1]] == 1
        for axis, size in enumerate((5, 7)):
            if 0 <= p[axis] + v[axis] < size:
                p[axis] += v[axis]
            else:
                v[axis] = -v[axis]
        np.testing.assert_array_equal(position[b, t + 1], p)
        np.testing.assert_array_equal(velocity[b, t + 1], v)


def test_one_picture_does_not_show_the_direction():
    """All cells and directions alike; every cell has four next cells, each from one direction."""
    _, position, velocity = tasks.ball_pictures(generator(), 60_000, 2, height=3, width=4)
    cell = position[:, 0, 0] * 4 + position[:, 0, 1]
    direction = (velocity[:, 0] > 0) @ np.array([2, 1])
    counts = np.zeros((12, 4))
    np.add.at(counts, (cell, direction), 1)
    expected = 60_000 / 48
    assert np.abs(counts - expected).max() < 5 * math.sqrt(expected)
    following = position[:, 1, 0] * 4 + position[:, 1, 1]
    for one in range(12):
        assert len(np.unique(following[cell == one])) == 4


def test_moving_ball_is_known_from_two_pictures():
    task = tasks.moving_ball(8, height=4, width=5)
    X, target, _ = task.sample(generator(), 2000)
    np.testing.assert_array_equal(X[:, 1:].argmax(-1), target[:, :-1])
    known = {}
    cells = X.argmax(-1)
    for b, t in itertools.product(range(2000), range(1, 8)):
        known.setdefault((cells[b, t - 1], cells[b, t]), set()).add(target[b, t])
    assert all(len(following) == 1 for following in known.values())
    loss = np.zeros((2000, 8))
    loss[:, 0] = math.log(4)
    close(loss, task.optimum)
    assert task.accuracies["best"] == pytest.approx((0.25 + 7) / 8)


def test_the_best_line_for_the_noisy_ball_is_reached():
    task = tasks.noisy_ball(30)
    X, target, _ = task.sample(generator(), 20_000)
    system = tasks.pendulum()
    np.testing.assert_array_equal(X[:, 1:], target[:, :-1])
    for k in (1, 2, 5, 20):
        predicted = X[:, 30 - k :, 0] @ system.best_weights(k)
        close((predicted - target[:, -1, 0])[:, np.newaxis] ** 2, system.best_error(k))
        errors = [
            (X[:, t - min(k, t) : t, 0] @ system.best_weights(min(k, t)) - target[:, t - 1, 0]) ** 2
            for t in range(1, 31)
        ]
        close(np.stack(errors, axis=1), task.levels[f"last {k}"])
    kalman = system.kalman_predictions(X[..., 0])
    close((kalman - target[..., 0]) ** 2, task.optimum)
    np.testing.assert_allclose(kalman[:, 4], X[:, :5, 0] @ system.best_weights(5), atol=1e-9)


@pytest.mark.parametrize("task", [tasks.noisy_ball, tasks.autoregression])
def test_kalman_errors_are_those_of_growing_windows(task):
    system = tasks.pendulum() if task is tasks.noisy_ball else None
    if system is None:
        one = np.ones((1, 1))
        system = tasks.LinearSystem(0.95 * one, (1 - 0.95**2) * one, np.ones(1), 0.5, one)
    windows = [system.best_error(k) for k in range(12)]
    np.testing.assert_allclose(system.kalman_errors(12), windows, rtol=1e-9)
    assert task(11).optimum == pytest.approx(np.mean(windows[1:]))
    np.testing.assert_allclose(system.P, system.A @ system.P @ system.A.T + system.Q, atol=1e-12)


@pytest.mark.parametrize("name", ["two_event_order", "temporal_order", "temporal_order_1997"])
@pytest.mark.parametrize("T", [11, 30, 110])
def test_order_tasks(name, T):
    task = FACTORIES[name](T)
    X, target, _ = task.sample(generator(), 600)
    for x, answer in zip(X.argmax(-1), target):
        places = [t for t in range(T) if x[t] < 2]
        assert len(places) == 2
        assert answer == 2 * x[places[0]] + x[places[1]]
        if name == "temporal_order":
            assert round(0.1 * T) <= places[0] <= round(0.2 * T)
            assert round(0.4 * T) <= places[1] <= round(0.5 * T)
        if name == "temporal_order_1997":
            assert (x[0], x[-1]) == (7, 6)
            assert (x[1:-1] < 6).all()
    bags = X.sum(axis=1)
    share_known = np.mean([(bags[i, :2] == 1).sum() != 2 for i in range(600)])
    assert abs(share_known - 0.5) < 0.1  # AA and BB are known, AB and BA are a coin


def test_order_places_of_1997():
    X, _, _ = tasks.temporal_order_1997(110).sample(generator(), 5000)
    where = np.sort(np.argsort(X.argmax(-1) >= 2, axis=1, kind="stable")[:, :2], axis=1)
    assert (where.min(axis=0) == [10, 50]).all()
    assert (where.max(axis=0) == [20, 60]).all()


@pytest.mark.parametrize("T", [1, 2, 3, 29, 30, 31])
def test_elman_xor(T):
    task = tasks.elman_xor(T)
    X, target, _ = task.sample(generator(), 50)
    assert X.shape == target.shape == (50, T, 1)
    bits = np.concatenate([X[:, :, 0], target[:, -1:, 0]], axis=1)
    np.testing.assert_array_equal(bits[:, 1:], target[..., 0])
    known = [t for t in range(1, T + 1) if t % 3 == 2]
    for t in known:
        np.testing.assert_array_equal(bits[:, t], bits[:, t - 1] != bits[:, t - 2])
    assert task.optimum == pytest.approx(LN2 * (T - len(known)) / T)


@pytest.mark.parametrize("T", [1, 2, 7, 30])
def test_elman_letters(T):
    task = tasks.elman_letters(T)
    X, target, _ = task.sample(generator(), 5000)
    tokens = np.concatenate([X.argmax(-1), target[:, -1:]], axis=1)
    np.testing.assert_array_equal(tokens[:, :-1], X.argmax(-1))
    nats = np.zeros((5000, T))
    for b, row in enumerate(tokens):
        left = ""
        for t, token in enumerate(row):
            letter = "bdgaiu"[token]
            if not left:
                assert letter in "bdg"
                nats[b, t - 1] = math.log(3) if t else nats[b, t - 1]
                left = {"b": "a", "d": "ii", "g": "uuu"}[letter]
            else:
                assert letter == left[0]
                left = left[1:]
    close(nats, task.optimum)


@pytest.mark.parametrize("name", ["adding", "adding_1997", "multiplication"])
def test_marked_pairs(name):
    task = FACTORIES[name](11)
    X, target, _ = task.sample(generator(), 500)
    for x, y in zip(X, target):
        marked = [t for t in range(11) if x[t, 1] == 1]
        assert len(marked) == 2
        assert marked[0] < 5 <= marked[1]
        a, b = (x[t, 0] for t in marked)
        expected = {"adding": a + b, "adding_1997": 0.5 + (a + b) / 4, "multiplication": a * b}
        assert y[0] == pytest.approx(expected[name])
    big = task.sample(generator(), 20_000)
    first = np.take_along_axis(big.X[..., 0], big.X[..., 1].argmax(1)[:, None], axis=1)
    best = {"adding": first + 0.5, "adding_1997": 0.5 + first / 4, "multiplication": first / 2}
    close((big.target - best[name]) ** 2, task.levels["one number known"])


def test_copying():
    X, target, _ = tasks.copying(5, length=3, symbols=4).sample(generator(), 40)
    tokens = X.argmax(-1)
    assert tokens.shape == (40, 11)
    for x, y in zip(tokens, target):
        assert (x[3:7] == 4).all()
        assert x[7] == 5
        assert (x[8:] == 4).all()
        assert (y[:8] == 4).all()
        assert list(y[8:]) == list(x[:3])
    assert set(np.unique(tokens[:, :3])) == {0, 1, 2, 3}


def test_latches():
    X, target, _ = tasks.latch(20, noise=0.5).sample(generator(), 3000)
    assert X.shape == (3000, 21, 1)
    np.testing.assert_array_equal(X[:, 0], 2 * target - 1)
    assert X[:, 1:].std() == pytest.approx(0.5, rel=0.02)
    X, target, _ = tasks.latch_among_distractors(20).sample(generator(), 300)
    for x, y in zip(X, target):
        (when,) = np.flatnonzero(x[:, 1])
        assert when < 4
        assert y[0] == (x[when, 0] + 1) / 2
    assert set(np.unique(X[..., 0])) == {-1, 1}


def test_average_until_cue():
    X, target, _ = tasks.average_until_cue(15, cue=0.2, noise=0.0).sample(generator(), 100)
    for x, y in zip(X, target):
        total = 0.0
        for t in range(15):
            total = x[t, 0] + (0.0 if x[t, 1] else 0.9 * total)
            assert y[t, 0] == pytest.approx(total * math.sqrt(1 - 0.81))
    task = tasks.average_until_cue(30)
    clean = tasks.average_until_cue(30, noise=0.0)
    assert task.baseline == pytest.approx(clean.baseline + 0.01)
    X, target, _ = clean.sample(generator(), 8000)
    present = math.sqrt(1 - 0.81) * X[..., :1]
    close((target - present) ** 2, clean.levels["present input only"])


def test_hold_among_distractors():
    X, target, _ = tasks.hold_among_distractors(15, noise=0.0).sample(generator(), 100)
    for x, y in zip(X, target):
        assert x[0, 1] == 1
        for t in range(15):
            if x[t, 1]:
                held = x[t, 0]
            assert y[t, 0] == held
    task = tasks.hold_among_distractors(30)
    X, target, _ = task.sample(generator(), 8000)
    close((target - X[..., :1] * X[..., 1:]) ** 2, task.levels["present input only"])
    held = np.array([[x[: t + 1][x[: t + 1, 1] == 1][-1, 0] for t in range(30)] for x in X[:2000]])
    close((target[:2000, :, 0] - held) ** 2, task.optimum)


@pytest.mark.parametrize("spikes", [0.0, 0.1])
def test_register(spikes):
    task = tasks.register(30, spikes=spikes)
    X, target, _ = task.sample(generator(), 3000)
    x, w, q = np.moveaxis(X, -1, 0)
    assert not (w * q).any()
    assert (w[:, 0] == 1).all()
    assert (q[:, 0] == 0).all()
    assert q[:, 1:].mean() == pytest.approx(0.2, abs=0.006)
    assert w[:, 1:].mean() == pytest.approx(0.1 * 0.8, abs=0.004)
    assert np.abs(x[w == 1]).max() <= 1
    big = np.abs(x[w == 0]) > 1
    assert big.mean() == pytest.approx(spikes, abs=0.005)
    assert (np.abs(x[w == 0][big]) == 30).all()
    for b in range(200):
        for t in range(30):
            if w[b, t]:
                held = x[b, t]
            assert target[b, t, 0] == (held if q[b, t] else 0.0)


def test_register_solved_by_hand_set_gates():
    """A memory cell with hand-set gates: sigmoid(24 (w - 1/2)), and so on; error below 1e-5."""
    X, target, _ = tasks.register(60).sample(generator(), 200)
    x, w, q = np.moveaxis(X, -1, 0)
    K, a, c = 24, 0.1, np.zeros(200)
    error = []
    for t in range(60):
        gate = [1 / (1 + np.exp(-K * s)) for s in (w[:, t] - 0.5, 0.5 - w[:, t], q[:, t] - 0.5)]
        c = gate[1] * c + gate[0] * np.tanh(a * x[:, t])
        error.append((gate[2] * np.tanh(c) / a - target[:, t, 0]) ** 2)
    assert np.mean(error) < 1e-5


def test_counting_and_toggling():
    X, target, _ = tasks.sign_of_running_sum(9).sample(generator(), 200)
    for x, y in zip(X[..., 0], target[..., 0]):
        for t in range(9):
            assert y[t] == np.sign(sum(x[: t + 1]))
    walks = np.array(list(itertools.product([-1, 1], repeat=9)))
    signs = np.sign(np.cumsum(walks, axis=1))
    task = tasks.sign_of_running_sum(9)
    assert task.baseline == pytest.approx((signs**2).mean())
    best = np.where(walks > 0, 1, -1) * (signs * walks).mean(axis=0)
    assert task.levels["present input only"] == pytest.approx(((signs - best) ** 2).mean())
    X, target, _ = tasks.running_parity(9).sample(generator(), 200)
    for x, y in zip(X[..., 0], target[..., 0]):
        assert [sum(x[: t + 1]) % 2 for t in range(9)] == list(y)
    X, target, _ = tasks.neighbour_xor(9).sample(generator(), 4000)
    np.testing.assert_array_equal(target[:, 1:-1], X[:, :-2] != X[:, 2:])
    inside = np.zeros((4000, 9))
    inside[:, [0, -1]] = LN2
    close(inside, tasks.neighbour_xor(9).optimum)
    for side in (0, -1):  # what the first and last answer depend on is not shown
        for t in range(9):
            assert abs(np.corrcoef(X[:, t, 0], target[:, side, 0])[0, 1]) < 0.07


def test_digits():
    digits = "".join(map(str, tasks.digits_of_pi(2000)))
    assert digits.startswith("31415926535897932384626433832795028841971")
    assert digits[762:768] == "999999"  # the six nines, decimals 762 to 767
    assert tasks.digits_of_pi(1).tolist() == [3]
    X, target, _ = tasks.random_digits(6).sample(generator(), 10)
    np.testing.assert_array_equal(X.argmax(-1)[:, 1:], target[:, :-1])


# ---------------------------------------------------------------- grammars

INNER = {
    0: {"B": 1},
    1: {"T": 2, "P": 3},
    2: {"S": 2, "X": 4},
    3: {"T": 3, "V": 5},
    4: {"X": 3, "S": 6},
    5: {"P": 4, "V": 6},
    6: {"E": 7},
}


def reber_legal(text):
    """What may follow in the plain grammar; None if the text is wrong; empty at the end."""
    state = 0
    for letter in text:
        if letter not in INNER.get(state, {}):
            return None
        state = INNER[state][letter]
    return set(INNER.get(state, {}))


def embedded_legal(text):
    if len(text) < 2:
        return {"": {"B"}, "B": {"T", "P"}}.get(text)
    end = text.find("E", 2)
    if text[0] != "B" or text[1] not in "TP":
        return None
    if end < 0:
        return reber_legal(text[2:])
    if reber_legal(text[2 : end + 1]) != set():
        return None
    rest = {end + 1: {text[1]}, end + 2: {"E"}, end + 3: set()}
    tail = text[end + 1 :]
    return rest.get(len(text)) if (text[1] + "E").startswith(tail) else None


@pytest.mark.parametrize(
    ("task", "grammar", "legal"),
    [
        (tasks.reber(), tasks.REBER, reber_legal),
        (tasks.embedded_reber(), tasks.EMBEDDED_REBER, embedded_legal),
    ],
    ids=["reber", "embedded"],
)
def test_reber_strings(task, grammar, legal):
    rng = generator()
    batch = task.sample(rng, 20_000)
    tokens = grammar.strings(generator(), 20_000)
    np.testing.assert_array_equal(batch.mask, tokens[:, 1:] >= 0)
    np.testing.assert_array_equal(batch.target[batch.mask], tokens[:, 1:][batch.mask])
    np.testing.assert_array_equal(batch.X.argmax(-1)[batch.mask], tokens[:, :-1][batch.mask])
    assert not batch.X[~batch.mask].any()
    allowed, outer = grammar.legal(tokens), grammar.outer_steps(tokens)
    for row in range(400):
        text = grammar.text(tokens[row])
        assert legal(text) == set()
        for t in range(len(text) - 1):
            may = {grammar.symbols[k] for k in np.flatnonzero(allowed[row, t])}
            assert may == legal(text[: t + 1])
            assert outer[row, t] == (task.name != "Reber" and t == len(text) - 3)
        assert not outer[row, len(text) :].any()
    lengths = (tokens >= 0).sum(axis=1)
    close(lengths[:, None], grammar.visits().sum())
    nats = np.log(np.maximum(allowed[:, :-1].sum(-1), 1))
    close(nats, task.optimum, batch.mask)
    if task.levels:
        close(nats + LN2 * outer[:, :-1], task.levels["outer symbol unknown"], batch.mask)


def test_wrong_strings_are_named():
    tokens = np.array([[tasks.REBER.symbols.index(letter) for letter in "BTE"]])
    with pytest.raises(ValueError, match=r"row 0, step 2 is 'E'; .* not allow it after 'BT'"):
        tasks.REBER.states(tokens)


def test_streams_go_on():
    grammar = tasks.EMBEDDED_REBER
    batches = tasks.embedded_reber_chunks(generator(), 3, 10)
    chunks = list(itertools.islice(batches, 30))
    tokens = np.concatenate([chunk.X.argmax(-1) for chunk in chunks], axis=1)
    target = np.concatenate([chunk.target for chunk in chunks], axis=1)
    np.testing.assert_array_equal(tokens[:, 1:], target[:, :-1])
    grammar.states(tokens)  # raises if a piece did not fit to the one before
    for row in tokens:
        whole = grammar.text(row).split("EB")  # an inner E is followed by T or P
        assert embedded_legal(whole[0] + "E") == set()
    chunk = next(tasks.embedded_reber_chunks(generator(), 3, 10, replicas=4))
    assert chunk.X.shape == (4, 3, 10, 7)
    assert chunk.target.shape == (4, 3, 10)
    assert (chunk.X[0] != chunk.X[1]).any()
    tokens, states = grammar.stream(generator(), 2, 200)
    np.testing.assert_array_equal(states, grammar.states(tokens))
    assert grammar.outer_steps(tokens).mean() == pytest.approx(1 / 12, rel=0.25)


def test_ngram_entropies_of_the_stream():
    """Against counts in a long stream."""
    tokens, _ = tasks.EMBEDDED_REBER.stream(generator(), 400, 1000)
    exact = tasks.EMBEDDED_REBER.ngram_entropies(5)
    for k in range(5):
        windows = np.lib.stride_tricks.sliding_window_view(tokens[:, 100:], k + 1, axis=1)
        codes = windows.reshape(-1, k + 1) @ 7 ** np.arange(k, -1, -1)
        table = np.bincount(codes, minlength=7 ** (k + 1)).reshape(-1, 7)
        assert tasks.best_guess(table)[0] == pytest.approx(exact[k], rel=0.01)


def test_counting():
    legal, following = tasks.counting_string(3)
    assert legal.X[0].argmax(-1).tolist() == [0, 0, 0, 1, 1, 1]
    assert legal.target[0].tolist() == [[1, 1, 0]] * 3 + [[0, 1, 0]] * 2 + [[0, 0, 1]]
    assert following.target[0].tolist() == [0, 0, 1, 1, 1, 2]
    for task, two in ((tasks.counting(6), True), (tasks.counting_next_symbol(6), False)):
        X, target, mask = task.sample(generator(), 300)
        assert X.shape == (300, 12, 2)
        lengths = mask.sum(axis=1) // 2
        assert set(lengths) == set(range(1, 7))
        for x, y, m, n in zip(X, target, mask, lengths):
            single = tasks.counting_string(n)[0 if two else 1]
            np.testing.assert_array_equal(x[m], single.X[0])
            np.testing.assert_array_equal(y[m], single.target[0])
            assert not x[~m].any()
    task = tasks.counting_next_symbol(6)
    X, target, mask = task.sample(generator(), 20_000)
    run = np.cumsum(
        X[..., 0], axis=1
    )  # after the t-th a one more comes with chance (6 - t) / (7 - t)
    in_a = X[..., 0] == 1
    chance = np.where(target == 0, (6 - run) / (7 - run), 1 / (7 - run))
    close(-np.log(np.where(in_a, np.maximum(chance, 1e-9), 1)), task.optimum, mask)
    task = tasks.counting(6)
    X, target, mask = task.sample(generator(), 20_000)
    last_b = 2 / 7  # among 3.5 steps with b, one on average is the last
    p = np.where(target[..., 2] == 1, last_b, 1 - last_b)
    nats = np.where(X[..., 1] == 1, -2 * np.log(p) / 3, 0.0)
    close(nats, task.levels["present symbol only"], mask)


@pytest.mark.parametrize(("kinds", "depth"), [(1, 8), (2, 4), (3, 1)])
def test_brackets(kinds, depth):
    task = tasks.dyck(kinds, depth, T=40)
    X, target, _ = task.sample(generator(), 3000)
    tokens = np.concatenate([X.argmax(-1), target[:, -1:]], axis=1)
    np.testing.assert_array_equal(tokens[:, 1:], target)
    nats, unknown = np.zeros((3000, 41)), np.zeros((3000, 41))
    for b, row in enumerate(tokens):
        stack = []
        for t, token in enumerate(row):
            if token < kinds:
                nats[b, t] = math.log(kinds) + (LN2 if stack else 0)
                stack.append(token)
            else:
                assert stack.pop() == token - kinds
                nats[b, t] = LN2 if len(stack) + 1 < depth else 0
                unknown[b, t] = math.log(kinds)
            assert len(stack) <= depth
    close(nats[:, 1:], task.optimum)
    if kinds > 1:
        close(nats[:, 1:] + unknown[:, 1:], task.levels["kind unknown"])


# ---------------------------------------------------------------- past and future


def brute_force_posterior(x, delay, stay, emission):
    """P(label_t = 1 | x_0 .. x_{t+delay}) by summing over all paths of labels."""
    T, answer = len(x), []
    for t in range(T):
        seen, total = min(T, t + delay + 1), [0.0, 0.0]
        for path in itertools.product([0, 1], repeat=seen):
            p = 0.5
            for s in range(seen):
                p *= emission if (x[s] > 0) == path[s] else 1 - emission
                if s:
                    p *= stay if path[s] == path[s - 1] else 1 - stay
            total[path[t]] += p
        answer.append(total[1] / sum(total))
    return answer


@pytest.mark.parametrize("delay", [0, 1, 3, 5])
def test_hidden_markov_against_all_paths(delay):
    """The posterior and both limits, by enumeration of every sequence of six steps."""
    T, stay, emission = 6, 0.9, 0.7
    X = np.array(list(itertools.product([-1, 1], repeat=T)))[..., np.newaxis]
    fast = tasks.hidden_markov_posterior(X, delay, stay, emission)
    slow = [brute_force_posterior(x[:, 0], delay, stay, emission) for x in X]
    np.testing.assert_allclose(fast, slow, atol=1e-12)
    evidence = np.zeros(len(X))
    for path in itertools.product([0, 1], repeat=T):
        changes = sum(a != b for a, b in itertools.pairwise(path))
        right = ((X[..., 0] > 0) == np.array(path)).sum(axis=1)
        p = 0.5 * stay ** (T - 1 - changes) * (1 - stay) ** changes
        evidence += p * emission**right * (1 - emission) ** (T - right)
    assert evidence.sum() == pytest.approx(1)
    nats = evidence @ base.entropy(np.stack([fast, 1 - fast], axis=-1)).mean(axis=1)
    error = evidence @ np.minimum(fast, 1 - fast).mean(axis=1)
    task = tasks.hidden_markov(T, stay, emission)
    key = {0: "past only", 1: "1 steps late", 5: "best"}.get(delay)
    if key:
        level = task.optimum if key == "best" else task.levels[key]
        assert level == pytest.approx(nats, abs=2e-5)
        assert 1 - task.accuracies[key] == pytest.approx(error, abs=2e-5)


def test_hidden_markov_limits_are_reached():
    task = tasks.hidden_markov(100)
    X, target, _ = task.sample(generator(), 4000)
    views = {"past only": 0, "2 steps late": 2, "8 steps late": 8, "best": None}
    for name, delay in views.items():
        p = tasks.hidden_markov_posterior(X, delay)
        right = np.where(target == 1, p, 1 - p)
        close(-np.log(right), task.levels.get(name, task.optimum))
        close(right > 0.5, task.accuracies[name])
    stays = target[:, 1:] == target[:, :-1]
    assert stays.mean() == pytest.approx(0.97, abs=0.002)


def test_two_sided_average():
    T = 40
    task = tasks.two_sided_average(T)
    X, target, _ = task.sample(generator(), 6000)

    def known(x, t, ahead):
        value = lambda s: x[s] if 0 <= s < T and s <= t + ahead else 0.5  # noqa: E731
        past = sum((1 - k / 10) * value(t - k) for k in range(1, 11)) / 10
        return past + sum((1 - k / 20) * value(t + k) for k in range(20)) / 20

    x = X[:50, :, 0]
    for b, t in itertools.product(range(50), range(T)):
        assert target[b, t, 0] == pytest.approx(known(x[b], t, 99))
    for name, ahead in (("past only", 0), ("5 steps late", 5)):
        best = np.stack([known(X[..., 0].T, t, ahead) * np.ones(6000) for t in range(T)], axis=1)
        close((best - target[..., 0]) ** 2, task.levels[name])


# ---------------------------------------------------------------- text


def test_vocabulary():
    vocabulary = tasks.Vocabulary("Zwölf Boxkämpfer")
    assert vocabulary.decode(vocabulary.encode("Box öäöx")) == "Box öäöx"
    assert len(vocabulary) == len(vocabulary.characters) == len(set("Zwölf Boxkämpfer"))
    assert vocabulary.encode("").shape == (0,)
    with pytest.raises(ValueError, match=r"character 'q' \(place 2\) is not in the vocabulary"):
        vocabulary.encode("Boq")
    with pytest.raises(ValueError, match="tokens run from 0 to 99"):
        vocabulary.decode([0, 99])
    with pytest.raises(ValueError, match="text is empty"):
        tasks.Vocabulary("")
    with pytest.raises(TypeError, match="text is of type bytes"):
        tasks.Vocabulary(b"abc")


def test_chunks_of_a_text_go_on():
    tokens = np.arange(1000) % 7
    chunks = list(tasks.text_chunks(tokens, 4, 30))
    assert len(chunks) == 999 // 4 // 30
    X = np.concatenate([chunk.X for chunk in chunks], axis=1)
    target = np.concatenate([chunk.target for chunk in chunks], axis=1)
    np.testing.assert_array_equal(X.ravel(), tokens[: X.size])
    np.testing.assert_array_equal(target.ravel(), tokens[1 : X.size + 1])
    hot = next(tasks.text_chunks(tokens, 4, 30, num_tokens=7, replicas=2))
    assert hot.X.shape == (2, 4, 30, 7)
    assert hot.target.shape == (2, 4, 30)
    np.testing.assert_array_equal(hot.X[1].argmax(-1), chunks[0].X)
    assert len(list(tasks.text_chunks(np.arange(13), 4, 3))) == 1
    with pytest.raises(ValueError, match=r"tokens are 12 long; expected more than B \* T = 12"):
        tasks.text_chunks(np.arange(12), 4, 3)
    with pytest.raises(ValueError, match=r"tokens have shape \(2, 3\)"):
        tasks.text_chunks(np.zeros((2, 3), dtype=int), 1, 1)


def test_crops_of_a_text():
    tokens = np.arange(100)
    batch = next(tasks.text_crops(tokens, generator(), 500, 9, replicas=2))
    assert batch.X.shape == batch.target.shape == (2, 500, 9)
    assert (batch.target == batch.X + 1).all()
    assert (batch.X.min(), batch.target.max()) == (0, 99)
    assert (batch.X[0] != batch.X[1]).any()
    assert next(tasks.text_crops(tokens, generator(), 5, 9, num_tokens=100)).X.shape == (5, 9, 100)
    with pytest.raises(ValueError, match="expected more than T = 100"):
        tasks.text_crops(tokens, generator(), 5, 100)
    with pytest.raises(TypeError, match="rng is 1"):
        tasks.text_crops(tokens, 1, 5, 10)


def witten_bell(train, context, token, K, order):
    """The rule of Witten and Bell, with dictionaries and recursion."""
    if order == 0:
        return 1 / K
    context = context[len(context) - order + 1 :] if order > 1 else ()
    shorter = witten_bell(train, context, token, K, order - 1)
    after = [
        train[i + order - 1]
        for i in range(len(train) - order + 1)
        if tuple(train[i : i + order - 1]) == tuple(context)
    ]
    if not after:
        return shorter
    kinds = len(set(after))
    return (after.count(token) + kinds * shorter) / (len(after) + kinds)


@pytest.mark.parametrize("order", [0, 1, 2, 4])
def test_ngram_bits_against_a_slow_model(order):
    rng = generator()
    K = 4
    train, test = (rng.choice(K - 1, size=n, p=[0.6, 0.3, 0.1]) for n in (60, 25))
    test[7] = K - 1  # never seen
    bits = tasks.ngram_bits(train, test, K, order)
    for i in range(len(test)):
        history = min(order, i + 1)  # the first tokens have short contexts
        p = witten_bell(list(train), tuple(test[:i]), test[i], K, history)
        assert bits[i] == pytest.approx(-math.log2(p))
    last = [tasks.ngram_bits(train, np.append(test, token), K, order)[-1] for token in range(K)]
    assert sum(2.0 ** -np.array(last)) == pytest.approx(1)


def test_ngram_arguments_are_named():
    with pytest.raises(ValueError, match="test must hold at least one token, all from 0 to 2"):
        tasks.ngram_bits(np.array([0, 1]), np.array([3]), 3, 2)
    with pytest.raises(ValueError, match="order is 60; expected a whole number from 0 to"):
        tasks.ngram_bits(np.array([0, 1]), np.array([1]), 3, 60)
    with pytest.raises(ValueError, match="method is 'gzip'; expected one of zlib, bz2, lzma"):
        tasks.compressed_bits("abc", 1, "gzip")


def test_baselines_of_the_real_text():
    text = tasks.pydoc_text()
    assert text == tasks.pydoc_text()
    assert len(text) > 300_000
    bits = tasks.text_baselines(text)
    order = ["uniform", "unigram", "2-gram", "3-gram", "4-gram", "lzma"]
    for worse, better in itertools.pairwise(order):
        assert bits[worse] > 1.1 * bits[better]
    assert bits["zlib"] > bits["bz2"]
    assert bits["uniform"] == pytest.approx(math.log2(len(set(text))))
    # random characters cannot be compressed below their entropy by any of them
    rng = generator()
    noise = "".join(rng.choice(list("abcdefgh"), size=20_000))
    assert all(value > 2.999 for value in tasks.text_baselines(noise, order=3).values())


def test_standard_library_source():
    source = tasks.standard_library_source(50_000)
    assert len(source) >= 50_000
    assert tasks.standard_library_source(60_000).startswith(source)


# ---------------------------------------------------------------- roles of identifiers

SNIPPET = """\
import os.path as p
from a.b import c; é = f(a.g(x)).h
for i in range(3):
    y.z = x + é.q  # call(x)
    with open(n) as w: n += "x"
\x0cdef foo(a, b=2) -> int: return (lambda v: v(a))
"""
EXPECTED = """\
import=KEYWORD os=NAME path=NAME as=KEYWORD p=NAME
from=KEYWORD a=NAME b=NAME import=KEYWORD c=NAME é=TARGET f=CALL a=NAME g=CALL x=NAME h=ATTR
for=KEYWORD i=TARGET in=KEYWORD range=CALL
y=NAME z=ATTR x=NAME é=NAME q=ATTR
with=KEYWORD open=CALL n=NAME as=KEYWORD w=TARGET n=TARGET
def=KEYWORD foo=NAME a=NAME b=NAME int=NAME return=KEYWORD lambda=KEYWORD v=NAME v=CALL a=NAME
"""


def test_identifier_roles():
    roles = tasks.identifier_roles(SNIPPET)
    assert roles.shape == (len(SNIPPET),)
    found, start = [], 0
    for end in range(1, len(SNIPPET) + 1):
        if end == len(SNIPPET) or roles[end] != roles[start]:
            if roles[start]:
                found.append(f"{SNIPPET[start:end]}={tasks.ROLES[roles[start]]}")
            start = end
    assert found == EXPECTED.split()
    with pytest.raises(SyntaxError):
        tasks.identifier_roles("def (:")


def test_roles_of_the_standard_library():
    text, roles = tasks.standard_library_roles(100_000, skip=3)
    assert len(text) == len(roles) >= 100_000
    again = tasks.standard_library_roles(100_000, skip=3)
    np.testing.assert_array_equal(roles, again.roles)
    shares = np.bincount(roles, minlength=len(tasks.ROLES)) / len(roles)
    assert (shares > 0.01).all()
    letters = np.array([c.isidentifier() or c.isdigit() for c in text])
    assert letters[roles > 0].all()
    # the same role in the whole identifier
    inside = letters[1:] & letters[:-1] & (roles[1:] > 0) & (roles[:-1] > 0)
    assert (roles[1:] == roles[:-1])[inside].all()
    with pytest.raises(ValueError, match="skip is 100000"):
        tasks.standard_library_roles(10, skip=100_000)


# ---------------------------------------------------------------- radiology


def test_radiology_reports():
    assert len(tasks.FINDINGS) == len(set(tasks.FINDINGS)) >= 30
    words, finding, negated, side = tasks.radiology_reports(generator(), 3000, sentences=1)
    past, sentences = {}, {}
    sides = set()
    for b in range(3000):
        text = tasks.report_text(words[b])
        assert text.endswith(".")
        assert text.count(".") == 1
        inside = [tasks.REPORT_WORDS[w] for w in words[b][finding[b]]]
        assert all(any(word in name.split() for name in tasks.FINDINGS) for word in inside)
        assert not negated[b][~finding[b]].any()
        abstract = tuple(np.where(finding[b], -1, words[b]))
        sentences.setdefault((abstract, tuple(words[b] > 0)), set()).add(tuple(negated[b]))
        for t in np.flatnonzero(finding[b]):
            sides.add((tasks.SIDES[side[b, t]], bool(negated[b, t])))
            # one mark for each finding, of one or two words
            starts = [i for i in range(t + 1) if not (finding[b, i] and i and finding[b, i - 1])]
            key = tuple(-1 if finding[b, i] else words[b, i] for i in starts)
            past.setdefault(key, [0, 0])[int(negated[b, t])] += 1
    # the whole sentence decides; the side tells what kind of trigger it was
    assert all(len(answers) == 1 for answers in sentences.values())
    assert sides == {("affirmed", False), ("before", True), ("after", True), ("pseudo", False)}
    nats, share = tasks.best_guess(np.array(list(past.values())))
    task = tasks.radiology(1)
    assert share == pytest.approx(task.accuracies["past only"], abs=0.02)
    assert nats == pytest.approx(task.levels["past only"], abs=0.03)
    rule = tasks.negation_rule(words)
    assert (rule == negated)[finding].mean() == pytest.approx(task.accuracies["rule"], abs=0.02)
    after = finding & (side == tasks.SIDES.index("after"))
    pseudo = finding & (side == tasks.SIDES.index("pseudo"))
    assert rule[after].all()
    assert rule[pseudo].mean() > 0.5  # the rule falls into this trap


def test_the_rule_looks_at_one_clause():
    text = "there is mass but no embolism . fibrosis is seen . no change in scarring ."
    words = np.array([[tasks.REPORT_WORDS.index(word) for word in text.split()]])
    negated = tasks.negation_rule(words)[0]
    found = {word: bool(negated[i]) for i, word in enumerate(text.split())}
    assert not found["mass"]
    assert found["embolism"]
    assert not found["fibrosis"]
    assert found["scarring"]  # wrong: the rule knows no pseudo-negation


def test_radiology_task_is_the_reports():
    X, target, mask = tasks.radiology(2).sample(generator(), 20)
    reports = tasks.radiology_reports(generator(), 20, 2)
    np.testing.assert_array_equal(X, reports.words)
    np.testing.assert_array_equal(mask, reports.finding)
    np.testing.assert_array_equal(target, reports.negated)
    assert all(tasks.report_text(x).count(" .") == 2 for x in X)
