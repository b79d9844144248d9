"""Checks of the exercises in notebooks/04_watch_gradients_vanish."""

import numpy as np

from course_utils.checks import NotYet, call, exercise, expect


@exercise
def check_reach(answer):
    """4.1: the largest lag at which at least a share of a gradient can be left."""
    for gain, share in ((0.9, 1e-3), (0.5, 0.25), (0.99, 0.5)):
        exact = np.log(share) / np.log(gain)
        causes = {
            "ln(share) is divided by ln(gain), not by gain": int(np.log(share) / gain),
            "that is one step too far: round down": np.floor(exact + 1e-12) + 1,
            "return a whole number: round down": exact if exact % 1 > 1e-9 else np.inf,
            "the sign is wrong: both logarithms are negative": -np.floor(exact + 1e-12),
        }
        came = call(answer, gain, share)
        expect(f"reach({gain}, {share})", came, np.floor(exact + 1e-12), causes=causes)


@exercise
def check_spread(answer):
    """4.2: the standard deviation that gives a random matrix a spectral radius of about 1."""
    for units in (100, 25):
        causes = {
            "that is the variance: take the square root": 1 / units,
            "it must fall with the number of units": np.sqrt(units),
        }
        expect(f"spread({units})", call(answer, units), 1 / np.sqrt(units), causes=causes)


@exercise
def check_clip(answer):
    """4.3: clip all gradients together."""
    grads = {"W": np.array([[3.0, 0.0], [0.0, 4.0]]), "b": np.array([12.0, 0.0])}  # norm 13
    came = call(answer, grads, 1.0)
    if not isinstance(came, dict) or set(came) != set(grads):
        raise NotYet(f"the result is {came!r}; expected a dictionary with the names {list(grads)}")
    alone = {name: g / np.linalg.norm(g) for name, g in grads.items()}
    values = {name: np.clip(g, -1, 1) for name, g in grads.items()}
    for name, g in grads.items():
        causes = {
            "each array was clipped alone; the norm is that of all together": alone[name],
            "each number was clipped; that turns the direction": values[name],
            "nothing was clipped": g,
        }
        expect(f"clipped[{name!r}]", came[name], g / 13, causes=causes)
    for name, g in call(answer, grads, 20.0).items():
        causes = {"short gradients stay as they are; these were made longer": grads[name] * 20 / 13}
        expect(f"{name!r} below the limit", g, grads[name], causes=causes)


@exercise
def check_start(answer):
    """4.4: a recurrent matrix that keeps every norm, not the identity, not random."""
    for units in (2, 6):
        W = np.asarray(call(answer, units), dtype=float)
        if W.shape != (units, units):
            raise NotYet(f"W_hh has shape {W.shape}; expected ({units}, {units})")
        expect("W_hh.T @ W_hh", W.T @ W, np.eye(units))
        if np.allclose(W, np.eye(units)):
            raise NotYet("W_hh is the identity; find another matrix that keeps every norm")
        expect("W_hh of a second call", call(answer, units), W)
