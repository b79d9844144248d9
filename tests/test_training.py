"""Optimizers, clipping, and what fit records, when all goes well and when it does not."""

import copy
import itertools

import numpy as np
import pytest

from course_utils import training
from course_utils.cells import LSTMCell, RNNCell
from course_utils.layers import Dense, Dropout, Last, Layer, Sequential
from course_utils.losses import mean_squared_error, softmax_cross_entropy
from course_utils.recurrent import Recurrent
from course_utils.training import (
    SGD,
    Adam,
    History,
    clip_by_global_norm,
    drop_at_end,
    fit,
    global_norm,
    loss_and_gradients,
)


def dense(replicas=None, seed=0, **options):
    return Dense(3, 1, np.random.default_rng(seed), replicas=replicas, **options)


def line(steps, seed=1, lead=(), noise=0.0):
    """Batches for y = x_0 - 2 x_1 + 1."""
    rng = np.random.default_rng(seed)
    for _ in range(steps):
        X = rng.normal(size=(*lead, 8, 3))
        Y = X[..., :1] - 2 * X[..., 1:2] + 1 + noise * rng.normal(size=(*lead, 8, 1))
        yield X, Y, None


# ------------------------------------------------------------------ optimizers by hand


def test_sgd_by_hand():
    params = {"w": np.array([1.0, 2.0])}
    SGD(0.5).update(params, {"w": np.array([2.0, -4.0])})
    assert params["w"].tolist() == [0.0, 4.0]


def test_momentum_by_hand():
    params, sgd = {"w": np.zeros(1)}, SGD(1.0, momentum=0.5)
    places = []
    for _ in range(3):
        sgd.update(params, {"w": np.ones(1)})
        places.append(float(params["w"][0]))
    assert places == [-1.0, -2.5, -4.25]  # steps 1, 1.5, 1.75


def test_the_first_step_of_adam_has_the_size_of_the_learning_rate():
    params = {"w": np.zeros(4)}
    Adam(0.01).update(params, {"w": np.array([1e-3, -1.0, 1e3, 0.0])})
    np.testing.assert_allclose(params["w"], [-0.01, 0.01, -0.01, 0], rtol=0.01)


@pytest.mark.parametrize("make", [SGD, lambda r: SGD(r, momentum=0.9), Adam])
def test_a_learning_rate_as_a_function_is_asked_once_for_each_step_and_counts_from_one(make):
    asked = []

    def rate(step):
        asked.append(step)
        return 0.1 / step

    by_function, by_hand = dense(), dense()
    changing, fixed = make(rate), make(0.1)
    for step, batch in enumerate(line(4), start=1):
        for model, optimizer in ((by_function, changing), (by_hand, fixed)):
            fixed.learning_rate = 0.1 / step
            _, grads = loss_and_gradients(model, batch, mean_squared_error)
            optimizer.update(model.params, grads)
    assert asked == [1, 2, 3, 4]
    assert (by_function.params["W"] == by_hand.params["W"]).all()


@pytest.mark.parametrize("as_function", [False, True])
@pytest.mark.parametrize("make", [SGD, lambda r: SGD(r, momentum=0.9), Adam])
def test_a_learning_rate_for_each_model(make, as_function):
    rates = np.array([0.01, 0.1, 0.3])
    together, alone = dense(replicas=3), [dense(replicas=3) for _ in rates]
    options = (mean_squared_error, make(lambda step: rates / step if as_function else rates), 5)
    fit(together, line(5, lead=(3,)), *options)
    for r, model in enumerate(alone):
        rate = rates[r]
        options = (mean_squared_error, make(lambda s, rate=rate: rate / s if as_function else rate))
        fit(model, line(5, lead=(3,)), *options, 5)
        assert (model.params["W"][r] == together.params["W"][r]).all()
        assert (model.params["b"][r] == together.params["b"][r]).all()


@pytest.mark.parametrize("make", [lambda: Adam(0.1), lambda: SGD(0.1, momentum=0.9)])
@pytest.mark.parametrize("group", [1, 15, 1000])
def test_it_does_not_matter_which_parameters_are_changed_together(make, group, monkeypatch):
    rng = np.random.default_rng(0)
    shapes = {"a": (2, 3, 2), "b": (2, 1, 4), "c": (2, 5, 1)}
    params = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    params["a"] = params["a"].mT  # an array whose numbers do not stand in a row
    params["d"] = rng.normal(size=(2, 2, 2))  # and one of another type
    alone = {name: (p.copy(), make()) for name, p in params.items()}
    monkeypatch.setattr(training, "GROUP", group)
    together = make()
    for _ in range(3):
        grads = {name: rng.normal(size=p.shape).astype(p.dtype) for name, p in params.items()}
        together.update(params, grads)
        for name, (p, optimizer) in alone.items():
            optimizer.update({name: p}, {name: grads[name]})
    assert len(together.memory) == {1: 4, 15: 3, 1000: 2}[group]
    for name, (p, _) in alone.items():
        assert (params[name] == p).all()


