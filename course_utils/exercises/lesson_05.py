"""Checks for the exercises of notebook 05: stable tanh, half-life, a gate by hand, its gradient."""

import numbers

import numpy as np

from course_utils.checks import NotYet, call, exercise, expect
from course_utils.exercises.cells import mended_cell, wrong_gradients
from course_utils.functions import sigmoid


@exercise
def check_stable_tanh(my_tanh):
    """Check `my_tanh(z)`, made of np.exp, for numbers of every size.

    Taught in: notebooks/05_build_the_forget_gate, section 1
    """
    z = np.array([[0.3, -0.7, 2.0], [0.0, -4.0, 11.0]])
    up, down = np.exp(z), np.exp(-z)
    with np.errstate(all="ignore"):
        causes = {
            "That is coth: numerator and denominator are swapped": (up + down) / (up - down),
            "That is the sigmoid; tanh(z) = 2 sigmoid(2 z) - 1": sigmoid(z),
            "tanh(z) = 2 sigmoid(2 z) - 1: the 2 inside is missing": 2 * sigmoid(z) - 1,
            "The sign is wrong": -np.tanh(z),
            "The sign is lost: tanh(-z) = -tanh(z)": np.tanh(abs(z)),
        }
        expect("my_tanh(z)", call(my_tanh, z), np.tanh(z), causes=causes)
        large = np.array([800.0, -800.0, 1e6, -1e6])
        came = np.asarray(call(my_tanh, large), dtype=float)
    if came.shape == large.shape and np.isnan(came).any():
        bad = large[np.isnan(came)][0]
        raise NotYet(
            f"my_tanh({bad:g}) is nan: exp of a large positive number is inf, and inf / inf is "
            "nan. Give exp numbers that are not positive, such as -2 |z|"
        )
    expect("my_tanh of large numbers", came, np.sign(large))


@exercise
def check_bias_for_half_life(my_bias):
    """Check `my_bias(steps)`: the bias at which a gate with no other input halves in `steps`.

    Taught in: notebooks/05_build_the_forget_gate, section 4
    """
    for steps in (1, 10, 100, 1000):
        f = 0.5 ** (1 / steps)
        right = np.log(f / (1 - f))
        causes = {
            "That is the value of the gate; the bias is what sigmoid turns into it": f,
            "The sign is wrong: a large bias opens the gate": -right if steps > 1 else np.inf,
            "ln 2 is missing: after that many steps 1 / e is left, not one half": np.log(
                np.exp(-1 / steps) / (1 - np.exp(-1 / steps))
            ),
            "That is the sigmoid of the gate; the other way round: ln(f / (1 - f))": sigmoid(f),
        }
        expect(f"my_bias({steps})", call(my_bias, steps), right, causes=causes, tolerance=1e-6)


@exercise
def check_forget_weights(my_weights):
    """Check `my_weights() -> (w, b)`: sigmoid(w cue + b) keeps without a cue and clears on one.

    Taught in: notebooks/05_build_the_forget_gate, section 4
    """
    answer = call(my_weights)
    if (
        not isinstance(answer, (tuple, list, np.ndarray))
        or np.shape(answer) != (2,)
        or not all(isinstance(n, numbers.Real) for n in answer)
    ):
        raise NotYet(f"the answer is {answer!r}; expected two numbers (w, b)")
    w, b = map(float, answer)
    if not np.isfinite([w, b]).all():
        raise NotYet(f"w is {w} and b is {b}; expected two numbers that are not infinite")
    keep, clear = float(sigmoid(b)), float(sigmoid(w + b))
    values = f"the gate is {keep:.4g} without a cue and {clear:.4g} with one"
    if keep <= 0.99 and clear >= 0.99:
        raise NotYet(f"{values}: the other way round. The cue must close the gate")
    if keep <= 0.99:
        raise NotYet(f"{values}. Without a cue only b counts: make it larger")
    if clear >= 0.01:
        raise NotYet(f"{values}. On the cue w + b counts: it must be below -4.6")


@exercise
def check_through_the_gate(my_backward):
    """Check `my_backward(dC_next, C, F) -> (dA, dC)`: one step back through F * C.

    Taught in: notebooks/05_build_the_forget_gate, section 5
    """
    rng = np.random.default_rng(5)
    dC_next, C = rng.normal(size=(2, 2, 3))
    F = rng.uniform(0.1, 0.9, size=(2, 3))
    slope = F * (1 - F)
    came = call(my_backward, dC_next, C, F)
    if not isinstance(came, (tuple, list)) or len(came) != 2:
        raise NotYet(f"the answer is {type(came).__name__}; expected a pair (dA, dC)")
    for name, value in zip(("dA", "dC"), came, strict=True):
        if value is None or value is ...:
            raise NotYet(f"{name} is {value!r}")
    causes = {
        "The slope of the sigmoid is F (1 - F), not F": dC_next * C * F,
        "That is dF; go on through the sigmoid: times F (1 - F)": dC_next * C,
        "C is missing: F multiplies C, so dF = dC_next C": dC_next * slope,
        "That is the slope of tanh": dC_next * C * (1 - F**2),
        "The two answers are swapped": dC_next * F,
        "F (1 - F) is there, but C is not: F stands in its place": dC_next * F * slope,
    }
    expect("dA", came[0], dC_next * C * slope, causes=causes)
    causes = {
        "On the road C is multiplied by F, so its gradient is too": dC_next,
        "That belongs to the gate": dC_next * C,
    }
    expect("dC", came[1], dC_next * F, causes=causes)


def make_check_mended(cell_class):
    """Make the check of `my_backward(self, dstate, trace)` for a given class of cells.

    Taught in: notebooks/05_build_the_forget_gate, section 9
    """

    @exercise
    def check_mended(my_backward):
        rng = np.random.default_rng(5)
        wrong = wrong_gradients(mended_cell(cell_class, my_backward, rng), 5, rng)
        if not wrong:
            return
        names = ", ".join(wrong)
        gate = {"W_xf", "W_hf", "b_f"}
        why = "Look at what all of these pass through"
        if set(wrong) <= gate:
            why = "Only the weights of the gate are wrong: look at grads"
        elif not gate & set(wrong):
            why = "The gate's own weights are right: look at what goes on to X and C"
        raise NotYet(f"the gradient check fails for {names}. {why}")

    return check_mended
