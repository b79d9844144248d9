"""The checks of notebook 12 say correct to right answers and name the cause of wrong ones."""

import numpy as np
import pytest
from contracts import LINES_OF_FIFTH_CELL
from exercise_tests import four_tests

from course_utils.cells import Cell
from course_utils.exercises import lesson_12 as lesson
from course_utils.functions import bias_gradient, sigmoid


def turn(params, names=("W_xz", "W_hz", "b_z")):
    return params | {name: -params[name] for name in names}


def widest(D, U):
    units = U
    while 3 * (units + 1) * (D + units + 2) <= 4 * U * (D + U + 1):
        units += 1
    return units


class ForgetCell(Cell):
    """The cell of the exercise, with places in which a test can plant a bug."""

    def _draw(self, rng):
        for gate in "fh":
            self._weights(gate, rng)

    def gate(self, A):
        return sigmoid(A)

    def candidate(self, A):
        return np.tanh(A)

    def mix(self, F, H, H_tilde):
        return F * H + (1 - F) * H_tilde

    def forward(self, X, state):
        (H,), p = state, self.params
        F = self.gate(X @ p["W_xf"] + H @ p["W_hf"] + p["b_f"])
        H_tilde = self.candidate(X @ p["W_xh"] + H @ p["W_hh"] + p["b_h"])
        return (self.mix(F, H, H_tilde),), (X, H, F, H_tilde)

    def slopes(self, dH_next, H, F, H_tilde):
        return {
            "f": dH_next * (H - H_tilde) * F * (1 - F),
            "h": dH_next * (1 - F) * (1 - H_tilde**2),
        }

    def past(self, dH_next, F):
        return dH_next * F

    def backward(self, dstate, trace):
        (dH_next,), (X, H, F, H_tilde), p = dstate, trace, self.params
        dX, dH, grads = 0, self.past(dH_next, F), {}
        for gate, d in self.slopes(dH_next, H, F, H_tilde).items():
            grads |= {f"W_x{gate}": X.mT @ d, f"W_h{gate}": H.mT @ d, f"b_{gate}": bias_gradient(d)}
            dX, dH = dX + d @ p[f"W_x{gate}"].mT, dH + d @ p[f"W_h{gate}"].mT
        return dX, (dH,), grads


def planted(**methods):
    """The right cell with some methods put in their place."""
    return type("Planted", (ForgetCell,), methods)


class Plain:
    """The same without a base class."""

    def __init__(self, num_inputs, units, rng):
        self.num_inputs, self.units = num_inputs, units
        self.params = dict(ForgetCell(num_inputs, units, rng).params)

    def initial_state(self, B):
        return (np.zeros((B, self.units)),)

    gate, candidate, mix = ForgetCell.gate, ForgetCell.candidate, ForgetCell.mix
    slopes, past = ForgetCell.slopes, ForgetCell.past
    forward, backward = ForgetCell.forward, ForgetCell.backward


def mixing(self, X, state):
    new, trace = ForgetCell.forward(self, X, state)
    return (new[0] + 1e-3 * (len(X) - 2),), trace


def writing(self, X, state):
    new, trace = ForgetCell.forward(self, X, state)
    state[0][...] = new[0]
    return new, trace


def state_alone(self, dstate, trace):
    dX, (dH,), grads = ForgetCell.backward(self, dstate, trace)
    return dX, dH, grads


def search(resolution):
    grid = np.linspace(0.001, 0.9999, 20_000)
    return float(max(grid, key=lambda z: lesson.count_of(z, resolution)))


RIGHT = {
    "check_convention": [turn],
    "check_units": [widest],
    "check_gate": [lambda resolution: 1 - np.e * resolution, search],
    "check_forget_cell": [ForgetCell, Plain],
}

WRONG = {
    "check_convention": [
        (lambda p: p, "Turn the sign"),
        (lambda p: turn(p, ("b_z",)), "Turn the sign"),
        (lambda p: turn(p, ("W_xz", "W_hz")), "b_z"),
        (lambda p: turn(p, tuple(p)), "Only the update gate"),
        (lambda p: p | {n: 1 - p[n] for n in ("W_xz", "W_hz", "b_z")}, "not sigmoid(1 - a)"),
        (lambda p: {"W_xz": -p["W_xz"]}, "no dictionary with the names"),
    ],
    "check_units": [
        (lambda D, U: 4 * U // 3, "may not grow by 4/3"),
        (lambda D, U: U, "three quarters"),
        (lambda D, U: widest(D, U) + 1, "Too many"),
        (lambda D, U: 1, "fits as well"),
        (lambda D, U: float(widest(D, U)), "whole number"),
        (lambda D, U: 0, "at least one"),
    ],
    "check_gate": [
        (lambda r: 1 - r, "z must be smaller"),
        (lambda r: 0.5, "z must be larger"),
        (lambda r: 0.99, "z must be smaller"),
        (lambda r: 1.0, "between 0 and 1"),
        (lambda r: "0.9", "between 0 and 1"),
    ],
    "check_forget_cell": [
        (planted(mix=lambda s, F, H, G: (1 - F) * H + F * G), "places"),
        (planted(mix=lambda s, F, H, G: F * H + G), "gets 1 - F"),
        (planted(candidate=lambda s, A: sigmoid(A)), "is a tanh"),
        (planted(candidate=lambda s, A: A), "squashed by tanh"),
        (planted(gate=lambda s, A: np.tanh(A)), "gate is a sigmoid"),
        (planted(past=lambda s, d, F: 0), "two roads"),
        (planted(past=lambda s, d, F: d * (1 - F)), "two roads"),
        (
            planted(slopes=lambda s, d, H, F, G: {"f": d * (H - G) * F, "h": d * (1 - F)}),
            "slope of the sigmoid",
        ),
        (
            planted(
                slopes=lambda s, d, H, F, G: {
                    "f": d * (H - G) * F * (1 - F),
                    "h": d * (1 - G**2),
                }
            ),
            "multiplied by 1 - F",
        ),
        (planted(backward=lambda s, d, trace: None), "triple"),
        (planted(backward=state_alone), "gives ndarray for the state; expected (dH,)"),
        (planted(forward=lambda s, X, state: None), "no pair"),
        (
            planted(forward=lambda s, X, state: (ForgetCell.forward(s, X, state)[0][0], ())),
            "the tuple (H_next,)",
        ),
        (planted(forward=lambda s, X, state: ((...,), (X, ..., ..., ...))), "replace the ..."),
        (planted(_draw=lambda s, rng: s._weights("f", rng)), "no 'W_xh'"),
        (planted(forward=mixing), "rows are mixed"),
        (planted(forward=writing), "changes the old state"),
    ],
}

test_right, test_empty, test_wrong, test_tables_are_complete = four_tests(lesson, RIGHT, WRONG)


@pytest.mark.parametrize(("z", "resolution"), [(0.9, 0.01), (0.5, 0.1), (0.97, 0.01), (0.995, 0.1)])
def test_the_count_is_the_one_of_the_loop(z, resolution):
    h, n = 0.0, 0
    while (1 - z) * (1 - h) >= resolution:
        h, n = z * h + (1 - z), n + 1
    assert lesson.count_of(z, resolution) == n


def test_the_fifth_cell_is_short():
    """That it keeps the laws is shown in test_laws.py, where it stands in the list of cells."""
    assert LINES_OF_FIFTH_CELL <= 25
