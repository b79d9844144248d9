"""Checks for the exercises of notebook 02: the recurrence, sizes, a latch, lengths, an own cell."""

import numbers

import numpy as np

from course_utils.cells import RNNCell
from course_utils.checks import NotYet, call, exercise, expect
from course_utils.recurrent import scan

SENSORS, STEPS, BUDGET = 3, 100, 1000


def _rule(x, h):
    return np.tanh(1.5 * x - 0.8 * h + 0.1)


@exercise
def check_recurrence(my_recurrence):
    """Check `my_recurrence(f, x, h_0)`, which gives the list of h_1 .. h_T.

    Taught in: notebooks/02_run_a_vanilla_rnn, section 3
    """
    for x in ([0.3, -0.7, 1.1, 0.2], [0.9], [0.5, 0.5, 0.5, 0.5, -2.0, 0.0]):
        h_0 = 0.6
        states = [h_0]
        for x_t in x:
            states.append(_rule(x_t, states[-1]))
        stale = [_rule(x_t, h_0) for x_t in x]
        backwards = [h_0]
        for x_t in reversed(x):
            backwards.append(_rule(x_t, backwards[-1]))
        try:
            came = call(my_recurrence, _rule, x, h_0)
        except (NameError, UnboundLocalError) as error:
            raise NotYet(
                f"{error}. The state of step t is asked for before it is known: "
                "the slip of the slide. The right-hand side needs the state of step t - 1"
            ) from None
        causes = {
            "Every step starts from h_0: hand the new state on to the next step": stale,
            "The state read at step t is still 0, because it is written at step t: the slip of the "
            "slide. Read the state of step t - 1": [_rule(x_t, 0.0) for x_t in x],
            "The list starts with h_0; it should start with h_1": states,
            "These are the states before each step: append after the update": states[:-1],
            "Only the last state came back; the list should have all T of them": states[-1],
            "The inputs are read from the end": backwards[1:],
            "The first state is 0; it should be h_0": _run_from_zero(x),
        }
        expect("h", came, states[1:], causes=causes)


def _run_from_zero(x):
    h, states = 0.0, []
    for x_t in x:
        h = _rule(x_t, h)
        states.append(h)
    return states


@exercise
def check_units(my_units):
    """Check the largest number of units of an RNN cell with 3 inputs and at most 1,000 parameters.

    Taught in: notebooks/02_run_a_vanilla_rnn, section 5
    """
    if isinstance(my_units, bool) or not isinstance(my_units, numbers.Integral):
        raise NotYet(f"the answer is {my_units!r}; expected a whole number")
    cost = {U: U * (SENSORS + U + 1) for U in (int(my_units), int(my_units) + 1)}
    causes = {
        _largest(lambda U: U * (SENSORS + U)): "The bias b_h has U parameters too",
        _largest(lambda U: U * (SENSORS + 1)): "W_hh has U times U parameters",
        _largest(lambda U: U * U): "Count W_xh and b_h as well as W_hh",
        _largest(lambda U: STEPS * U * (SENSORS + U + 1)): "All steps share one set of weights: T "
        "does not count",
    }
    right = _largest(lambda U: U * (SENSORS + U + 1))
    if my_units == right:
        return
    why = causes.get(int(my_units))
    if my_units < 1:
        why = why or "A cell has at least one unit"
    elif my_units > right:
        why = why or "Too many: W_xh, W_hh and b_h are counted together"
    else:
        why = why or f"It fits, and {my_units + 1} units need only {cost[int(my_units) + 1]}"
    raise NotYet(f"{my_units} units have {cost[int(my_units)]} parameters. {why}")


def _largest(cost):
    """The largest U whose cost is within the budget."""
    U = 1
    while cost(U + 1) <= BUDGET:
        U += 1
    return U


@exercise
def check_first_unit(my_first_unit):
    """Check `my_first_unit() -> (w, a)`: h = tanh(w x + a h) must keep the sign of the first event.

    Events are +1 (A) and -1 (B), all other inputs 0.  Tried: both orders and both doubles, up to 40
    steps between the two events and up to 100 after them.

    Taught in: notebooks/02_run_a_vanilla_rnn, section 7
    """
    answer = call(my_first_unit)
    try:
        w, a = (float(number) for number in answer)
    except (TypeError, ValueError):
        raise NotYet(f"the answer is {answer!r}; expected two numbers (w, a)") from None
    if not np.isfinite([w, a]).all():
        raise NotYet(f"w is {w} and a is {a}; expected two numbers that are not infinite")
    for second in (1.0, -1.0):
        for gap in range(1, 41):
            for rest in (0, 1, 10, 100):
                h = _unit(w, a, [1.0] + [0.0] * (gap - 1) + [second] + [0.0] * rest)
                if h <= 0.3:
                    raise NotYet(_why_not_first(w, a, h, "A" if second > 0 else "B", gap, rest))


def _unit(w, a, x):
    h = 0.0
    for x_t in x:
        h = np.tanh(w * x_t + a * h)
    return h


