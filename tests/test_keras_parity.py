"""Law 7: outputs and gradients equal Keras in float64, masks and states included.

All tests that import TensorFlow stand here, so that one worker imports it once.
"""

import numpy as np
import pytest
from contracts import label, nudge

from course_utils import losses
from course_utils.cells import GRUCell, GRUResetAfterCell, LSTMCell, RNNCell
from course_utils.environment import import_keras
from course_utils.keras_bridge import (
    from_keras,
    from_keras_weights,
    keras_forward_backward,
    to_keras,
    to_keras_weights,
)
from course_utils.layers import Concat, Dense, Embedding, Flip, Last, Sequential
from course_utils.recurrent import Recurrent, bidirectional, bidirectional_last, scan, stacked
from course_utils.training import SGD, Adam, clip_by_global_norm

keras = import_keras()
import tensorflow as tf  # noqa: E402

# Keras warns that its layers do not hand a mask on; the tests compare what they compute.
pytestmark = pytest.mark.filterwarnings("ignore:.*does not support masking")

CLOSE = 1e-12
CELLS = [RNNCell, LSTMCell, GRUCell, GRUResetAfterCell]
B, T, D, U = 3, 5, 2, 4
MASKS = {
    "none": None,
    "mask": np.array([[1, 1, 1, 0, 0], [0, 0, 1, 1, 1], [1, 0, 1, 1, 0]], bool),
}


def recurrent(cell):
    return lambda rng: Recurrent(cell(D, U, rng))


def deep(rng):
    return stacked(LSTMCell(D, U, rng), GRUResetAfterCell(U, 3, rng), RNNCell(3, 2, rng))


def both(rng):
    return bidirectional(LSTMCell(D, U, rng), LSTMCell(D, U, rng))


def both_last(rng):
    return bidirectional_last(GRUCell(D, U, rng), GRUCell(D, U, rng))


def two_directions_deep(rng):
    pair = [GRUResetAfterCell(D, U, rng) for _ in range(2)]
    return Sequential(bidirectional(*pair), Recurrent(LSTMCell(2 * U, 3, rng)), Dense(3, 2, rng))


def classifier(rng):
    return Sequential(Recurrent(LSTMCell(D, U, rng)), Last(), Dense(U, 3, rng))


def tokens_to_classes(rng):
    return Sequential(Embedding(7, D, rng), Recurrent(GRUCell(D, U, rng)), Dense(U, 3, rng))


def dense(rng):
    return Dense(D, U, rng)


def embedding(rng):
    return Embedding(7, U, rng)


LAYERS = [
    *map(recurrent, CELLS),
    *(deep, both, both_last, two_directions_deep, classifier),
    *(tokens_to_classes, dense, embedding),
]
NAMES = [*(cell.__name__ for cell in CELLS), *(f.__name__ for f in LAYERS[len(CELLS) :])]


def same(a, b, name=""):
    np.testing.assert_allclose(a, b, rtol=CLOSE, atol=CLOSE, err_msg=name)


def same_dicts(a, b):
    assert a.keys() == b.keys()
    for name in a:
        same(a[name], b[name], name)


def prepared(make, seed=0):
    """A layer, an input for it, and a generator."""
    rng = np.random.default_rng(seed)
    layer = nudge(make(rng), rng)
    tokens = make in (tokens_to_classes, embedding)
    return layer, rng.integers(0, 7, (B, T)) if tokens else rng.normal(size=(B, T, D)), rng


def compare(layer, X, mask, rng):
    """Forward and backward, ours and in Keras."""
    Y = layer.forward(X, mask)
    dY = rng.normal(size=Y.shape)
    dX = layer.backward(dY)
    Y_keras, dX_keras, grads = keras_forward_backward(to_keras(layer), X, dY, mask)
    assert Y_keras.dtype == np.float64
    same(Y, Y_keras)
    same_dicts(layer.grads, from_keras_weights(layer, grads))
    if X.dtype.kind == "f":
        same(dX, dX_keras)


# ------------------------------------------------------------------ layers


@pytest.mark.parametrize("make", LAYERS, ids=NAMES)
def test_outputs_and_gradients(make):
    layer, X, rng = prepared(make)
    compare(layer, X, None, rng)


