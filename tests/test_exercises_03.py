"""Each check of notebook 03 says "correct" to a right answer and names the cause of a wrong one."""

import numpy as np
import pytest

from course_utils.exercises import lesson_03 as lesson


def said(capsys, check, answer):
    check(answer)
    return capsys.readouterr().out


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
    "softmax_gradient": softmax_gradient,
    "slope": slope,
    "suspects": {"X"},
    "streams": streams,
    "language": ["baaa", "daaa", "gaaa"],
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
    "softmax_gradient": [
        (lambda z, y: softmax(z) - one_hot(y), "the mean over B rows"),
        (lambda z, y: -softmax_gradient(z, y), "p - y"),
        (lambda z, y: softmax(z) / len(y), "not taken off"),
        (lambda z, y: (z - one_hot(y)) / len(y), "Softmax is missing"),
        (lambda z, y: (softmax(z, 0) - one_hot(y)) / len(y), "wrong axis"),
        (lambda z, y: softmax_gradient(z, y)[0], "shape (4,)"),
    ],
    "slope": [
        (lambda f, W, i, s: (f(nudged(W, i, s)) - f(W)) / s, "one-sided"),
        (lambda f, W, i, s: (f(W) - f(nudged(W, i, -s))) / s, "to the left"),
        (lambda f, W, i, s: 2 * slope(f, W, i, s), "2 * step apart"),
        (lambda f, W, i, s: 2 * s * slope(f, W, i, s), "not divided"),
        (lambda f, W, i, s: -slope(f, W, i, s), "sign"),
        (lambda f, W, i, s: (f(W + s) - f(W - s)) / (2 * s), "All weights"),
        (not_set_back, "not set back"),
        (leaves_w_changed, "Put the old number back"),
    ],
    "suspects": [
        ("X", "set of names"),
        ({"W_hx"}, "'W_hx' is none of"),
        ({"X", "W_xh"}, "W_xh agrees"),
        (set(), "missing"),
    ],
    "streams": [
        (lambda x, B, T: x[: len(x) // (B * T) * B * T].reshape(-1, B, T), "no state"),
        (lambda x, B, T: streams(x, B, T).swapaxes(0, 1), "number of the chunk"),
        (
            lambda x, B, T: x[: len(x) // (B * T) * B * T].reshape(-1, T, B).swapaxes(1, 2),
            "down the columns",
        ),
        (lambda x, B, T: x, "shape (24,)"),
    ],
    "language": [
        (["ba", "dii", "guuu"], "memory saves 0.366"),
        (["ab", "cd", "ef"], "saves 0.000"),
        (["ba", "baa", "guuu"], "'b' begins 'ba' and stands elsewhere"),
        (["ba", "dii"], "three words"),
        (["baaaa", "dii", "guuu"], "1 to 4 letters"),
        ("ba", "list of three words"),
    ],
}


def check_of(name):
    return getattr(lesson, f"check_{name}")


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_answer_is_correct(capsys, name):
    assert said(capsys, check_of(name), RIGHT[name]) == "correct\n"


@pytest.mark.parametrize("name", RIGHT)
def test_no_answer_is_not_yet_and_nothing_is_raised(capsys, name):
    def crashes(*arguments):
        raise ZeroDivisionError("an error of the reader")

    for empty in (..., None, lambda *arguments: None, lambda *arguments: ..., crashes, 7):
        assert said(capsys, check_of(name), empty).startswith("not yet: ")


@pytest.mark.parametrize(
    ("name", "answer", "cause"),
    [(name, answer, cause) for name, cases in WRONG.items() for answer, cause in cases],
)
def test_a_wrong_answer_is_told_its_cause(capsys, name, answer, cause):
    text = said(capsys, check_of(name), answer)
    assert text.startswith("not yet: ")
    assert cause in text


def test_every_check_is_tested():
    checks = {name.removeprefix("check_") for name in vars(lesson) if name.startswith("check_")}
    assert checks == set(RIGHT) == set(WRONG)
