"""Bad input: the error names the argument, what came and what was expected, and nothing changes."""

import numpy as np
import pytest
from contracts import CELLS, LAYERS, draw_input, forms, label

from course_utils import cells, losses
from course_utils.functions import chrono_bias, glorot_uniform, orthogonal
from course_utils.layers import Concat, Dense, Dropout, Embedding, Flip, Last, Sequential
from course_utils.recurrent import (
    Recurrent,
    bidirectional,
    history,
    scan,
    scan_backward,
    stacked,
)
from course_utils.training import SGD, Adam, clip_by_global_norm, fit

OUR_CELLS = [cell for cell in CELLS if cell.__module__ == "course_utils.cells"]
WITH_WEIGHTS = [*OUR_CELLS, Dense, Embedding]
RNG = np.random.default_rng(0)


def refuses(error, words, call, *arguments, **options):
    """The call raises `error`, and the message holds all `words`."""
    with pytest.raises(error) as caught:
        call(*arguments, **options)
    assert type(caught.value) is error
    message = str(caught.value)
    assert "expected" in message
    for word in words:
        assert word in message, message


# ------------------------------------------------------------------ making cells and layers


@pytest.mark.parametrize("make", WITH_WEIGHTS, ids=label)
@pytest.mark.parametrize(
    ("arguments", "options", "error", "came"),
    [
        ((3, 0, RNG), {}, ValueError, "units is 0"),
        ((3, -2, RNG), {}, ValueError, "units is -2"),
        ((3, 2.0, RNG), {}, TypeError, "units is 2.0"),
        ((3, True, RNG), {}, TypeError, "units is True"),
        ((3, None, RNG), {}, TypeError, "units is None"),
        ((3, "2", RNG), {}, TypeError, "units is '2'"),
        ((0, 2, RNG), {}, ValueError, " is 0"),
        ((3.5, 2, RNG), {}, TypeError, " is 3.5"),
        ((3, 2, 0), {}, TypeError, "rng is 0"),
        ((3, 2, None), {}, TypeError, "rng is None"),
        ((3, 2, np.random.RandomState(0)), {}, TypeError, "rng is RandomState"),
        ((3, 2, RNG), {"replicas": 0}, ValueError, "replicas is 0"),
        ((3, 2, RNG), {"replicas": 1.5}, TypeError, "replicas is 1.5"),
        ((3, 2, RNG), {"dtype": int}, TypeError, "dtype is <class 'int'>"),
        ((3, 2, RNG), {"dtype": "numbers"}, TypeError, "dtype is 'numbers'"),
    ],
)
def test_sizes_generators_and_types(make, arguments, options, error, came):
    refuses(error, [came], make, *arguments, **options)


@pytest.mark.parametrize("make", WITH_WEIGHTS, ids=label)
def test_sizes_of_numpy_are_sizes(make):
    assert make(np.int64(3), np.int32(2), np.random.default_rng(0)).units == 2


def test_a_refused_generator_has_drawn_nothing():
    rng = np.random.default_rng(0)
    refuses(ValueError, ["units is 0"], cells.LSTMCell, 3, 0, rng)
    assert rng.bit_generator.state == np.random.default_rng(0).bit_generator.state


# ------------------------------------------------------------------ inputs of layers


def bad_inputs(case, options):
    """Give (what is wrong, X, mask, error, words of the message) for a layer with D = 3."""
    rng = np.random.default_rng(0)
    X = draw_input(case, options, rng, B=2, T=4)
    lead = X.shape[:-2] if case.tokens else X.shape[:-3]
    kind = X.dtype
    last = () if case.tokens else (3,)

    def zeros(*shape):
        return np.zeros((*lead, *shape, *last), kind)

    yield "one axis only", np.zeros(3, kind), None, ValueError, ["X has shape (3,)"]
    yield "T = 0", zeros(2, 0), None, ValueError, ["X has shape", "none of them empty"]
    yield "empty batch", zeros(0, 4), None, ValueError, ["X has shape", "none of them empty"]
    yield "text", np.full(X.shape, "a"), None, TypeError, ["X holds <U1"]
    yield "objects", np.full(X.shape, None), None, TypeError, ["X holds object"]
    yield "complex", X * 1j, None, TypeError, ["X holds complex"]
    for shape in ((2, 5), (4, 2), (2,), (1, 4), (2, 4, 1)):
        wrong = np.ones(shape, bool)
        yield f"mask {shape}", X, wrong, ValueError, [f"mask has shape {shape}", "(2, 4)"]
    for dtype in (int, float):
        words = [f"mask holds {np.dtype(dtype)}", "bool"]
        yield f"mask of {dtype.__name__}", X, np.ones((2, 4), dtype), TypeError, words
    if case.tokens:
        yield "no whole numbers", X * 1.0, None, TypeError, ["X holds float64", "whole numbers"]
        yield "negative token", X - 9, None, ValueError, ["X holds tokens from -9", "0 to 2"]
        yield "token too large", X + 3, None, ValueError, ["X holds tokens from 3 to 5", "0 to 2"]
        return
    bad = X.copy()
    bad[..., 1, 2, 0] = np.nan
    where = (0,) * len(lead) + (1, 2, 0)
    yield "NaN", bad, None, ValueError, [f"X holds NaN, first at index {where}"]
    yield "NaN under a mask", bad, np.ones((2, 4), bool), ValueError, ["X holds NaN"]
    if case.name != "Dropout":
        yield "five axes", X[None, None], None, ValueError, ["X has shape", "B, T, D)"]