# An Embedding of Keras swallows the mask that it is given, and Dense has no use for one.
@pytest.mark.parametrize("make", LAYERS[:-3], ids=NAMES[:-3])
def test_outputs_and_gradients_under_a_mask(make):
    layer, X, rng = prepared(make)
    compare(layer, X, MASKS["mask"], rng)


@pytest.mark.parametrize("make", LAYERS, ids=NAMES)
def test_there_and_back_again(make):
    layer, X, _ = prepared(make)
    again = from_keras(to_keras(layer))
    same_dicts(dict(again.params), dict(layer.params))
    np.testing.assert_array_equal(again.forward(X), layer.forward(X))


@pytest.mark.parametrize("cell_type", CELLS, ids=label)
def test_float32_stays_float32(cell_type):
    layer = Recurrent(cell_type(D, U, np.random.default_rng(0), dtype=np.float32))
    X = np.random.default_rng(1).normal(size=(B, T, D)).astype(np.float32)
    Y = layer.forward(X)
    Y_keras, *_ = keras_forward_backward(to_keras(layer), X, np.ones_like(Y))
    assert Y.dtype == Y_keras.dtype == np.float32
    np.testing.assert_allclose(Y, Y_keras, atol=1e-5)


# ------------------------------------------------------------------ states


def with_state(layer):
    """The same Keras layer, which also gives its final state."""
    config = layer.get_config() | {"return_state": True}
    copy = type(layer).from_config(config)
    copy.build((None, None, D))
    copy.set_weights(layer.get_weights())
    return copy


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("cell_type", CELLS, ids=label)
def test_from_a_state_that_is_not_zero_to_the_final_state_and_back(cell_type, mask):
    """Y, final state, and the gradients of X, the initial state and every parameter."""
    layer, X, rng = prepared(recurrent(cell_type))
    mask = MASKS[mask]
    first = tuple(rng.normal(size=s.shape) for s in layer.initial_state(B))
    dlast = tuple(rng.normal(size=s.shape) for s in first)
    dY = rng.normal(size=(B, T, U))
    if mask is not None:  # before the first real step Keras writes zeros, and we the state
        dY *= mask[..., None]
    Y = layer.forward(X, mask, first)
    dX = layer.backward(dY, dlast)

    theirs = with_state(to_keras(layer))
    X_tf, first_tf = tf.constant(X), [tf.constant(s) for s in first]
    options = {} if mask is None else {"mask": tf.constant(mask)}
    with tf.GradientTape() as tape:
        tape.watch([X_tf, *first_tf])
        Y_tf, *last_tf = theirs(X_tf, initial_state=first_tf, **options)
        loss = tf.reduce_sum(Y_tf * dY)
        loss += sum(tf.reduce_sum(s * d) for s, d in zip(last_tf, dlast, strict=True))
    wanted = tape.gradient(loss, [X_tf, *first_tf, *theirs.trainable_weights])
    real = slice(None) if mask is None else mask
    same(Y[real], Y_tf.numpy()[real])
    same(dX, wanted[0].numpy())
    for ours, state_tf in zip(layer.state, last_tf, strict=True):
        same(ours, state_tf.numpy())
    for ours, state_tf in zip(layer.dstate, wanted[1:], strict=False):
        same(ours, state_tf.numpy())
    same_dicts(
        layer.grads, from_keras_weights(layer, [g.numpy() for g in wanted[1 + len(first) :]])
    )


@pytest.mark.parametrize("cell_type", CELLS, ids=label)
def test_one_step_of_a_cell(cell_type):
    rng = np.random.default_rng(0)
    cell = cell_type(D, U, rng)
    for p in cell.params.values():
        p += rng.normal(size=p.shape) * 0.3
    X = rng.normal(size=(B, D))
    state = tuple(rng.normal(size=s.shape) for s in cell.initial_state(B))
    new, _ = cell.forward(X, state)
    _, theirs = to_keras(cell)(tf.constant(X), [tf.constant(s) for s in state])
    for a, b in zip(new, theirs, strict=True):
        same(a, b.numpy())
    same_dicts(dict(from_keras(to_keras(cell)).params), cell.params)