def test_drop_at_end():
    rate = drop_at_end(1.0, 8)
    assert [rate(step) for step in range(1, 9)] == [1, 1, 1, 1, 1, 1, 0.1, 0.1]
    rates = drop_at_end(np.array([1.0, 2.0]), 10, last=0.5, factor=0.5)
    assert rates(5).tolist() == [1, 2]
    assert rates(6).tolist() == [0.5, 1]


# ------------------------------------------------------------------ clipping


def test_clipping_keeps_the_direction_and_leaves_small_gradients_alone():
    grads = {"a": np.array([[3.0, 0.0]]), "b": np.array([4.0])}
    clipped, norm = clip_by_global_norm(grads, 2.5)
    assert norm == 5.0
    assert clipped["a"].tolist() == [[1.5, 0.0]]
    assert clipped["b"].tolist() == [2.0]
    same, _ = clip_by_global_norm(grads, 5.0)
    assert same["a"].tolist() == grads["a"].tolist()
    nothing, norm = clip_by_global_norm({"a": np.zeros(3)}, 1.0)
    assert norm == 0
    assert nothing["a"].tolist() == [0, 0, 0]


def test_clipping_by_model():
    grads = {"a": np.array([[[3.0]], [[0.3]]]), "b": np.array([[[4.0]], [[0.4]]])}
    clipped, norm = clip_by_global_norm(grads, 1.0, replicas=2)
    np.testing.assert_allclose(norm, [5, 0.5])
    np.testing.assert_allclose(clipped["a"].ravel(), [0.6, 0.3])
    clipped, _ = clip_by_global_norm(grads, np.array([10.0, 0.25]), replicas=2)
    np.testing.assert_allclose(clipped["b"].ravel(), [4, 0.2])


@pytest.mark.parametrize("replicas", [None, 2])
def test_the_norm_of_float32_gradients_does_not_overflow(replicas):
    grads = {"a": np.full((2, 2), 1e25, np.float32)}
    assert np.isfinite(global_norm(grads, replicas=replicas)).all()
    clipped, _ = clip_by_global_norm(grads, 1.0, replicas=replicas)
    assert clipped["a"].dtype == np.float32
    np.testing.assert_allclose(global_norm(clipped, replicas=replicas), 1, rtol=1e-5)


# ------------------------------------------------------------------ what fit records


@pytest.mark.parametrize("replicas", [None, 3])
def test_fit_learns_a_line_and_records_it(replicas):
    lead = () if replicas is None else (replicas,)
    model = dense(replicas)
    history = fit(model, line(200, lead=lead), mean_squared_error, Adam(0.1), 200)
    assert isinstance(history, History)
    assert history.loss.shape == history.grad_norm.shape == (200, *lead)
    assert (history.loss[-1] < 1e-3).all()
    assert (history.loss[-1] < history.loss[0] / 100).all()
    assert history.diverged.shape == lead
    assert (history.diverged == -1).all()
    assert not history.interrupted
    assert history.validation.shape == history.validation_steps.shape == (0,)
    W = model.params["W"][..., :, 0]
    np.testing.assert_allclose(W, np.broadcast_to([1, -2, 0], W.shape), atol=0.05)


def test_the_recorded_numbers_are_those_of_before_the_update_and_before_clipping():
    model, by_hand = dense(), dense()
    history = fit(model, line(3), mean_squared_error, SGD(0.1), 3, clip_norm=0.5)
    for step, batch in enumerate(line(3)):
        loss, grads = loss_and_gradients(by_hand, batch, mean_squared_error)
        clipped, norm = clip_by_global_norm(grads, 0.5)
        assert history.loss[step] == loss
        assert history.grad_norm[step] == norm > 0.5
        for name, p in by_hand.params.items():
            p -= 0.1 * clipped[name]
    np.testing.assert_allclose(model.params["W"], by_hand.params["W"], rtol=1e-14)


@pytest.mark.parametrize(
    ("steps", "every", "looks"),
    [(6, 2, [0, 2, 4, 6]), (5, 2, [0, 2, 4, 5]), (4, None, [0, 4]), (1, 1, [0, 1]), (3, 9, [0, 3])],
)
def test_validation_at_the_start_every_so_often_and_at_the_end(steps, every, looks):
    seen = []

    def validate(model):
        seen.append(model.params["W"].copy())
        return len(seen)

    options = {"validate": validate} | ({} if every is None else {"every": every})
    model, start = dense(), dense().params["W"]
    history = fit(model, line(steps), mean_squared_error, SGD(0.1), steps, **options)
    assert history.validation_steps.tolist() == looks
    assert history.validation.tolist() == list(range(1, len(looks) + 1))
    assert (seen[0] == start).all()
    assert (seen[-1] == model.params["W"]).all()


