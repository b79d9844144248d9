"""The checks of notebook 05 say correct to right answers and name the cause of wrong ones."""

import numpy as np
import pytest

from course_utils.cells import RNNCell
from course_utils.exercises import lesson_05 as lesson
from course_utils.functions import bias_gradient, sigmoid


def said(capsys, check, answer):
    check(answer)
    return capsys.readouterr().out.strip()


def stable_tanh(z):
    small = np.exp(-2 * np.abs(z))
    return np.sign(z) * (1 - small) / (1 + small)


def bias(steps, half=0.5):
    f = half ** (1 / steps)
    return np.log(f / (1 - f))


def step_back(dC_next, C, F):
    return dC_next * C * F * (1 - F), dC_next * F


RIGHT = {
    "check_stable_tanh": stable_tanh,
    "check_bias_for_half_life": bias,
    "check_forget_weights": lambda: (-12.0, 6.0),
    "check_through_the_gate": step_back,
}
EMPTY = [..., None, lambda *a: None, lambda *a: ..., lambda *a: 1 / 0, 3, lambda *a: "x"]


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_are_correct(capsys, name):
    assert said(capsys, getattr(lesson, name), RIGHT[name]) == "correct"


def test_other_right_answers_are_correct(capsys):
    assert said(capsys, lesson.check_stable_tanh, np.tanh) == "correct"
    assert said(capsys, lesson.check_forget_weights, lambda: [-20, 8]) == "correct"
    assert said(capsys, lesson.check_forget_weights, lambda: (np.float64(-12), 6)) == "correct"


@pytest.mark.parametrize("answer", EMPTY)
@pytest.mark.parametrize("name", RIGHT)
def test_empty_and_broken_answers_are_not_yet(capsys, name, answer):
    assert said(capsys, getattr(lesson, name), answer).startswith("not yet: ")


def printed_tanh(z):
    return (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))


@pytest.mark.parametrize(
    ("name", "answer", "cause"),
    [
        ("check_stable_tanh", lambda z: 1 / np.tanh(z), "coth"),
        ("check_stable_tanh", printed_tanh, "is nan"),
        ("check_stable_tanh", sigmoid, "That is the sigmoid"),
        ("check_stable_tanh", lambda z: 2 * sigmoid(z) - 1, "2 inside"),
        ("check_stable_tanh", lambda z: -np.tanh(z), "sign is wrong"),
        ("check_stable_tanh", lambda z: np.tanh(abs(z)), "sign is lost"),
        ("check_stable_tanh", lambda z: np.tanh(z).ravel(), "shape"),
        ("check_stable_tanh", lambda z: np.clip(np.tanh(z), -0.999999, 0.999999), "my_tanh"),
        ("check_bias_for_half_life", lambda n: 0.5 ** (1 / n), "value of the gate"),
        ("check_bias_for_half_life", lambda n: -bias(n), "sign is wrong"),
        ("check_bias_for_half_life", lambda n: bias(n, np.exp(-1)), "ln 2 is missing"),
        ("check_bias_for_half_life", lambda n: sigmoid(0.5 ** (1 / n)), "other way round"),
        ("check_forget_weights", lambda: (12.0, -6.0), "other way round"),
        ("check_forget_weights", lambda: (-12.0, 2.0), "make it larger"),
        ("check_forget_weights", lambda: (-6.0, 6.0), "below -4.6"),
        ("check_forget_weights", lambda: (-np.inf, 6.0), "not infinite"),
        ("check_forget_weights", lambda: -12.0, "two numbers"),
        ("check_through_the_gate", lambda d, C, F: (d * C * F, d * F), "slope of the sigmoid"),
        ("check_through_the_gate", lambda d, C, F: (d * C, d * F), "go on through the sigmoid"),
        ("check_through_the_gate", lambda d, C, F: (d * F * (1 - F), d * F), "C is missing"),
        ("check_through_the_gate", lambda d, C, F: (d * C * (1 - F**2), d * F), "slope of tanh"),
        ("check_through_the_gate", lambda d, C, F: step_back(d, C, F)[::-1], "swapped"),
        ("check_through_the_gate", lambda d, C, F: (step_back(d, F, F)[0], d), "in its place"),
        ("check_through_the_gate", lambda d, C, F: (step_back(d, C, F)[0], d), "On the road"),
        ("check_through_the_gate", lambda d, C, F: (step_back(d, C, F)[0], d * C), "belongs to"),
        ("check_through_the_gate", lambda d, C, F: (None, d * F), "dA is None"),
        ("check_through_the_gate", lambda d, C, F: d * F, "a pair"),
    ],
)
def test_wrong_answers_hear_their_cause(capsys, name, answer, cause):
    words = said(capsys, getattr(lesson, name), answer)
    assert words.startswith("not yet: ")
    assert cause in words


# The mended backward is checked on any cell with one state; here the vanilla RNN stands in.


def backward(self, dstate, trace, slope=None, gate=1.0, on=1.0):
    X, H, H_next = trace
    dA = dstate[0] * ((1 - H_next**2) if slope is None else slope(H_next))
    grads = {"W_xh": gate * X.mT @ dA, "W_hh": gate * H.mT @ dA, "b_h": gate * bias_gradient(dA)}
    return on * dA @ self.params["W_xh"].mT, (on * dA @ self.params["W_hh"].mT,), grads


def test_a_mended_backward_is_checked_by_its_gradients(capsys):
    check = lesson.make_check_mended(RNNCell)
    assert said(capsys, check, lambda self, *a: backward(self, *a)) == "correct"
    wrong = said(capsys, check, lambda self, *a: backward(self, *a, slope=lambda h: h))
    assert wrong.startswith("not yet: the gradient check fails for W_xh, W_hh, b_h, X, H_0")
    assert "pass on" not in wrong
    for answer in EMPTY:
        assert said(capsys, check, answer).startswith("not yet: ")