def test_replicas_go_over_one_by_one():
    rng = np.random.default_rng(0)
    layer = Sequential(Recurrent(LSTMCell(D, U, rng, replicas=2)), Dense(U, 1, rng, replicas=2))
    X = rng.normal(size=(2, B, T, D))
    Y = layer.forward(X)
    for r in range(2):
        same(Y[r], to_keras(layer.replica(r))(X[r]).numpy())
    with pytest.raises(ValueError, match=r"replicas is 2; expected one model: layer\.replica"):
        to_keras(layer)


def test_the_default_gru_of_keras_is_the_one_with_reset_after():
    layer = keras.layers.GRU(U, return_sequences=True, dtype="float64")
    layer.build((None, None, D))
    assert isinstance(from_keras(layer).cell, GRUResetAfterCell)
    plain = keras.layers.GRU(U, reset_after=False, dtype="float64")
    plain.build((None, None, D))
    assert isinstance(from_keras(plain).parts[0].cell, GRUCell)


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
def test_a_layer_that_was_born_in_keras(name):
    theirs = getattr(keras.layers, name)(U, return_sequences=True, dtype="float64")
    theirs.build((None, None, D))
    X = np.random.default_rng(0).normal(size=(B, T, D))
    same(from_keras(theirs).forward(X), theirs(X).numpy())


def test_what_the_bridge_does_not_know():
    rng = np.random.default_rng(0)
    with pytest.raises(TypeError, match="Flip has no counterpart"):
        to_keras(Flip())
    with pytest.raises(TypeError, match="Concat has no counterpart"):
        to_keras(Concat(Dense(D, 1, rng), Dense(D, 1, rng)))
    with pytest.raises(TypeError, match="Last can go to Keras behind a recurrent layer only"):
        to_keras(Sequential(Last(), Dense(D, 1, rng)))
    with pytest.raises(ValueError, match="LSTM is not built"):
        from_keras(keras.layers.LSTM(3))
    built = keras.layers.Conv1D(2, 2)
    built.build((None, 5, 3))
    with pytest.raises(TypeError, match="Conv1D has no counterpart"):
        from_keras(built)
    with pytest.raises(ValueError, match="arrays has 2 entries; expected 3"):
        from_keras_weights(LSTMCell(D, U, rng), [np.zeros(1), np.zeros(1)])


def test_weights_are_joined_in_the_order_of_the_gates():
    cell = LSTMCell(D, U, np.random.default_rng(0))
    kernel, _, bias = to_keras_weights(cell)
    assert (kernel[:, U : 2 * U] == cell.params["W_xf"]).all()
    assert bias.tolist() == [0] * U + [1] * U + [0] * 2 * U


# ------------------------------------------------------------------ optimizers
# Keras keeps its learning rate, and the constants of Adam, in float32: all numbers here are sums of
# few powers of two, which float32 holds exactly.


def steps_of_keras(optimizer, start, gradients):
    variables = [keras.Variable(a, dtype="float64") for a in start]
    optimizer.build(variables)
    for grads in gradients:
        optimizer.apply([tf.constant(g) for g in grads], variables)
        yield [v.numpy() for v in variables]


ADAM = {"learning_rate": 2**-4, "beta_1": 1 - 2**-3, "beta_2": 1 - 2**-10, "epsilon": 2**-20}
OPTIMIZERS = {
    "SGD": (lambda: SGD(0.125), lambda **o: keras.optimizers.SGD(0.125, **o)),
    "momentum": (
        lambda: SGD(0.125, momentum=0.75),
        lambda **o: keras.optimizers.SGD(0.125, momentum=0.75, **o),
    ),
    "Adam": (lambda: Adam(**ADAM), lambda **o: keras.optimizers.Adam(**ADAM, **o)),
}


