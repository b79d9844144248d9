"""Checks for the exercises of notebook 12: conventions, sizes, counting, a cell of the reader's."""

import numbers

import numpy as np

from course_utils.cells import GRUCell
from course_utils.checks import TOLERANCE, NotYet, call, check_gradients, exercise, expect
from course_utils.exercises.cells import drawn_cell
from course_utils.functions import sigmoid
from course_utils.recurrent import Recurrent, scan


@exercise
def check_convention(my_convention):
    """Check `my_convention(params) -> params`: from "Z writes" to "Z keeps".

    Taught in: notebooks/12_streamline_to_a_gru, section 2
    """
    rng = np.random.default_rng(12)
    params = {name: rng.normal(size=p.shape) for name, p in GRUCell(3, 4, rng).params.items()}
    came = call(my_convention, params)
    if not isinstance(came, dict) or set(came) != set(params):
        raise NotYet(f"the answer is no dictionary with the names {', '.join(params)}")
    of_z = ("W_xz", "W_hz", "b_z")
    for name, p in params.items():
        right = -p if name in of_z else p
        causes = {
            "Turn the sign: 1 - sigmoid(a) = sigmoid(-a)": p,
            "1 - sigmoid(a) is sigmoid(-a), not sigmoid(1 - a)": 1 - p,
        }
        if name not in of_z:
            causes = {"Only the update gate changes its meaning": -p}
        expect(name, came[name], right, causes=causes)


def _parameters(blocks, D, U):
    return blocks * U * (D + U + 1)


