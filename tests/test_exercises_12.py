"""The checks of notebook 12 say correct to right answers and name the cause of wrong ones."""

import numpy as np
import pytest

from course_utils.cells import Cell
from course_utils.exercises import lesson_12 as lesson
from course_utils.functions import bias_gradient, sigmoid


def said(capsys, check, answer):
    check(answer)
    return capsys.readouterr().out.strip()


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


RIGHT = {
    "check_convention": turn,
    "check_units": widest,
    "check_gate": lambda resolution: 1 - np.e * resolution,
    "check_forget_cell": ForgetCell,
}
EMPTY = [..., None, lambda *a: None, lambda *a: ..., lambda *a: 1 / 0, 3, lambda *a: "x"]


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_are_correct(capsys, name):
    assert said(capsys, getattr(lesson, name), RIGHT[name]) == "correct"


@pytest.mark.parametrize("answer", EMPTY)
@pytest.mark.parametrize("name", RIGHT)
def test_empty_and_broken_answers_are_not_yet(capsys, name, answer):
    assert said(capsys, getattr(lesson, name), answer).startswith("not yet: ")


def test_a_cell_without_a_base_class_is_correct(capsys):
    class Plain:
        def __init__(self, num_inputs, units, rng):
            self.num_inputs, self.units = num_inputs, units
            self.params = dict(ForgetCell(num_inputs, units, rng).params)

        def initial_state(self, B):
            return (np.zeros((B, self.units)),)

        gate, candidate, mix = ForgetCell.gate, ForgetCell.candidate, ForgetCell.mix
        slopes, past = ForgetCell.slopes, ForgetCell.past
        forward, backward = ForgetCell.forward, ForgetCell.backward

    assert said(capsys, lesson.check_forget_cell, Plain) == "correct"


def test_a_search_for_the_gate_is_correct(capsys):
    grid = np.linspace(0.001, 0.9999, 20_000)

    def search(resolution):
        return float(max(grid, key=lambda z: lesson.count_of(z, resolution)))

    assert said(capsys, lesson.check_gate, search) == "correct"


@pytest.mark.parametrize(("z", "resolution"), [(0.9, 0.01), (0.5, 0.1), (0.97, 0.01), (0.995, 0.1)])
def test_the_count_is_the_one_of_the_loop(z, resolution):
    h, n = 0.0, 0
    while (1 - z) * (1 - h) >= resolution:
        h, n = z * h + (1 - z), n + 1
    assert lesson.count_of(z, resolution) == n


@pytest.mark.parametrize(
    ("name", "answer", "cause"),
    [
        ("check_convention", lambda p: p, "Turn the sign"),
        ("check_convention", lambda p: turn(p, ("b_z",)), "Turn the sign"),
        ("check_convention", lambda p: turn(p, ("W_xz", "W_hz")), "b_z"),
        ("check_convention", lambda p: turn(p, tuple(p)), "Only the update gate"),
        (
            "check_convention",
            lambda p: p | {n: 1 - p[n] for n in ("W_xz", "W_hz", "b_z")},
            "not sigmoid(1 - a)",
        ),
        ("check_convention", lambda p: {"W_xz": -p["W_xz"]}, "no dictionary with the names"),
        ("check_units", lambda D, U: 4 * U // 3, "may not grow by 4/3"),
        ("check_units", lambda D, U: U, "three quarters"),
        ("check_units", lambda D, U: widest(D, U) + 1, "Too many"),
        ("check_units", lambda D, U: 1, "fits as well"),
        ("check_units", lambda D, U: float(widest(D, U)), "whole number"),
        ("check_units", lambda D, U: 0, "at least one"),
        ("check_gate", lambda r: 1 - r, "z must be smaller"),
        ("check_gate", lambda r: 0.5, "z must be larger"),
        ("check_gate", lambda r: 0.99, "z must be smaller"),
        ("check_gate", lambda r: 1.0, "between 0 and 1"),
        ("check_gate", lambda r: r"0.9", "between 0 and 1"),
        ("check_forget_cell", planted(mix=lambda s, F, H, G: (1 - F) * H + F * G), "places"),
        ("check_forget_cell", planted(mix=lambda s, F, H, G: F * H + G), "gets 1 - F"),
        ("check_forget_cell", planted(candidate=lambda s, A: sigmoid(A)), "is a tanh"),
        ("check_forget_cell", planted(candidate=lambda s, A: A), "squashed by tanh"),
        ("check_forget_cell", planted(gate=lambda s, A: np.tanh(A)), "gate is a sigmoid"),
        ("check_forget_cell", planted(past=lambda s, d, F: 0), "two roads"),
        ("check_forget_cell", planted(past=lambda s, d, F: d * (1 - F)), "two roads"),
        (
            "check_forget_cell",
            planted(slopes=lambda s, d, H, F, G: {"f": d * (H - G) * F, "h": d * (1 - F)}),
            "slope of the sigmoid",
        ),
        (
            "check_forget_cell",
            planted(
                slopes=lambda s, d, H, F, G: {
                    "f": d * (H - G) * F * (1 - F),
                    "h": d * (1 - G**2),
                }
            ),
            "multiplied by 1 - F",
        ),
        (
            "check_forget_cell",
            planted(backward=lambda s, d, trace: None),
            "triple",
        ),
        ("check_forget_cell", planted(forward=lambda s, X, state: None), "no pair"),
        (
            "check_forget_cell",
            planted(forward=lambda s, X, state: (ForgetCell.forward(s, X, state)[0][0], ())),
            "the tuple (H_next,)",
        ),
        (
            "check_forget_cell",
            planted(forward=lambda s, X, state: ((...,), (X, ..., ..., ...))),
            "replace the ...",
        ),
        ("check_forget_cell", planted(_draw=lambda s, rng: s._weights("f", rng)), "no 'W_xh'"),
    ],
)
def test_wrong_answers_hear_their_cause(capsys, name, answer, cause):
    words = said(capsys, getattr(lesson, name), answer)
    assert words.startswith("not yet: ")
    assert cause in words


def test_a_cell_that_mixes_rows_or_writes_into_the_state_is_found(capsys):
    def mixing(self, X, state):
        new, trace = ForgetCell.forward(self, X, state)
        return (new[0] + 1e-3 * (len(X) - 2),), trace

    assert "rows are mixed" in said(capsys, lesson.check_forget_cell, planted(forward=mixing))

    def writing(self, X, state):
        new, trace = ForgetCell.forward(self, X, state)
        state[0][...] = new[0]
        return new, trace

    assert "changes the old state" in said(
        capsys, lesson.check_forget_cell, planted(forward=writing)
    )
