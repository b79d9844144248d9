"""The laws of the two contracts, one test each, over every cell and every layer."""

import copy

import numpy as np
import pytest
from contracts import (
    CELL_FORMS,
    CELLS,
    EXACT_FORMS,
    LAYER_FORMS,
    LAYERS,
    MASKS,
    PADDED,
    REPLICATED,
    ROWWISE,
    draw_input,
    draw_state,
    gradient_errors,
    label,
    nudge,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.cells import LSTMCell
from course_utils.checks import TOLERANCE
from course_utils.layers import Dense, Embedding, Last, Sequential
from course_utils.losses import mean_squared_error, softmax_cross_entropy
from course_utils.recurrent import Recurrent, scan, scan_backward
from course_utils.training import SGD, Adam, fit

CLOSE = 1e-12
OPTIMIZERS = [lambda: SGD(0.1), lambda: SGD(0.1, momentum=0.9), lambda: Adam(0.1)]
some = settings(max_examples=8)


def same(a, b, tolerance=CLOSE):
    """Two arrays, or two dicts of arrays by the same names, agree."""
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for name in a:
            np.testing.assert_allclose(
                a[name], b[name], rtol=tolerance, atol=tolerance, err_msg=name
            )
    else:
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def make(case, options, rng, D=3, U=2):
    return nudge(case.make(D, U, rng, **options), rng)


def run(layer, X, mask, dY_rng):
    """One forward and backward; the gradient of the output is drawn anew from a seed."""
    Y = layer.forward(X, mask)
    dY = np.random.default_rng(dY_rng).normal(size=Y.shape).astype(Y.dtype)
    dX = layer.backward(dY)
    return Y, dX, {name: g.copy() for name, g in layer.grads.items()}


# ------------------------------------------------------------------ 1 form


@pytest.mark.parametrize(("cell_type", "options"), CELL_FORMS, ids=label)
def test_1_state_goes_out_in_the_form_in_which_it_came_in(cell_type, options):
    rng = np.random.default_rng(0)
    cell = cell_type(3, 2, rng, **options)
    lead = (options["replicas"],) if "replicas" in options else ()
    dtype = options.get("dtype", np.float64)
    for X in (rng.normal(size=(*lead, 4, 3)), np.ones((*lead, 4, 3), int)):
        state = cell.initial_state(4)
        for _ in range(3):
            new, trace = cell.forward(X, state)
            assert isinstance(new, tuple)
            assert (
                [s.shape for s in new] == [s.shape for s in state] == [(*lead, 4, 2)] * len(state)
            )
            assert {s.dtype for s in new} == {np.dtype(dtype)}
            dX, dstate, grads = cell.backward(draw_state(cell, 4, rng), trace)
            assert dX.shape == X.shape
            assert [d.shape for d in dstate] == [s.shape for s in state]
            assert {n: (g.shape, g.dtype) for n, g in grads.items()} == {
                n: (p.shape, p.dtype) for n, p in cell.params.items()
            }
            assert trace.H is state[0]
            state = new


@pytest.mark.parametrize(("cell_type", "options"), CELL_FORMS, ids=label)
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_1_scan_keeps_the_form_too(cell_type, options, mask):
    rng = np.random.default_rng(0)
    cell = cell_type(3, 2, rng, **options)
    lead = (options["replicas"],) if "replicas" in options else ()
    X = rng.normal(size=(*lead, 3, 4, 3))  # float64, whatever the cell has
    for first in (None, tuple(np.ones_like(s, dtype=int) for s in cell.initial_state(3))):
        H, state, tape = scan(cell, X, first, mask)
        dX, dstate, grads = scan_backward(cell, tape, np.ones(H.shape), state, mask)
        wanted = cell.initial_state(3)
        for got in (state, dstate):
            assert isinstance(got, tuple)
            assert [(s.shape, s.dtype) for s in got] == [(s.shape, s.dtype) for s in wanted]
        assert (H.shape, H.dtype) == ((*lead, 3, 4, 2), options.get("dtype", np.float64))
        assert (dX.shape, dX.dtype) == (X.shape, H.dtype)
        for name, p in cell.params.items():
            assert (grads[name].shape, grads[name].dtype) == (p.shape, p.dtype)


def test_1_a_state_of_whole_numbers_does_not_round_the_input():
    cell = LSTMCell(3, 2, np.random.default_rng(0))
    X = np.full((1, 4, 3), 0.5)
    ones = cell.initial_state(1)
    whole = tuple(s.astype(int) for s in ones)
    same(scan(cell, X, whole)[0], scan(cell, X, ones)[0])


@pytest.mark.parametrize(("case", "options"), LAYER_FORMS, ids=label)
def test_1_layers_keep_the_type_and_name_their_gradients_like_their_parameters(case, options):
    rng = np.random.default_rng(0)
    layer = make(case, options, rng)
    X = draw_input(case, options, rng)
    Y, dX, grads = run(layer, X, MASKS["mask"], 5)
    assert Y.dtype == options.get("dtype", np.float64)
    assert {n: (g.shape, g.dtype) for n, g in grads.items()} == {
        n: (p.shape, p.dtype) for n, p in layer.params.items()
    }
    if not case.tokens:
        assert (dX.shape, dX.dtype) == (X.shape, X.dtype)


# ------------------------------------------------------------------ 2 no side effects


@pytest.mark.parametrize(("case", "options"), LAYER_FORMS, ids=label)
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_2_forward_and_backward_change_nothing_and_repeat_themselves(case, options, mask):
    rng = np.random.default_rng(0)
    layer = make(case, options, rng)
    X = draw_input(case, options, rng)
    dY = rng.normal(size=layer.forward(X, mask).shape).astype(options.get("dtype", np.float64))
    touched = [*layer.params.values(), X, dY] + ([] if mask is None else [mask])
    more = ()
    if hasattr(layer, "initial_state"):
        more = (draw_state(layer, 3, rng),)
        touched += more[0]
    before = [a.tobytes() for a in touched]
    first, second = layer.forward(X, mask, *more), layer.forward(X, mask, *more)
    layer.backward(dY, *more)
    assert [a.tobytes() for a in touched] == before
    assert first.tobytes() == second.tobytes()
    assert layer.forward(X, mask, *more).tobytes() == first.tobytes()


@pytest.mark.parametrize(("cell_type", "options"), CELL_FORMS, ids=label)
def test_2_the_same_for_one_step_of_a_cell(cell_type, options):
    rng = np.random.default_rng(0)
    cell = cell_type(3, 2, rng, **options)
    lead = (options["replicas"],) if "replicas" in options else ()
    X, state = rng.normal(size=(*lead, 4, 3)), draw_state(cell, 4, rng)
    dstate = draw_state(cell, 4, rng)
    touched = [*cell.params.values(), X, *state, *dstate]
    before = [a.tobytes() for a in touched]
    first, trace = cell.forward(X, state)
    kept = [np.copy(a) for a in trace]
    cell.backward(dstate, trace)
    second, _ = cell.forward(X, state)
    assert [a.tobytes() for a in touched] == before
    assert [a.tobytes() for a in trace] == [a.tobytes() for a in kept]
    assert [a.tobytes() for a in first] == [a.tobytes() for a in second]


# ------------------------------------------------------------------ 3 gradients


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize(("case", "options"), EXACT_FORMS, ids=label)
def test_3_gradients_agree_with_central_differences(case, options, mask):
    rng = np.random.default_rng(0)
    layer = make(case, options, rng)
    errors = gradient_errors(layer, draw_input(case, options, rng), mask=mask)
    names = set(layer.params) | (set() if case.tokens else {"X"})
    if hasattr(layer, "initial_state"):
        names |= {"H_0", "C_0"} if len(layer.initial_state(1)) == 2 else {"H_0"}
    assert errors.keys() == names
    assert max(errors.values()) < TOLERANCE, errors


# ------------------------------------------------------------------ 4 in place


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=["SGD", "momentum", "Adam"])
@pytest.mark.parametrize(("case", "options"), LAYER_FORMS, ids=label)
def test_4_optimizers_write_into_the_arrays_that_are_there(case, options, optimizer):
    rng = np.random.default_rng(0)
    layer, optimizer = make(case, options, rng), optimizer()
    params = dict(layer.params)
    views = {name: p[..., :1] for name, p in params.items()}
    before = {name: p.copy() for name, p in params.items()}
    for _ in range(2):
        run(layer, draw_input(case, options, rng), None, 5)
        optimizer.update(layer.params, layer.grads)
    for name, p in layer.params.items():
        assert p is params[name]
        assert (p != before[name]).any()
        assert (views[name] == p[..., :1]).all()