@exercise
def check_units(my_units):
    """Check `my_units(D, U)`: the widest GRU with no more parameters than an LSTM of U units.

    Taught in: notebooks/12_streamline_to_a_gru, section 6
    """
    for D, U in ((1, 6), (2, 3), (50, 128), (200, 10)):
        units = call(my_units, D, U)
        if isinstance(units, bool) or not isinstance(units, numbers.Integral):
            raise NotYet(f"my_units({D}, {U}) is {units!r}; expected a whole number")
        if units < 1:
            raise NotYet(f"my_units({D}, {U}) is {units}; expected at least one unit")
        size, room = _parameters(3, D, int(units)), _parameters(4, D, U)
        text = f"my_units({D}, {U}) is {units}: {size} parameters, and the LSTM has {room}. "
        if size > room:
            four_thirds = " The width may not grow by 4/3: W_h* has U times U numbers"
            raise NotYet(text + "Too many." + (four_thirds if units == 4 * U // 3 else ""))
        more = _parameters(3, D, int(units) + 1)
        if more <= room:
            same = " At equal width the GRU has three quarters" if units == U else ""
            raise NotYet(text + f"One unit more, {more} parameters, fits as well." + same)


def count_of(z, resolution):
    """Give how many steps of one unit, candidate 1, move the state by `resolution` or more."""
    if 1 - z < resolution:
        return 0
    return int(np.floor(1 + np.log(resolution / (1 - z)) / np.log(z) + 1e-9)) if z > 0 else 1


@exercise
def check_gate(my_gate):
    """Check `my_gate(resolution) -> z`: the gate with which one unit counts furthest.

    Taught in: notebooks/12_streamline_to_a_gru, section 7
    """
    for resolution in (0.05, 0.01, 0.001):
        z = call(my_gate, resolution)
        where = f"my_gate({resolution}) is {z!r}"
        if isinstance(z, bool) or not isinstance(z, numbers.Real) or not 0 < z < 1:
            raise NotYet(f"{where}; expected a number between 0 and 1")
        z = float(z)
        best = max(count_of(1 - np.e * resolution * f, resolution) for f in (0.98, 1, 1.02))
        came = count_of(z, resolution)
        if came < 0.97 * best - 1:
            why = "its steps are large and use up the range: z must be larger"
            if z > 1 - np.e * resolution:
                why = "its steps are too small from early on: z must be smaller"
            raise NotYet(f"{where}: that counts to {came}, and {best} is possible; {why}")


NAMES = ("W_xf", "W_hf", "b_f", "W_xh", "W_hh", "b_h")
HINTS = {  # what is wrong with one step -> a likely cause
    "H_0": "dH has two roads: through both W_h*, and past them, times F",
    "X": "dX is the sum of dA @ W_x*.mT over both gates",
    "f": "F multiplies H - H_tilde; then comes the slope of the sigmoid, F (1 - F)",
    "h": "H_tilde is multiplied by 1 - F; then comes the slope of tanh, 1 - H_tilde^2",
}


@exercise
def check_forget_cell(cell_class):
    """Check a cell class with the state H_next = F H + (1 - F) H_tilde: values, then the laws.

    The laws are those of every cell of the course: the state keeps its form, forward repeats
    itself and changes nothing, gradients agree with central differences, a batch of two is two
    batches of one, padding under a mask changes nothing.

    Taught in: notebooks/12_streamline_to_a_gru, section 11
    """
    if not isinstance(cell_class, type):
        raise NotYet(f"the answer is {cell_class!r}; expected a class")
    rng = np.random.default_rng(12)
    cell = drawn_cell(cell_class, NAMES, rng, 0.3)
    X, H = rng.normal(size=(2, 5, 3)), rng.uniform(-0.9, 0.9, (2, 4))
    _check_step(cell, X[:, 0], H)
    _check_gradients(cell, X, rng)
    _check_rows_and_padding(cell, X, rng)


def _check_step(cell, X, H):
    """Look at the values of one step, and at what it may not do."""
    p, given = cell.params, H.copy()
    came = cell.forward(X, (given,))
    if not isinstance(came, tuple) or len(came) != 2:
        raise NotYet("forward returns no pair (new state, trace)")
    state = came[0]
    if not isinstance(state, tuple) or len(state) != 1:
        raise NotYet(f"the new state is {type(state).__name__}; expected the tuple (H_next,)")
    if state[0] is ...:
        raise NotYet("forward: replace the ... by your lines")
    A_f, A_h = (X @ p[f"W_x{g}"] + H @ p[f"W_h{g}"] + p[f"b_{g}"] for g in "fh")
    F, H_tilde = sigmoid(A_f), np.tanh(A_h)
    causes = {
        "F keeps the old state: F and 1 - F have changed places": (1 - F) * H + F * H_tilde,
        "The candidate gets 1 - F": F * H + H_tilde,
        "The candidate is a tanh": F * H + (1 - F) * sigmoid(A_h),
        "The candidate sees H as well": F * H + (1 - F) * np.tanh(X @ p["W_xh"] + p["b_h"]),
        "The gate is a sigmoid": np.tanh(A_f) * H + (1 - np.tanh(A_f)) * H_tilde,
        "The candidate is squashed by tanh": F * H + (1 - F) * A_h,
    }
    if not np.array_equal(given, H):
        raise NotYet("forward changes the old state; make a new array")
    expect("H_next", state[0], F * H + (1 - F) * H_tilde, causes=causes)
    if not np.array_equal(cell.forward(X, (H,))[0][0], state[0]):
        raise NotYet("forward gives other numbers the second time")


def _check_gradients(cell, X, rng):
    """Compare with central differences: one step first, which tells the places apart."""
    layer = Recurrent(cell)
    for T in (1, X.shape[1]):
        layer.forward(X[:, :T])
        came = cell.backward(
            tuple(np.ones_like(s) for s in layer.state), cell.forward(X[:, 0], layer.state)[1]
        )
        if not isinstance(came, tuple) or len(came) != 3:
            raise NotYet("backward returns no triple dX, (dH,), grads")
        if not isinstance(came[1], tuple) or len(came[1]) != 1:
            raise NotYet(f"backward gives {type(came[1]).__name__} for the state; expected (dH,)")
        errors = check_gradients(layer, X[:, :T], rng, most=12)
        wrong = [name for name, error in errors.items() if not error < TOLERANCE]
        if wrong:
            raise NotYet(f"the gradients of {', '.join(wrong)} are wrong. {_hint(wrong)}")


def _hint(wrong):
    for gate in "fh":
        if f"b_{gate}" in wrong or f"W_x{gate}" in wrong:
            return HINTS[gate]
    return HINTS.get(wrong[0], "Each W_h* gets H.mT @ dA, with the old H")


def _check_rows_and_padding(cell, X, rng):
    """A batch of two is two batches of one; what stands under a mask changes nothing."""
    H, _, _ = scan(cell, X)
    for row in range(len(X)):
        if np.abs(scan(cell, X[row : row + 1])[0][0] - H[row]).max() > 1e-12:
            raise NotYet("a batch of two is not two batches of one: rows are mixed")
    mask = np.array([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]], dtype=bool)
    other = np.where(mask[..., None], X, X + 1)
    results = []
    for inputs in (X, other):
        layer = Recurrent(cell)
        layer.forward(inputs, mask)
        layer.backward(np.ones((*mask.shape, cell.units)))
        results.append([layer.state[0], *layer.grads.values()])
    if any(np.abs(a - b).max() > 1e-12 for a, b in zip(*results, strict=True)):
        raise NotYet("what stands under the mask changes the result")