LAYER_FORMS = [
    (case, options)
    for case in LAYERS
    for options in forms(case.make)
    if case.name != "LeakyCell" and "dtype" not in options
]


@pytest.mark.parametrize(("case", "options"), LAYER_FORMS, ids=label)
def test_a_layer_refuses_a_bad_input_and_stays_as_it_was(case, options):
    layer = case.make(3, 2, np.random.default_rng(0), **options)
    X = draw_input(case, options, np.random.default_rng(1), B=2, T=4)
    optimizer = Adam(0.1)
    layer.backward(np.ones_like(layer.forward(X)))
    optimizer.update(layer.params, layer.grads)
    kept = {name: p.tobytes() for name, p in layer.params.items()}
    memory = {name: [m.tobytes() for m in pair] for name, pair in optimizer.memory.items()}
    for what, bad, mask, error, words in bad_inputs(case, options):
        batches = iter([(bad, np.zeros(1), mask)])
        with pytest.raises(error):
            fit(layer, batches, losses.mean_squared_error, optimizer, 1)
        try:
            refuses(error, words, layer.forward, bad, mask)
        except AssertionError as failed:
            raise AssertionError(f"{what}: {failed}") from failed
        assert kept == {name: p.tobytes() for name, p in layer.params.items()}
        assert memory == {n: [m.tobytes() for m in pair] for n, pair in optimizer.memory.items()}
        assert optimizer.step == 1
    layer.forward(X)  # and goes on working


ANY_WIDTH = ("Flip", "Same", "Last", "Dropout", "Embedding", "tagger")
WIDE = [c for c in LAYER_FORMS if c[0].name not in ANY_WIDTH]


@pytest.mark.parametrize(("case", "options"), WIDE, ids=label)
def test_the_width_and_the_number_of_replicas_must_fit(case, options):
    layer = case.make(3, 2, np.random.default_rng(0), **options)
    X = draw_input(case, options, np.random.default_rng(1), B=4, T=5)
    refuses(ValueError, [f"X has shape {X[..., :2].shape}", "D = 3"], layer.forward, X[..., :2])
    if options:
        for bad in (X[0], X[:1], np.concatenate([X, X])):
            words = [f"X has shape {bad.shape}", "R = 2"]
            refuses(ValueError, words, layer.forward, bad)
    else:
        refuses(ValueError, ["X has shape (1, 4, 5, 3)", "(B, T, D)"], layer.forward, X[None])


def test_the_sentence_of_an_error():
    layer = Recurrent(cells.LSTMCell(5, 2, np.random.default_rng(0)))
    with pytest.raises(ValueError) as caught:
        layer.forward(np.zeros((4, 7)))
    assert str(caught.value) == "X has shape (4, 7); expected 3 axes (B, T, D) with D = 5"


def test_rows_of_different_lengths():
    layer = Recurrent(cells.RNNCell(1, 2, np.random.default_rng(0)))
    refuses(
        ValueError, ["X has rows of different lengths"], layer.forward, [[[1.0]], [[1.0], [2.0]]]
    )


def test_lists_are_arrays():
    layer = bidirectional(*(cells.RNNCell(1, 2, np.random.default_rng(i)) for i in range(2)))
    X = [[[1.0], [2.0]]]
    mask = [[True, False]]
    np.testing.assert_array_equal(
        layer.forward(X, mask), layer.forward(np.array(X), np.array(mask))
    )


# ------------------------------------------------------------------ cells, scan, states


