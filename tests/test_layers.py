"""What single layers and compositions do, beside the laws."""

import copy
import pickle

import numpy as np
import pytest
from contracts import LAYERS, draw_input, forms, label

from course_utils.cells import GRUCell, LSTMCell, RNNCell
from course_utils.layers import Concat, Dense, Dropout, Embedding, Flip, Last, Sequential
from course_utils.recurrent import (
    Recurrent,
    bidirectional,
    bidirectional_last,
    history,
    scan,
    stacked,
)


def make(seed=0):
    return np.random.default_rng(seed)


X = make(9).normal(size=(3, 5, 2))
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 1, 1, 1, 0]], bool)


def test_dense_is_a_product_and_a_bias():
    dense = Dense(2, 3, make())
    dense.params["b"][...] = [1, 2, 3]
    np.testing.assert_allclose(dense.forward(X), X @ dense.params["W"] + [1, 2, 3], rtol=1e-14)
    np.testing.assert_allclose(dense.forward(X[:, 0]), dense.forward(X)[:, 0], rtol=1e-14)


def test_embedding_is_one_hot_times_w():
    embedding = Embedding(4, 3, make())
    tokens = make().integers(0, 4, (2, 5))
    np.testing.assert_allclose(
        embedding.forward(tokens), np.eye(4)[tokens] @ embedding.params["W"], rtol=1e-15
    )
    dY = make().normal(size=(2, 5, 3))
    assert embedding.backward(dY) is None
    np.testing.assert_allclose(
        embedding.grads["W"], np.einsum("btk,btu->ku", np.eye(4)[tokens], dY), atol=1e-14
    )


def test_flip_and_last():
    assert (Flip().forward(X)[:, 0] == X[:, -1]).all()
    assert (Flip().mask_after(MASK) == MASK[:, ::-1]).all()
    assert Flip().mask_after(None) is None
    assert (Last().forward(X) == X[:, -1]).all()
    assert Last().mask_after(MASK) is None


def test_dropout_keeps_the_mean_and_a_share():
    dropout = Dropout(0.25, make())
    Y = dropout.forward(np.ones((200, 500)))
    assert set(np.unique(Y)) == {0.0, 4 / 3}
    assert (Y > 0).mean() == pytest.approx(0.75, abs=0.01)
    assert Y.mean() == pytest.approx(1, abs=0.01)
    assert (dropout.backward(np.ones((200, 500))) == Y).all()
    assert (dropout.forward(np.ones((200, 500))) != Y).any()


def test_dropout_of_nothing_and_of_whole_numbers():
    assert (Dropout(0, make()).forward(X) == X).all()
    assert set(np.unique(Dropout(0.25, make()).forward(np.ones((9, 9), int)))) == {0, 4 / 3}


def test_names_and_arrays_of_a_composition():
    model = Sequential(
        Embedding(4, 2, make()),
        bidirectional(RNNCell(2, 3, make()), GRUCell(2, 3, make())),
        Dense(6, 4, make()),
    )
    names = [f"1.0.{n}" for n in RNNCell(2, 3, make()).params]
    names += [f"1.1.1.{n}" for n in GRUCell(2, 3, make()).params]
    assert list(model.params) == ["0.W", *names, "2.W", "2.b"]
    assert model.params["2.W"] is model.parts[2].params["W"]
    model.forward(np.zeros((2, 3), int))
    model.backward(np.ones((2, 3, 4)))
    assert list(model.grads) == list(model.params)


def test_sequential_applies_part_after_part():
    first, second = Dense(2, 4, make(1)), Dense(4, 3, make(2))
    model = Sequential(first, second)
    np.testing.assert_array_equal(model.forward(X), second.forward(first.forward(X)))


def test_concat_puts_outputs_side_by_side():
    first, second = Dense(2, 4, make(1)), Dense(2, 3, make(2))
    Y = Concat(first, second).forward(X)
    np.testing.assert_array_equal(Y, np.concatenate([first.forward(X), second.forward(X)], axis=-1))


def test_a_scan_is_a_loop_over_the_cell():
    cell = LSTMCell(2, 3, make())
    state = cell.initial_state(3)
    for t in range(5):
        state, trace = cell.forward(X[:, t], state)
    H, last, tape = scan(cell, X)
    assert (H[:, -1] == state[0]).all()
    assert all((a == b).all() for a, b in zip(last, state, strict=True))
    assert (history(tape, "F")[:, -1] == trace.F).all()
    assert history(tape, "F").shape == (3, 5, 3)
    assert (history(tape, "H_next") == H).all()


def test_a_masked_step_carries_the_whole_state():
    cell = LSTMCell(2, 3, make())
    H, (H_last, C_last), tape = scan(cell, X, None, MASK)
    assert (H[1, 1] == H[1, 2]).all()
    assert (H[1, 1] == H[1, 4]).all()
    assert (H[2, 0] == 0).all()
    assert (H_last == H[:, -1]).all()
    assert (C_last[1] == tape[1].C_next[1]).all()


def test_going_on_from_a_state_is_one_long_sequence():
    layer = Recurrent(LSTMCell(2, 3, make()))
    whole = layer.forward(X)
    first = layer.forward(X[:, :2])
    second = layer.forward(X[:, 2:], state=layer.state)
    np.testing.assert_array_equal(np.concatenate([first, second], axis=1), whole)
    assert (layer.forward(X) == whole).all()  # nothing is carried unless it is handed over


def test_the_backward_half_ends_at_the_first_step():
    both = bidirectional(RNNCell(2, 3, make(1)), RNNCell(2, 3, make(2))).forward(X)
    last = bidirectional_last(RNNCell(2, 3, make(1)), RNNCell(2, 3, make(2))).forward(X)
    np.testing.assert_array_equal(last, np.concatenate([both[:, -1, :3], both[:, 0, 3:]], axis=-1))


@pytest.mark.parametrize("changed", range(5))
def test_a_causal_layer_does_not_see_the_future_and_a_bidirectional_one_does(changed):
    other = X.copy()
    other[:, changed] += 1
    causal = stacked(LSTMCell(2, 3, make(1)), GRUCell(3, 2, make(2)))
    moved = (causal.forward(other) != causal.forward(X)).any(axis=(0, 2))
    assert moved.tolist() == [t >= changed for t in range(5)]
    both = bidirectional(LSTMCell(2, 3, make(1)), GRUCell(2, 2, make(2)))
    assert (both.forward(other) != both.forward(X)).any(axis=(0, 2)).all()


CASES = [(case, options) for case in LAYERS for options in forms(case.make)]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
@pytest.mark.parametrize(("case", "options"), CASES, ids=label)
def test_a_copy_is_a_model_of_its_own(case, options, duplicate):
    layer = case.make(3, 2, make(), **options)
    x = draw_input(case, options, make(1))
    Y = layer.forward(x)
    other = duplicate(layer)
    for p in other.params.values():
        p += 1
    np.testing.assert_array_equal(layer.forward(x), Y)
    assert not other.params or (other.forward(x) != Y).any()
