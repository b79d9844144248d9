"""The checks of notebook 05 say correct to right answers and name the cause of wrong ones."""

import numpy as np
from exercise_tests import four_tests, said

from course_utils.cells import RNNCell
from course_utils.exercises import lesson_05 as lesson
from course_utils.functions import bias_gradient, sigmoid


def stable_tanh(z):
    small = np.exp(-2 * np.abs(z))
    return np.sign(z) * (1 - small) / (1 + small)


def bias(steps, half=0.5):
    f = half ** (1 / steps)
    return np.log(f / (1 - f))


def step_back(dC_next, C, F):
    return dC_next * C * F * (1 - F), dC_next * F


def printed_tanh(z):
    return (np.exp(z) - np.exp(-z)) / (np.exp(z) + np.exp(-z))


# The mended backward is checked on any cell with one state; here the vanilla RNN stands in.


def backward(self, dstate, trace, slope=lambda h: 1 - h**2):
    X, H, H_next = trace
    dA = dstate[0] * slope(H_next)
    grads = {"W_xh": X.mT @ dA, "W_hh": H.mT @ dA, "b_h": bias_gradient(dA)}
    return dA @ self.params["W_xh"].mT, (dA @ self.params["W_hh"].mT,), grads


def without_slope(self, dstate, trace):
    return backward(self, dstate, trace, slope=lambda h: h)


MADE = {"make_check_mended": lesson.make_check_mended(RNNCell)}

RIGHT = {
    "check_stable_tanh": [stable_tanh, np.tanh],
    "check_bias_for_half_life": [bias],
    "check_forget_weights": [
        lambda: (-12.0, 6.0),
        lambda: [-20, 8],
        lambda: (np.float64(-12), 6),
        lambda: np.array([-12.0, 6.0]),
    ],
    "check_through_the_gate": [step_back, lambda *given: list(step_back(*given))],
    "make_check_mended": [backward],
}

WRONG = {
    "check_stable_tanh": [
        (lambda z: 1 / np.tanh(z), "coth"),
        (printed_tanh, "is nan"),
        (sigmoid, "That is the sigmoid"),
        (lambda z: 2 * sigmoid(z) - 1, "2 inside"),
        (lambda z: -np.tanh(z), "sign is wrong"),
        (lambda z: np.tanh(abs(z)), "sign is lost"),
        (lambda z: np.tanh(z).ravel(), "shape"),
        (lambda z: np.clip(np.tanh(z), -0.999999, 0.999999), "my_tanh"),
    ],
    "check_bias_for_half_life": [
        (lambda n: 0.5 ** (1 / n), "value of the gate"),
        (lambda n: -bias(n), "sign is wrong"),
        (lambda n: bias(n, np.exp(-1)), "ln 2 is missing"),
        (lambda n: sigmoid(0.5 ** (1 / n)), "other way round"),
    ],
    "check_forget_weights": [
        (lambda: (12.0, -6.0), "other way round"),
        (lambda: (-12.0, 2.0), "make it larger"),
        (lambda: (-6.0, 6.0), "below -4.6"),
        (lambda: (-np.inf, 6.0), "not infinite"),
        (lambda: -12.0, "two numbers"),
        (lambda: np.ones((2, 2)), "two numbers"),
    ],
    "check_through_the_gate": [
        (lambda d, C, F: (d * C * F, d * F), "slope of the sigmoid"),
        (lambda d, C, F: (d * C, d * F), "go on through the sigmoid"),
        (lambda d, C, F: (d * F * (1 - F), d * F), "C is missing"),
        (lambda d, C, F: (d * C * (1 - F**2), d * F), "slope of tanh"),
        (lambda d, C, F: step_back(d, C, F)[::-1], "swapped"),
        (lambda d, C, F: (step_back(d, F, F)[0], d), "in its place"),
        (lambda d, C, F: (step_back(d, C, F)[0], d), "On the road"),
        (lambda d, C, F: (step_back(d, C, F)[0], d * C), "belongs to"),
        (lambda d, C, F: (None, d * F), "dA is None"),
        (lambda d, C, F: d * F, "a pair"),
    ],
    "make_check_mended": [
        (without_slope, "the gradient check fails for W_xh, W_hh, b_h, X, H_0"),
    ],
}

test_right, test_empty, test_wrong, test_tables_are_complete = four_tests(
    lesson, RIGHT, WRONG, MADE
)


def test_a_backward_with_all_gradients_wrong_gets_no_hint_at_the_gate():
    assert "pass on" not in said(MADE["make_check_mended"], without_slope)