@pytest.mark.parametrize("options", [{}, {"replicas": 2}], ids=label)
@pytest.mark.parametrize("cell_type", OUR_CELLS, ids=label)
def test_one_step_of_a_cell(cell_type, options):
    cell = cell_type(3, 2, np.random.default_rng(0), **options)
    kept = {name: p.tobytes() for name, p in cell.params.items()}
    lead = (2,) if options else ()
    X, state = np.zeros((*lead, 4, 3)), cell.initial_state(4)
    axes = "(R, B, D)" if options else "(B, D)"
    for bad in (X[0], X[None], X[..., :2], X[..., :0, :]):
        refuses(ValueError, [f"X has shape {bad.shape}", axes, "D = 3"], cell.forward, bad, state)
    refuses(TypeError, ["X holds <U1"], cell.forward, np.full(X.shape, "a"), state)
    refuses(ValueError, ["X holds NaN"], cell.forward, X * np.nan, state)
    n = len(state)
    for bad in (None, state[0], list(state), (), state + state, state[0][0]):
        refuses(ValueError, ["state is a ", f"tuple of {n}"], cell.forward, X, bad)
    for part in (state[0][..., :1], state[0][..., :3, :], np.zeros(2), np.zeros((4, 5))):
        bad = (*state[:-1], part)
        words = [f"state[{n - 1}] has shape {part.shape}", str(state[0].shape)]
        refuses(ValueError, words, cell.forward, X, bad)
    for B in (0, -1):
        refuses(ValueError, [f"B is {B}"], cell.initial_state, B)
    refuses(TypeError, ["B is 2.0"], cell.initial_state, 2.0)
    assert kept == {name: p.tobytes() for name, p in cell.params.items()}


@pytest.mark.parametrize("cell_type", CELLS, ids=label)
def test_scan_names_a_bad_state_and_a_bad_gradient(cell_type):
    cell = cell_type(3, 2, np.random.default_rng(0))
    kept = {name: p.tobytes() for name, p in cell.params.items()}
    X, state = np.zeros((4, 5, 3)), cell.initial_state(4)
    n = len(state)
    for bad in (0, state[0], list(state), (), state + state):
        refuses(ValueError, ["state is a ", f"tuple of {n}"], scan, cell, X, bad)
    for part in (np.zeros((3, 2)), np.zeros((4, 3)), np.zeros(2)):
        words = [f"state[{n - 1}] has shape {part.shape}", "(4, 2)"]
        refuses(ValueError, words, scan, cell, X, (*state[:-1], part))
    refuses(ValueError, ["state[0] holds NaN"], scan, cell, X, (state[0] * np.nan, *state[1:]))
    refuses(TypeError, ["state[0] holds"], scan, cell, X, (np.full((4, 2), "a"), *state[1:]))
    H, _, tape = scan(cell, X)
    for bad in (H[0], H[:, :4], H[:1], H[..., :1], H[None]):
        refuses(
            ValueError, [f"dH has shape {bad.shape}", "(B, T, U)"], scan_backward, cell, tape, bad
        )
    for bad in (state[0], [0], state + state):
        refuses(ValueError, ["dstate is a "], scan_backward, cell, tape, H, bad)
    bad = tuple(s[:1] for s in state)
    refuses(ValueError, ["dstate[0] has shape (1, 2)"], scan_backward, cell, tape, H, bad)
    refuses(
        ValueError,
        ["mask has shape (4, 6)"],
        scan_backward,
        *(cell, tape, H, None, np.ones((4, 6), bool)),
    )
    refuses(ValueError, ["name is 'Q'", "H_next"], history, tape, "Q")
    assert kept == {name: p.tobytes() for name, p in cell.params.items()}


# ------------------------------------------------------------------ composing, backward


def cell(D, U, **options):
    return cells.RNNCell(D, U, np.random.default_rng(0), **options)


def dense(D, U, **options):
    return Dense(D, U, np.random.default_rng(0), **options)


def test_what_cannot_be_composed():
    refuses(ValueError, ["no layers"], Sequential)
    refuses(
        TypeError, ["part 1 is a cell, RNNCell", "Recurrent(cell)"], Sequential, Flip(), cell(3, 2)
    )
    refuses(TypeError, ["part 0 is str"], Sequential, "LSTM")
    refuses(TypeError, ["cell is Dense"], Recurrent, dense(3, 2))
    refuses(TypeError, ["cell is Recurrent"], Recurrent, Recurrent(cell(3, 2)))
    refuses(
        ValueError,
        ["cell 1 has num_inputs 5", "2, the units of cell 0"],
        stacked,
        cell(3, 2),
        cell(5, 2),
    )
    twice = dense(3, 3)
    refuses(ValueError, ["part 1 ", "a layer of its own"], Sequential, twice, twice)
    mixed = dense(3, 3, replicas=2), dense(3, 3)
    for compose in (Sequential, Concat):
        refuses(ValueError, ["replicas [2, None]", "the same for all"], compose, *mixed)
    assert Sequential(mixed[0], Flip(), Dropout(0.1, RNG)).replicas == 2