@pytest.mark.parametrize("clip_norm", [None, 2.0])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_and_clipping(name, clip_norm):
    rng = np.random.default_rng(0)
    start = [rng.normal(size=(3, 4)), rng.normal(size=4)]
    gradients = [
        [rng.normal(size=p.shape) * scale for p in start] for scale in (1, 0.01, 5, 1, 0.3, 2)
    ]
    ours, theirs = OPTIMIZERS[name]
    options = {} if clip_norm is None else {"global_clipnorm": clip_norm}
    params = dict(zip("ab", [p.copy() for p in start], strict=True))
    optimizer = ours()
    clipped_once = unclipped_once = False
    for grads, wanted in zip(
        gradients, steps_of_keras(theirs(**options), start, gradients), strict=True
    ):
        grads = dict(zip("ab", grads, strict=True))
        if clip_norm is not None:
            grads, norm = clip_by_global_norm(grads, clip_norm)
            clipped_once |= norm > clip_norm
            unclipped_once |= norm < clip_norm
        optimizer.update(params, grads)
        same(params["a"], wanted[0])
        same(params["b"], wanted[1])
    assert clip_norm is None or (clipped_once and unclipped_once)


def test_the_defaults_of_adam_are_those_of_keras():
    ours, theirs = Adam(), keras.optimizers.Adam()
    assert ours.learning_rate == pytest.approx(float(theirs.learning_rate), rel=1e-6)
    assert (ours.beta_1, ours.beta_2) == (theirs.beta_1, theirs.beta_2)
    assert ours.epsilon == theirs.epsilon


# ------------------------------------------------------------------ losses


def keras_loss(function, Y, target, mask):
    """The mean over the real positions, and its gradient."""
    Y = tf.constant(Y)
    with tf.GradientTape() as tape:
        tape.watch(Y)
        each = function(tf.constant(target), Y)  # one number for each position
        loss = tf.reduce_mean(each if mask is None else tf.boolean_mask(each, mask))
    return loss.numpy(), tf.convert_to_tensor(tape.gradient(loss, Y)).numpy()


LOSSES = {
    "mean_squared_error": lambda y, z: keras.losses.mean_squared_error(y, z),
    "softmax_cross_entropy": lambda y, z: keras.losses.sparse_categorical_crossentropy(
        y, z, from_logits=True
    ),
    "binary_cross_entropy": lambda y, z: keras.losses.binary_crossentropy(y, z, from_logits=True),
}


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("name", LOSSES)
def test_losses(name, mask):
    rng = np.random.default_rng(0)
    Y = rng.normal(size=(B, T, 4)) * 3
    target = {
        "mean_squared_error": rng.normal(size=Y.shape),
        "softmax_cross_entropy": rng.integers(0, 4, (B, T)),
        "binary_cross_entropy": rng.random(Y.shape),
    }[name]
    loss, dY = getattr(losses, name)(Y, target, MASKS[mask])
    wanted, dY_wanted = keras_loss(LOSSES[name], Y, target, MASKS[mask])
    same(loss, wanted)
    same(dY, dY_wanted)


# ------------------------------------------------------------------ all together


def test_training_step_by_step():
    """LSTM, softmax, masks, clipping and Adam: five steps, the same numbers."""
    rng = np.random.default_rng(0)
    model = Sequential(Recurrent(LSTMCell(D, U, rng)), Dense(U, 3, rng))
    theirs = to_keras(model)
    ours = Adam(**ADAM)
    optimizer = keras.optimizers.Adam(**ADAM, global_clipnorm=0.5)
    mask = MASKS["mask"]
    for _ in range(5):
        X, labels = rng.normal(size=(B, T, D)), rng.integers(0, 3, (B, T))
        loss, dY = losses.softmax_cross_entropy(model.forward(X, mask), labels, mask)
        model.backward(dY)
        ours.update(model.params, clip_by_global_norm(model.grads, 0.5)[0])
        with tf.GradientTape() as tape:
            logits = theirs(tf.constant(X), mask=tf.constant(mask))
            each = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
            loss_keras = tf.reduce_mean(tf.boolean_mask(each, mask))
        weights = theirs.trainable_weights
        optimizer.apply(
            [tf.convert_to_tensor(g) for g in tape.gradient(loss_keras, weights)], weights
        )
        same(loss, loss_keras.numpy())
    same_dicts(dict(model.params), from_keras_weights(model, theirs.get_weights()))


def test_scan_is_the_layer():
    layer, X, _ = prepared(recurrent(LSTMCell))
    same(scan(layer.cell, X)[0], to_keras(layer)(X).numpy())