def test_validation_of_replicas_keeps_the_replica_axis():
    history = fit(
        dense(replicas=3),
        line(4, lead=(3,)),
        mean_squared_error,
        SGD(0.1),
        4,
        validate=lambda model: model.params["b"][:, 0, 0].copy(),
        every=2,
    )
    assert history.validation.shape == (3, 3)


def test_batches_that_end_early_are_an_error_and_the_steps_taken_stay():
    model, same = dense(), dense()
    with pytest.raises(ValueError, match="batches ended after 3; expected 5 steps"):
        fit(model, line(3), mean_squared_error, SGD(0.1), 5)
    fit(same, line(3), mean_squared_error, SGD(0.1), 3)
    assert (model.params["W"] == same.params["W"]).all()
    with pytest.raises(ValueError, match="batches ended after 0"):
        fit(model, iter([]), mean_squared_error, SGD(0.1), 5)


def test_fit_takes_no_more_batches_than_steps():
    batches = line(10)
    fit(dense(), batches, mean_squared_error, SGD(0.1), 4)
    assert len(list(batches)) == 6


def test_going_on_with_the_same_optimizer_is_one_long_run():
    once, twice = dense(), dense()
    adam = Adam(0.1)
    fit(once, line(6), mean_squared_error, Adam(0.1), 6)
    batches = line(6)
    fit(twice, batches, mean_squared_error, adam, 2)
    fit(twice, batches, mean_squared_error, adam, 4)
    assert (once.params["W"] == twice.params["W"]).all()


def test_masks_reach_the_model_and_the_loss():
    """Padding with large numbers and labels of a class of its own changes nothing."""
    rng = np.random.default_rng(0)
    short = Sequential(Recurrent(LSTMCell(2, 3, rng)), Dense(3, 4, rng))
    long = copy.deepcopy(short)
    X, labels = rng.normal(size=(2, 3, 2)), rng.integers(0, 3, (2, 3))
    mask = np.array([[True] * 3 + [False] * 2] * 2)
    long_X = np.concatenate([X, np.full((2, 2, 2), 50.0)], axis=1)
    long_labels = np.concatenate([labels, np.full((2, 2), 3)], axis=1)
    a = fit(short, itertools.repeat((X, labels, None)), softmax_cross_entropy, Adam(0.1), 5)
    b = fit(
        long, itertools.repeat((long_X, long_labels, mask)), softmax_cross_entropy, Adam(0.1), 5
    )
    np.testing.assert_allclose(a.loss, b.loss, rtol=1e-12)
    np.testing.assert_allclose(a.grad_norm, b.grad_norm, rtol=1e-12)


def test_training_is_reproducible():
    def run():
        rng = np.random.default_rng(5)
        model = Sequential(
            Recurrent(RNNCell(3, 4, rng)), Dropout(0.2, rng), Last(), Dense(4, 1, rng)
        )
        data = [(rng.normal(size=(4, 5, 3)), rng.normal(size=(4, 1)), None) for _ in range(5)]
        return fit(model, iter(data), mean_squared_error, Adam(0.01), 5).loss.tolist()

    assert run() == run()


def test_the_global_random_state_is_not_touched():
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    fit(dense(), line(3), mean_squared_error, Adam(0.1), 3)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002


# ------------------------------------------------------------------ stopped by the reader


def stopped_after(batches, steps):
    yield from itertools.islice(batches, steps)
    raise KeyboardInterrupt


def test_ctrl_c_keeps_the_history_and_the_model():
    model, same = dense(), dense()
    history = fit(
        model,
        stopped_after(line(9), 4),
        mean_squared_error,
        SGD(0.1),
        9,
        validate=lambda m: 0.5,
        every=2,
    )
    full = fit(same, line(4), mean_squared_error, SGD(0.1), 4)
    assert history.interrupted
    assert history.loss.tolist() == full.loss.tolist()
    assert history.grad_norm.tolist() == full.grad_norm.tolist()
    assert history.validation_steps.tolist() == [0, 2, 4]
    assert history.validation.tolist() == [0.5] * 3
    assert (model.params["W"] == same.params["W"]).all()


def test_ctrl_c_before_the_first_step_and_while_validating():
    history = fit(dense(), stopped_after(line(1), 0), mean_squared_error, SGD(0.1), 9)
    assert history.interrupted
    assert history.loss.shape == (0,)

    def validate(model):
        raise KeyboardInterrupt

    history = fit(dense(), line(9), mean_squared_error, SGD(0.1), 9, validate=validate)
    assert history.interrupted
    assert history.validation.shape == history.validation_steps.shape == (0,)