# ------------------------------------------------------------------ 5 twice the same


@pytest.mark.parametrize(("case", "options"), LAYER_FORMS, ids=label)
def test_5_forward_and_backward_twice_give_the_same_gradients(case, options):
    rng = np.random.default_rng(0)
    layer = make(case, options, rng)
    X, other = draw_input(case, options, rng), draw_input(case, options, rng, B=2, T=6)
    _, dX, grads = run(layer, X, MASKS["mask"], 5)
    run(layer, other, None, 6)  # another shape in between leaves nothing behind
    _, dX_again, grads_again = run(layer, X, MASKS["mask"], 5)
    assert (dX is None and dX_again is None) or dX.tobytes() == dX_again.tobytes()
    assert {n: g.tobytes() for n, g in grads.items()} == {
        n: g.tobytes() for n, g in grads_again.items()
    }


# ------------------------------------------------------------------ 6 independence


@pytest.mark.parametrize(("case", "options"), ROWWISE, ids=label)
@given(B=st.integers(1, 4), T=st.integers(1, 5), D=st.integers(1, 4), masked=st.booleans())
@some
def test_6_a_batch_is_its_rows(case, options, B, T, D, masked):
    rng = np.random.default_rng(0)
    layer = make(case, options, rng, D=D)
    X = draw_input(case, options, rng, B, T, D)
    mask = rng.random((B, T)) < 0.6 if masked else None
    axis = 1 if "replicas" in options else 0
    Y = layer.forward(X, mask)
    dY = rng.normal(size=Y.shape)
    dX = layer.backward(dY)
    grads = {name: g.copy() for name, g in layer.grads.items()}
    summed = {name: np.zeros_like(g) for name, g in grads.items()}
    for b in range(B):
        row = (slice(None),) * axis + (slice(b, b + 1),)
        same(layer.forward(X[row], None if mask is None else mask[b : b + 1]), Y[row])
        dX_row = layer.backward(dY[row])
        if not case.tokens:
            same(dX_row, dX[row])
        for name, g in layer.grads.items():
            summed[name] += g
    same(summed, grads)


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
@pytest.mark.parametrize(("case", "options"), REPLICATED, ids=label)
def test_6_replicas_are_models_of_their_own(case, options, mask):
    rng = np.random.default_rng(0)
    layer = make(case, options, rng)
    X = draw_input(case, options, rng)
    models = [layer.replica(r) for r in range(options["replicas"])]
    Y = layer.forward(X, mask)
    dY = rng.normal(size=Y.shape)
    dX = layer.backward(dY)
    outputs = [model.forward(X[r], mask) for r, model in enumerate(models)]
    for r, model in enumerate(models):  # all forwards first: no model shares what it remembers
        assert model.replicas is None
        same(outputs[r], Y[r])
        dX_r = model.backward(dY[r])
        if not case.tokens:
            same(dX_r, dX[r])
        same(model.grads, {n: g[r].reshape(model.grads[n].shape) for n, g in layer.grads.items()})