def test_dropout_rates():
    for rate in (-0.1, 1, 1.5, np.nan):
        refuses(ValueError, [f"rate is {rate}"], Dropout, rate, RNG)
    refuses(TypeError, ["rng is 0"], Dropout, 0.5, 0)


@pytest.mark.parametrize(("case", "options"), LAYER_FORMS, ids=label)
def test_backward_needs_a_forward_and_a_gradient_of_its_shape(case, options):
    rng = np.random.default_rng(0)
    layer = case.make(3, 2, rng, **options)
    X = draw_input(case, options, rng, B=6, T=7)
    Y = layer.forward(X)
    if case.name != "Flip":
        with pytest.raises(RuntimeError, match="backward was called before forward"):
            case.make(3, 2, rng, **options).backward(Y)
    if case.name != "Flip":
        for bad in (Y[:1], Y[..., :1], Y.sum(), np.swapaxes(Y, -1, -2)):
            with pytest.raises(ValueError, match=r"^d[YH] has shape"):
                layer.backward(bad)


def test_replica_of_a_layer_without_replicas():
    for layer in (cell(3, 2), dense(3, 2), Embedding(3, 2, RNG)):
        refuses(ValueError, ["no replicas", "replicas=R"], layer.replica, 0)


# ------------------------------------------------------------------ functions, losses, training


def test_functions():
    for draw in (glorot_uniform, orthogonal):
        refuses(TypeError, ["rng is 3"], draw, 3, (2, 2))
    refuses(ValueError, ["shape is (2, 3)"], orthogonal, RNG, (2, 3))
    refuses(TypeError, ["rng is None"], chrono_bias, None, 3, 10)
    refuses(ValueError, ["longest is 2"], chrono_bias, RNG, 3, 2)


Y = np.zeros((2, 4, 3))
LABELS = np.zeros((2, 4), int)
MSE, SCE, BCE = (
    losses.mean_squared_error,
    losses.softmax_cross_entropy,
    losses.binary_cross_entropy,
)


@pytest.mark.parametrize(
    ("loss", "arguments", "error", "words"),
    [
        (MSE, (Y, Y[..., 0]), ValueError, ["target has shape (2, 4)", "the shape of Y"]),
        (MSE, (Y, Y * np.nan), ValueError, ["target holds NaN"]),
        (MSE, (Y, np.full(Y.shape, "a")), TypeError, ["target holds"]),
        (MSE, ("a", Y), TypeError, ["Y holds"]),
        (MSE, (Y[:0], Y[:0]), ValueError, ["Y has shape (0, 4, 3)"]),
        (MSE, (1.0, 1.0), ValueError, ["Y has shape ()"]),
        (SCE, (Y, LABELS * 1.0), TypeError, ["labels hold float64", "0 to 2"]),
        (SCE, (Y, LABELS > 0), TypeError, ["labels hold bool"]),
        (SCE, (Y, LABELS + 3), ValueError, ["labels go from 3 to 3", "0 to 2"]),
        (SCE, (Y, LABELS - 1), ValueError, ["labels go from -1 to -1", "0 to 2"]),
        (SCE, (Y, LABELS[:1]), ValueError, ["labels have shape (1, 4)", "(2, 4)"]),
        (SCE, (Y, Y.astype(int)), ValueError, ["labels have shape (2, 4, 3)", "(2, 4)"]),
        (SCE, (Y[:0], LABELS[:0]), ValueError, ["logits has shape (0, 4, 3)"]),
        (BCE, (Y, Y - 0.1), ValueError, ["targets go from -0.1", "0 to 1"]),
        (BCE, (Y, Y * np.nan), ValueError, ["targets go from nan", "0 to 1"]),
        (BCE, (Y, Y[:1]), ValueError, ["targets has shape (1, 4, 3)", "the shape of logits"]),
    ],
)
def test_losses(loss, arguments, error, words):
    refuses(error, words, loss, *arguments)


