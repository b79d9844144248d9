"""Squashing functions and starting weights: exact where they can be, sound where they are drawn."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils import cells
from course_utils.functions import (
    bias_gradient,
    chrono_bias,
    glorot_uniform,
    log_softmax,
    orthogonal,
    sigmoid,
    sigmoid_derivative,
    softmax,
    tanh_derivative,
)
from course_utils.layers import Dense

floats = st.floats(-1e300, 1e300, allow_nan=False)


@given(st.floats(-700, 700))
def test_sigmoid_is_the_formula_where_the_formula_works(z):
    assert sigmoid(z) == pytest.approx(1 / (1 + math.exp(-z)), abs=1e-15)


@given(floats)
def test_sigmoid_is_safe_everywhere(z):
    with np.errstate(all="raise", under="ignore"):
        assert 0 <= sigmoid(z) <= 1
        assert sigmoid(z) + sigmoid(-z) == pytest.approx(1, abs=1e-15)


@pytest.mark.parametrize(
    ("function", "derivative"), [(sigmoid, sigmoid_derivative), (np.tanh, tanh_derivative)]
)
def test_slopes_are_central_differences_of_the_functions(function, derivative):
    z = np.linspace(-6, 6, 41)
    slope = (function(z + 1e-5) - function(z - 1e-5)) / 2e-5
    np.testing.assert_allclose(derivative(function(z)), slope, atol=1e-10)


@pytest.mark.parametrize("function", [sigmoid, softmax, log_softmax])
def test_the_type_is_kept(function):
    assert function(np.zeros((2, 3), np.float32)).dtype == np.float32


@given(st.lists(floats, min_size=1, max_size=6))
def test_softmax_sums_to_one_whatever_the_scores(logits):
    with np.errstate(over="raise", invalid="raise"):
        p = softmax(np.array([logits]))
    assert p.sum() == pytest.approx(1)
    assert (p >= 0).all()


@given(st.lists(st.floats(-20, 20), min_size=1, max_size=6), st.floats(-50, 50))
def test_softmax_is_the_formula_and_does_not_see_a_shift(logits, shift):
    logits = np.array(logits)
    formula = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(softmax(logits), formula, rtol=1e-12)
    np.testing.assert_allclose(softmax(logits + shift), formula, rtol=1e-10)
    np.testing.assert_allclose(log_softmax(logits), np.log(formula), atol=1e-12)


def test_bias_gradient_adds_over_the_batch_only():
    dA = np.arange(24.0).reshape(2, 3, 4)
    assert bias_gradient(dA[0]).tolist() == [12, 15, 18, 21]
    assert bias_gradient(dA).shape == (2, 1, 4)
    assert bias_gradient(dA)[1, 0].tolist() == [48, 51, 54, 57]


@pytest.mark.parametrize("lead", [(), (3,)])
def test_glorot_keeps_its_limits_and_fills_them(lead):
    W = glorot_uniform(np.random.default_rng(0), (*lead, 40, 60))
    limit = math.sqrt(6 / 100)
    assert np.abs(W).max() <= limit
    assert np.abs(W).max() > 0.99 * limit
    assert abs(W.mean()) < 0.01
    assert W.std() == pytest.approx(limit / math.sqrt(3), rel=0.05)


@pytest.mark.parametrize("lead", [(), (3,)])
def test_orthogonal_weights_keep_lengths(lead):
    W = orthogonal(np.random.default_rng(0), (*lead, 6, 6))
    np.testing.assert_allclose(W @ W.mT, np.broadcast_to(np.eye(6), W.shape), atol=1e-12)


def test_orthogonal_weights_have_no_favourite_sign():
    """Without the signs of R, the first entries of Q would all be negative."""
    W = orthogonal(np.random.default_rng(0), (400, 3, 3))
    assert 0.4 < (W[:, 0, 0] > 0).mean() < 0.6
    assert 0.4 < (np.linalg.det(W) > 0).mean() < 0.6


def test_chrono_biases_spread_memory_lengths_evenly():
    b = chrono_bias(np.random.default_rng(0), (2000,), 101)
    memory = 1 / (1 - sigmoid(b))  # 1 + u, u ~ U[1, 100]
    assert memory.min() >= 2 - 1e-9
    assert memory.max() <= 101 + 1e-9
    assert np.median(memory) == pytest.approx(51.5, rel=0.1)


def test_same_generator_same_weights_and_no_two_gates_alike():
    make = lambda seed: cells.LSTMCell(3, 4, np.random.default_rng(seed), replicas=2).params  # noqa: E731
    one, same, other = make(0), make(0), make(1)
    assert all((one[name] == same[name]).all() for name in one)
    weights = [name for name in one if name.startswith("W")]
    assert all((one[name] != other[name]).any() for name in weights)
    for kind in ("W_x", "W_h"):
        drawn = [one[name] for name in weights if name.startswith(kind)]
        drawn += [drawn[0][::-1]]  # the two replicas differ as well
        assert all((a != b).any() for i, a in enumerate(drawn) for b in drawn[:i])


def test_starts_are_those_of_the_text():
    cell = cells.LSTMCell(3, 4, np.random.default_rng(0))
    assert {n: set(p.tolist()) for n, p in cell.params.items() if n.startswith("b")} == {
        "b_i": {0.0},
        "b_f": {1.0},
        "b_o": {0.0},
        "b_c": {0.0},
    }
    W = cell.params["W_hi"]
    np.testing.assert_allclose(W @ W.T, np.eye(4), atol=1e-12)
    cell.params["b_f"][...] = 3
    assert cell.params["b_f"].tolist() == [3] * 4
    assert (Dense(3, 2, np.random.default_rng(0)).params["b"] == 0).all()