def network(cell_type, rng, **options):
    return Sequential(
        Recurrent(cell_type(2, 3, rng, **options)), Last(), Dense(3, 1, rng, **options)
    )


def data(rng, steps, R=3):
    """Batches for R models; every model has its own data, the mask is common."""
    mask = np.array([[1, 1, 1, 1], [1, 1, 0, 0]], bool)
    return [(rng.normal(size=(R, 2, 4, 2)), rng.normal(size=(R, 2, 1)), mask) for _ in range(steps)]


REPLICATING = [cell for cell in CELLS if (cell, {"replicas": 2}) in CELL_FORMS]


@pytest.mark.parametrize("optimizer", [Adam, lambda rate: SGD(rate, momentum=0.8)])
@pytest.mark.parametrize("cell_type", REPLICATING, ids=label)
def test_6_training_replicas_is_training_models_one_by_one(cell_type, optimizer):
    rng = np.random.default_rng(0)
    model = network(cell_type, rng, replicas=3)
    singles = [model.replica(r) for r in range(3)]
    batches, rates = data(rng, 8), np.array([0.01, 0.05, 0.2])
    options = {"clip_norm": 0.3, "every": 3}
    together = fit(
        model,
        iter(batches),
        mean_squared_error,
        optimizer(rates),
        8,
        validate=lambda m: np.array([p.ravel()[0] for p in m.params["2.b"]]),
        **options,
    )
    for r, single in enumerate(singles):
        alone = fit(
            single,
            ((X[r], target[r], mask) for X, target, mask in batches),
            mean_squared_error,
            optimizer(rates[r]),
            8,
            validate=lambda m: m.params["2.b"][0],
            **options,
        )
        same(alone.loss, together.loss[:, r], 1e-9)
        same(alone.grad_norm, together.grad_norm[:, r], 1e-9)
        same(alone.validation, together.validation[:, r], 1e-9)
        for name, p in single.params.items():
            same(p, model.params[name][r].reshape(p.shape), 1e-9)
    assert (together.grad_norm > 0.3).any()  # clipping had something to do