def _why_not_first(w, a, h, second, gap, rest):
    """Name the case that fails and its likely cause."""
    case = f"A, then {second} {gap} {'step' if gap == 1 else 'steps'} later"
    case += f", then {rest} quiet {'step' if rest == 1 else 'steps'}" if rest else ""
    text = f"{case}: h ends at {h:.2g}; expected more than 0.3. "
    if w == 0:
        return text + "With w = 0 no event comes in"
    if w < 0 and a >= 0:
        return text + "A is +1 and should give a positive h: w must be positive"
    if a < 0:
        return text + "With a negative a the state changes its sign at every step"
    if a <= 1:
        return text + "With a of at most 1 nothing holds the state up: it fades, or gives way"
    if h <= 0:
        return text + "The second event wins: the new input must be weaker than what the loop keeps"
    return text + "The loop holds the sign, but too weakly: make w or a larger"


@exercise
def check_last_states(my_last_states):
    """Check `my_last_states(H, lengths)`: the state after the last real step of each sequence.

    Taught in: notebooks/02_run_a_vanilla_rnn, section 8
    """
    rng = np.random.default_rng(2)
    for B, T, U in ((3, 6, 2), (6, 6, 6)):
        H = rng.normal(size=(B, T, U))
        lengths = rng.permutation(np.arange(1, T))[:B] if B < T else np.array([3, 1, 5, 2, 4, 3])
        rows = np.arange(B)
        came = call(my_last_states, H, lengths)
        if np.shape(came) == (B, B, U) and np.shape(came) != (B, U):
            raise NotYet(
                f"the result has shape {np.shape(came)}; expected {(B, U)}. "
                "H[:, lengths - 1] takes every length for every sequence: give the rows too, "
                "np.arange(len(H))"
            )
        causes = {
            "This is the last column: for a shorter sequence it is padding": H[:, -1],
            "One step too far: the step with the number lengths is the first of the padding": H[
                rows, lengths
            ],
            "This is the first state": H[:, 0],
            "This is the mean over the steps": H.mean(axis=1),
        }
        expect("the result", came, H[rows, lengths - 1], causes=causes)


@exercise
def check_leaky_forward(my_leaky_forward):
    """Check `my_leaky_forward(self, X_t, state)`, the step of a leaky cell, alone and in a scan.

    H_t = (1 - rate) H_{t-1} + rate tanh(X_t W_xh + H_{t-1} W_hh + b_h)

    Taught in: notebooks/02_run_a_vanilla_rnn, section 11
    """
    rng = np.random.default_rng(2)
    cell = RNNCell(3, 4, rng)
    cell.params["b_h"][...] = rng.normal(size=4)
    cell.rate = 0.2
    X = rng.normal(size=(2, 5, 3))
    H = rng.uniform(-1, 1, size=(2, 4))
    _one_leaky_step(my_leaky_forward, cell, X[:, 0], H)

    class Leaky(RNNCell):
        rate = cell.rate
        forward = my_leaky_forward

    own = Leaky(3, 4, rng)
    own.params = cell.params
    came, state, _ = scan(own, X, (H,))
    expected = []
    for t in range(X.shape[1]):
        (H,) = _leaky(cell, X[:, t], H)
        expected.append(H)
    expect("H of the scan", came, np.stack(expected, axis=1))
    expect("the final state", state[0], H)


def _one_leaky_step(answer, cell, X_t, H):
    given = H.copy()
    result = answer(cell, X_t, (H,))
    if not (isinstance(result, tuple) and len(result) == 2):
        raise NotYet(f"the step returned {type(result).__name__}; expected a pair: state, trace")
    state, _ = result
    if not (isinstance(state, tuple) and len(state) == 1):
        raise NotYet(
            f"the new state is {type(state).__name__}; expected a tuple of one array, (H_next,), "
            "as it came in"
        )
    if state[0] is ... or state[0] is None:
        raise NotYet("replace the ... in the step by the equation")
    if not np.array_equal(H, given):
        raise NotYet("the step has changed the old state: compute a new array instead")
    rate = cell.rate
    (right,) = _leaky(cell, X_t, H)
    candidate = (right - (1 - rate) * H) / rate
    p = cell.params
    causes = {
        "This is the vanilla step: blend it with the old state": candidate,
        "The two shares are swapped: 1 - rate belongs to the old state": (
            rate * H + (1 - rate) * candidate
        ),
        "The old state is not blended in": rate * candidate,
        "The old state is kept in full: its share is 1 - rate": H + rate * candidate,
        "tanh goes around the sum of inputs only, not around the blend": np.tanh(
            (1 - rate) * H + rate * (X_t @ p["W_xh"] + H @ p["W_hh"] + p["b_h"])
        ),
        "The bias is missing": (1 - rate) * H + rate * np.tanh(X_t @ p["W_xh"] + H @ p["W_hh"]),
        "W_hh is transposed": (1 - rate) * H
        + rate * np.tanh(X_t @ p["W_xh"] + H @ p["W_hh"].T + p["b_h"]),
        "H W_hh is missing": (1 - rate) * H + rate * np.tanh(X_t @ p["W_xh"] + p["b_h"]),
        "tanh is missing": (1 - rate) * H + rate * (X_t @ p["W_xh"] + H @ p["W_hh"] + p["b_h"]),
    }
    expect("H_next", state[0], right, causes=causes)


def _leaky(cell, X_t, H):
    p = cell.params
    blend = np.tanh(X_t @ p["W_xh"] + H @ p["W_hh"] + p["b_h"])
    return ((1 - cell.rate) * H + cell.rate * blend,)