def test_ctrl_c_in_the_middle_of_a_step_leaves_no_half_row():
    calls = iter(range(100))

    def loss(Y, target, mask, *, replicas=None):
        if next(calls) == 3:
            raise KeyboardInterrupt
        return mean_squared_error(Y, target, mask, replicas=replicas)

    history = fit(dense(), line(9), loss, SGD(0.1), 9)
    assert history.loss.shape == history.grad_norm.shape == (3,)


def test_another_error_is_not_hidden():
    def loss(*arguments, **options):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fit(dense(), line(9), loss, SGD(0.1), 9)


# ------------------------------------------------------------------ divergence


def test_one_model_that_diverges_ends_the_run_at_its_last_good_numbers():
    model = dense()
    history = fit(
        model,
        line(50),
        mean_squared_error,
        SGD(1e100),
        50,
        validate=lambda m: m.params["W"][0, 0],
        every=100,
    )
    step = int(history.diverged)
    assert 1 < step < 50
    assert history.diverged.shape == ()
    assert history.loss.shape == (step,)
    assert np.isnan(history.loss[-1])
    assert np.isfinite(history.loss[:-1]).all()
    assert not np.isfinite(history.grad_norm[-1])
    assert np.isfinite(model.params["W"]).all()
    assert history.validation_steps.tolist() == [0, step]
    assert history.validation[-1] == model.params["W"][0, 0]


def test_when_every_model_has_diverged_the_run_ends():
    history = fit(
        dense(replicas=2), line(50, lead=(2,)), mean_squared_error, SGD(np.array([1e200, 1e60])), 50
    )
    assert 1 < history.diverged[0] < history.diverged[1] < 50
    assert len(history.loss) == history.diverged.max()


def test_no_warning_is_printed_on_the_way(recwarn):
    fit(dense(replicas=2), line(9, lead=(2,)), mean_squared_error, SGD(np.array([1e200, 0.1])), 9)
    assert not [w for w in recwarn if issubclass(w.category, RuntimeWarning)]


class Linear(RNNCell):
    """An RNN without tanh: its state overflows, and then holds NaN."""

    def forward(self, X, state):
        X, (H,) = self._checked(X, state)
        H_next = X @ self.params["W_xh"] + H @ self.params["W_hh"]
        return (H_next,), super().forward(X, state)[1]._replace(H_next=H_next)

    def backward(self, dstate, trace):
        return super().backward(dstate, trace._replace(H_next=np.zeros_like(trace.H_next)))


def test_nan_between_two_layers_stops_one_model_and_not_the_run():
    rng = np.random.default_rng(0)
    cells = Linear(3, 4, rng, replicas=2), RNNCell(4, 4, rng, replicas=2)
    cells[0].params["W_hh"][1] *= 1e160  # too large a start: inf - inf at the third step
    calm = Sequential(*map(Recurrent, cells), Last(), Dense(4, 1, rng, replicas=2))
    wild = copy.deepcopy(calm)
    calm.params["0.W_hh"][1] = 0
    data = [(rng.normal(size=(2, 4, 6, 3)), rng.normal(size=(2, 4, 1)), None) for _ in range(4)]
    validate = lambda m: m.forward(data[0][0])[:, 0, 0]  # noqa: E731
    quiet = fit(calm, iter(data), mean_squared_error, Adam(0.1), 4, validate=validate)
    with np.errstate(invalid="ignore", over="ignore"):
        history = fit(wild, iter(data), mean_squared_error, Adam(0.1), 4, validate=validate)
    assert history.diverged.tolist() == [-1, 1]
    assert history.loss[:, 0].tolist() == quiet.loss[:, 0].tolist()
    assert history.validation[:, 0].tolist() == quiet.validation[:, 0].tolist()


def test_float32_gradients_too_large_to_square_are_clipped_and_not_given_up():
    model = dense(dtype=np.float32)
    X = np.full((2, 3), 1e13, np.float32)
    batch = X, np.zeros((2, 1), np.float32), None
    history = fit(model, iter([batch]), mean_squared_error, SGD(0.1), 1, clip_norm=1.0)
    assert history.diverged == -1
    assert history.grad_norm[0] > 1e20
    assert model.params["W"].dtype == np.float32


def test_a_model_of_a_reader_trains():
    class Scale(Layer):
        """y = a x, one number."""

        def __init__(self):
            super().__init__()
            self.params = {"a": np.zeros(1)}

        def forward(self, X, mask=None):
            self._saved = X
            return self.params["a"] * X

        def backward(self, dY):
            self.grads = {"a": np.array([np.sum(dY * self._saved)])}
            return dY * self.params["a"]

    model = Scale()
    X = np.linspace(-1, 1, 10)[:, None]
    fit(model, itertools.repeat((X, 3 * X, None)), mean_squared_error, Adam(0.1), 200)
    assert model.params["a"][0] == pytest.approx(3, abs=0.01)
