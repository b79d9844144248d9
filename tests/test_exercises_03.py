"""Each check of notebook 03 says "correct" to a right answer and names the cause of a wrong one."""

import numpy as np
from exercise_tests import four_tests

from course_utils.exercises import lesson_03 as lesson


def softmax(logits, axis=1):
    return np.exp(logits) / np.exp(logits).sum(axis=axis, keepdims=True)


def softmax_gradient(logits, labels):
    return (softmax(logits) - np.eye(logits.shape[1])[labels]) / len(labels)


def slope(loss, W, index, step):
    kept = W[index]
    W[index] = kept + step
    above = loss(W)
    W[index] = kept - step
    below = loss(W)
    W[index] = kept
    return (above - below) / (2 * step)


def streams(tokens, B, T):
    N = len(tokens) // (B * T)
    return tokens[: N * B * T].reshape(B, N, T).swapaxes(0, 1)


RIGHT = {
    "check_softmax_gradient": [softmax_gradient],
    "check_slope": [slope],
    "check_suspects": [{"X"}],
    "check_streams": [streams],
    "check_language": [["baaa", "daaa", "gaaa"]],
}


def one_hot(labels):
    return np.eye(4)[labels]


def nudged(W, index, step):
    W = W.copy()
    W[index] += step
    return W


def leaves_w_changed(loss, W, index, step):
    value = slope(loss, W, index, step)
    W[index] += step
    return value


def not_set_back(loss, W, index, step):
    W[index] += step
    above = loss(W)
    W[index] -= step
    return (above - loss(W)) / (2 * step)


WRONG = {
    "check_softmax_gradient": [
        (lambda z, y: softmax(z) - one_hot(y), "the mean over B rows"),
        (lambda z, y: -softmax_gradient(z, y), "p - y"),
        (lambda z, y: softmax(z) / len(y), "not taken off"),
        (lambda z, y: (z - one_hot(y)) / len(y), "Softmax is missing"),
        (lambda z, y: (softmax(z, 0) - one_hot(y)) / len(y), "wrong axis"),
        (lambda z, y: softmax_gradient(z, y)[0], "shape (4,)"),
    ],
    "check_slope": [
        (lambda f, W, i, s: (f(nudged(W, i, s)) - f(W)) / s, "one-sided"),
        (lambda f, W, i, s: (f(W) - f(nudged(W, i, -s))) / s, "to the left"),
        (lambda f, W, i, s: 2 * slope(f, W, i, s), "2 * step apart"),
        (lambda f, W, i, s: 2 * s * slope(f, W, i, s), "not divided"),
        (lambda f, W, i, s: -slope(f, W, i, s), "sign"),
        (lambda f, W, i, s: (f(W + s) - f(W - s)) / (2 * s), "All weights"),
        (not_set_back, "not set back"),
        (leaves_w_changed, "Put the old number back"),
    ],
    "check_suspects": [
        ("X", "set of names"),
        ({"W_hx"}, "'W_hx' is none of"),
        ({"X", "W_xh"}, "W_xh agrees"),
        (set(), "missing"),
    ],
    "check_streams": [
        (lambda x, B, T: x[: len(x) // (B * T) * B * T].reshape(-1, B, T), "no state"),
        (lambda x, B, T: streams(x, B, T).swapaxes(0, 1), "number of the chunk"),
        (
            lambda x, B, T: x[: len(x) // (B * T) * B * T].reshape(-1, T, B).swapaxes(1, 2),
            "down the columns",
        ),
        (lambda x, B, T: x, "shape (24,)"),
    ],
    "check_language": [
        (["ba", "dii", "guuu"], "memory saves 0.366"),
        (["ab", "cd", "ef"], "saves 0.000"),
        (["ba", "baa", "guuu"], "'b' begins 'ba' and stands elsewhere"),
        (["ba", "dii"], "three words"),
        (["baaaa", "dii", "guuu"], "1 to 4 letters"),
        ("ba", "list of three words"),
    ],
}

test_right, test_empty, test_wrong, test_tables_are_complete = four_tests(lesson, RIGHT, WRONG)