@pytest.mark.parametrize("clip_norm", [None, 0.5])
@pytest.mark.parametrize("optimizer", [Adam, lambda rate: SGD(rate, momentum=0.8)])
@pytest.mark.parametrize("cell_type", REPLICATING, ids=label)
def test_6_a_model_that_diverges_stops_and_the_others_do_not_notice(
    cell_type, optimizer, clip_norm
):
    rng = np.random.default_rng(0)
    calm = network(cell_type, rng, replicas=3)
    wild = copy.deepcopy(calm)
    short = copy.deepcopy(calm)
    batches = data(rng, 8)

    def train(model, rates, steps):
        rates = np.array(rates)
        return fit(
            model, iter(batches), mean_squared_error, optimizer(rates), steps, clip_norm=clip_norm
        )

    quiet = train(calm, [0.1, 0.1, 0.1], 8)
    history = train(wild, [0.1, 1e200, 0.1], 8)
    train(short, [0.1, 1e200, 0.1], 1)
    assert history.diverged.tolist() == [-1, 2, -1]
    assert np.isnan(history.loss[1:, 1]).all()
    for r in (0, 2):
        assert history.loss[:, r].tolist() == quiet.loss[:, r].tolist()
        assert all((wild.params[n][r] == p[r]).all() for n, p in calm.params.items())
    for name, p in short.params.items():  # after the first step model 1 never moved again
        assert (wild.params[name][1] == p[1]).all()


# ------------------------------------------------------------------ 8 padding


def padded(X, lengths, T, before, rng, axis):
    """Pad rows of X to T steps with large numbers; return the array and its mask."""
    shape = list(X.shape)
    shape[axis + 1] = T
    if X.dtype.kind == "i":
        out = rng.integers(0, X.max() + 1, shape)
    else:
        out = rng.normal(size=shape) * 1e3
    mask = np.zeros((len(lengths), T), bool)
    for b, length in enumerate(lengths):
        where = slice(T - length, T) if before else slice(0, length)
        mask[b, where] = True
        lead = (slice(None),) * axis
        out[(*lead, b, where)] = X[(*lead, b, slice(0, length))]
    return out, mask


@pytest.mark.parametrize("before", [False, True], ids=["post", "pre"])
@pytest.mark.parametrize(("case", "options"), PADDED, ids=label)
def test_8_padding_under_a_mask_changes_nothing(case, options, before):
    rng = np.random.default_rng(0)
    layer = make(case, options, rng)
    axis = 1 if "replicas" in options else 0
    lengths = [4, 2, 1]
    X = draw_input(case, options, rng)
    long, mask = padded(X, lengths, 7, before, rng, axis)
    mask_of_Y = layer.mask_after(mask)
    Y = layer.forward(long, mask)
    dY = rng.normal(size=Y.shape)
    if mask_of_Y is not None:  # a masked loss gives no gradient at padded steps
        dY *= mask_of_Y[..., None]
    dX = layer.backward(dY)
    grads = {name: g.copy() for name, g in layer.grads.items()}
    summed = {name: np.zeros_like(g) for name, g in grads.items()}
    lead = (slice(None),) * axis
    for b, length in enumerate(lengths):
        row = (*lead, slice(b, b + 1))
        steps = (*lead, slice(b, b + 1), mask[b])
        out = row if mask_of_Y is None else (*lead, slice(b, b + 1), mask_of_Y[b])
        same(layer.forward(X[row][(*lead, slice(None), slice(0, length))]), Y[out])
        dX_row = layer.backward(dY[out])
        if not case.tokens:
            same(dX_row, dX[steps])
            np.testing.assert_array_equal(dX[(*lead, slice(b, b + 1), ~mask[b])], 0)
        for name, g in layer.grads.items():
            summed[name] += g
    same(summed, grads, 1e-11)


@pytest.mark.parametrize("before", [False, True], ids=["post", "pre"])
def test_8_the_masked_loss_of_a_whole_network_is_that_of_the_rows_alone(before):
    rng = np.random.default_rng(0)
    model = Sequential(Embedding(5, 3, rng), Recurrent(LSTMCell(3, 4, rng)), Dense(4, 5, rng))
    X, labels, lengths = rng.integers(0, 5, (3, 4)), rng.integers(0, 5, (3, 4)), [4, 2, 1]
    long, mask = padded(X, lengths, 7, before, rng, 0)
    wanted, _ = padded(labels, lengths, 7, before, np.random.default_rng(9), 0)
    loss, dY = softmax_cross_entropy(model.forward(long, mask), wanted, mask)
    model.backward(dY)
    grads = model.grads
    total, summed = 0.0, dict.fromkeys(grads, 0.0)
    for b, length in enumerate(lengths):
        row = slice(b, b + 1), slice(0, length)
        loss_b, dY_b = softmax_cross_entropy(model.forward(X[row]), labels[row])
        model.backward(dY_b * length / sum(lengths))
        total += loss_b * length / sum(lengths)
        for name, g in model.grads.items():
            summed[name] = summed[name] + g
    assert loss == pytest.approx(total, abs=1e-13)
    same(summed, grads)


def test_every_cell_and_layer_has_a_name_of_its_own():
    names = [case.name for case in LAYERS]
    assert len(set(names)) == len(names)
    assert {cell.__name__ for cell in CELLS} <= set(names)