@pytest.mark.parametrize(("loss", "target"), [(MSE, Y), (SCE, LABELS), (BCE, Y)])
def test_masks_and_replicas_of_losses(loss, target):
    all_true = np.ones((2, 4), bool)
    refuses(ValueError, ["mask has shape (2, 5)", "(2, 4)"], loss, Y, target, np.ones((2, 5), bool))
    refuses(ValueError, ["mask has shape (4,)", "(2, 4)"], loss, Y, target, all_true[0][:4])
    refuses(TypeError, ["mask holds int64", "bool"], loss, Y, target, np.ones((2, 4), int))
    refuses(ValueError, ["mask is False everywhere"], loss, Y, target, ~all_true)
    refuses(ValueError, ["mask has shape (2, 4)", "None"], loss, Y[0], target[0], all_true)
    refuses(ValueError, ["replicas is 3"], loss, Y, target, replicas=3)
    refuses(ValueError, ["mask has shape"], loss, Y, target, all_true, replicas=2)


@pytest.mark.parametrize("optimizer", [SGD, Adam])
def test_optimizers(optimizer):
    for rate in (0, -0.1, np.nan, np.array([0.1, 0.0])):
        refuses(ValueError, ["learning_rate is"], optimizer, rate)
    with pytest.raises(ValueError, match="momentum is 1"):
        SGD(0.1, momentum=1)


@pytest.mark.parametrize(
    "optimizer",
    [lambda r: SGD(r), lambda r: SGD(r, momentum=0.9), Adam],
    ids=["SGD", "momentum", "Adam"],
)
def test_an_update_that_is_refused_changes_nothing(optimizer):
    params = {"a": np.zeros((3, 2)), "b": np.zeros(4)}
    good = {"a": np.ones((3, 2)), "b": np.ones(4)}
    one = optimizer(0.1)
    one.update(params, good)
    kept = [p.tobytes() for p in params.values()]
    memory = repr(one.memory)
    refuses(ValueError, ["grads['b'] is missing"], one.update, params, {"a": good["a"]})
    refuses(
        ValueError,
        ["grads['b'] has shape (1,)", "(4,)"],
        one.update,
        params,
        good | {"b": np.ones(1)},
    )
    refuses(ValueError, ["grads['b'] has shape ()"], one.update, params, good | {"b": 1.0})
    refuses(
        TypeError, ["params['c'] is a float"], one.update, params | {"c": 1.0}, good | {"c": 1.0}
    )
    refuses(
        TypeError,
        ["params['c'] is a float64"],
        one.update,
        params | {"c": np.float64(1)},
        good | {"c": 1.0},
    )
    assert repr(one.memory) == memory
    assert one.step == 1
    many = optimizer(np.array([0.1, 0.2, 0.3]))  # fits the rows of a, by chance, and not b
    refuses(ValueError, ["learning_rate has shape (3,)", "params['b']"], many.update, params, good)
    assert [p.tobytes() for p in params.values()] == kept
    assert many.step == 0
    assert not many.memory


def test_clipping():
    grads = {"a": np.ones((2, 3))}
    for bad in (0, -1, np.nan, np.array([1, 0])):
        refuses(ValueError, ["max_norm is"], clip_by_global_norm, grads, bad, replicas=2)
    refuses(ValueError, ["max_norm has shape (2,)"], clip_by_global_norm, grads, np.ones(2))
    refuses(
        ValueError, ["max_norm has shape (3,)"], clip_by_global_norm, grads, np.ones(3), replicas=2
    )


def test_fit():
    model = dense(3, 1)
    batch = (np.ones((2, 3)), np.ones((2, 1)), None)
    for steps, error in ((0, ValueError), (1.5, TypeError), (None, TypeError)):
        refuses(error, [f"steps is {steps}"], fit, model, iter([batch]), MSE, SGD(0.1), steps)
    refuses(ValueError, ["every is 0"], fit, model, iter([batch]), MSE, SGD(0.1), 1, every=0)
    kept = model.params["W"].copy()
    bad = (np.ones((2, 3)), np.full((2, 1), np.nan), None)
    with pytest.raises(ValueError, match="target holds NaN, first at index"):
        fit(model, iter([bad]), MSE, SGD(0.1), 1)
    assert (model.params["W"] == kept).all()


def test_last_needs_steps():
    refuses(ValueError, ["X has shape (2, 3)", "(B, T, D)"], Last().forward, np.zeros((2, 3)))
    refuses(
        ValueError,
        ["mask has shape (2, 4)", "X has no steps"],
        dense(3, 2).forward,
        np.zeros((2, 3)),
        np.ones((2, 4), bool),
    )
