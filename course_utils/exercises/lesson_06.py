"""Checks for the exercises of notebook 06: gates by hand, gradients, what a missing gate costs."""

import numbers

import numpy as np

from course_utils.checks import NotYet, call, exercise, expect
from course_utils.functions import sigmoid


@exercise
def check_hold_weights(my_weights):
    """Check `my_weights() -> (w_i, b_i, w_f, b_f)`: write on the flag, keep without it.

    Taught in: notebooks/06_build_the_input_gate, section 2
    """
    answer = call(my_weights)
    if (
        not isinstance(answer, (tuple, list, np.ndarray))
        or np.shape(answer) != (4,)
        or not all(isinstance(n, numbers.Real) for n in answer)
    ):
        raise NotYet(f"the answer is {answer!r}; expected four numbers (w_i, b_i, w_f, b_f)")
    w_i, b_i, w_f, b_f = map(float, answer)
    if not np.isfinite([w_i, b_i, w_f, b_f]).all():
        raise NotYet("one of the numbers is not finite")
    gates = {
        ("I", 0): (float(sigmoid(b_i)), 0, "distractors come in: b_i must be lower"),
        ("I", 1): (float(sigmoid(w_i + b_i)), 1, "the write is lost: w_i + b_i must be higher"),
        ("F", 0): (float(sigmoid(b_f)), 1, "the memory fades: b_f must be higher"),
        ("F", 1): (
            float(sigmoid(w_f + b_f)),
            0,
            "the old value stays and the new one is added: w_f + b_f must be lower",
        ),
    }
    for (name, flag), (value, wanted, why) in gates.items():
        if abs(value - wanted) >= 0.01:
            raise NotYet(f"with flag {flag} the gate {name} is {value:.4g}: {why}")


@exercise
def check_input_gradients(my_backward):
    """Check `my_backward(dC_next, I, C_tilde) -> (dA_i, dA_c)`: one step back through I * C_tilde.

    Taught in: notebooks/06_build_the_input_gate, section 3
    """
    rng = np.random.default_rng(6)
    dC_next = rng.normal(size=(2, 3))
    I = rng.uniform(0.1, 0.9, size=(2, 3))
    C_tilde = rng.uniform(-0.9, 0.9, size=(2, 3))
    came = call(my_backward, dC_next, I, C_tilde)
    if not isinstance(came, (tuple, list)) or len(came) != 2:
        raise NotYet(f"the answer is {type(came).__name__}; expected a pair (dA_i, dA_c)")
    for name, value in zip(("dA_i", "dA_c"), came, strict=True):
        if value is None or value is ...:
            raise NotYet(f"{name} is {value!r}")
    gate, node = I * (1 - I), 1 - C_tilde**2
    causes = {
        "That is dI; go on through the sigmoid: times I (1 - I)": dC_next * C_tilde,
        "The slope of the sigmoid is I (1 - I), not I": dC_next * C_tilde * I,
        "That is the slope of tanh, and the gate is a sigmoid": dC_next * C_tilde * (1 - I**2),
        "I multiplies C_tilde, so dI = dC_next C_tilde; here C_tilde is missing": dC_next * gate,
        "I stands where C_tilde belongs": dC_next * I * gate,
        "The two answers are swapped": dC_next * I * node,
    }
    expect("dA_i", came[0], dC_next * C_tilde * gate, causes=causes)
    causes = {
        "That is the gradient of C_tilde; go on through tanh: times 1 - C_tilde^2": dC_next * I,
        "I is missing: the gate scales what goes back too": dC_next * node,
        "The slope of tanh is 1 - C_tilde^2": dC_next * I * C_tilde * (1 - C_tilde),
        "C_tilde stands where I belongs": dC_next * C_tilde * node,
    }
    expect("dA_c", came[1], dC_next * I * node, causes=causes)


@exercise
def check_error_of_age(my_error):
    """Check `my_error(age)`: the squared error of a memory that lets in every distractor.

    Taught in: notebooks/06_build_the_input_gate, section 4
    """
    for age in (0, 1, 7, 30):
        causes = {
            "Only the distractors after the write count: none at age 0": (age + 1) / 3,
            "Variances add up, not squares of sums": age**2 / 3,
            "U[-1, 1] has the variance 1/3": age,
            "U[-1, 1] has the variance 1/3, not 1/12: it is two units wide": age / 12,
            "That is its root: the squared error is asked for": np.sqrt(age / 3),
        }
        expect(f"my_error({age})", call(my_error, age), age / 3, causes=causes)


@exercise
def check_largest_gate(my_gates):
    """Check `my_gates(a, size, damage) -> (with tanh, linear)`: how far the door may stand open.

    Taught in: notebooks/06_build_the_input_gate, section 6
    """
    for a, size, damage in ((0.2, 30.0, 0.01), (0.5, 100.0, 0.02)):
        came = np.asarray(call(my_gates, a, size, damage), dtype=float)
        if came.shape != (2,):
            raise NotYet(f"the answer has shape {came.shape}; expected two numbers (tanh, linear)")
        tanh, linear = damage * a, damage / size
        causes = {
            "Do not forget the read-out: it divides by a": [damage, linear],
            "The read-out divides by a, so the damage is I / a": [damage / a, linear],
            "The two answers are swapped": [linear, tanh],
            "For a linear candidate a cancels: a x, then 1 / a": [tanh, damage * a / size],
            "For a linear candidate a cancels, and nothing else": [tanh, damage / (a * size)],
            "A linear candidate grows with the spike: divide by its size": [tanh, tanh],
            "Whatever the size: take the largest value of tanh, which is 1": [
                damage * a / np.tanh(a * size),
                linear,
            ],
        }
        expect(f"my_gates({a}, {size:g}, {damage})", came, [tanh, linear], causes=causes)


def make_check_finds_copies(good_class, bad_class):
    """Make the check of `my_test(cell)`: True for a cell in which two gates start alike.

    Taught in: notebooks/06_build_the_input_gate, section 9
    """

    @exercise
    def check_finds_copies(my_test):
        if not callable(my_test):
            raise NotYet(f"the answer is {my_test!r}; expected a function of a cell")
        for seed in range(3):
            good = good_class(2, 4, np.random.default_rng(seed))
            if call(my_test, good):
                raise NotYet(
                    "it says True for a cell whose gates are drawn one by one. Compare weights, "
                    "not biases: biases start at zero in every sound cell"
                )
            if not call(my_test, bad_class(2, 4, np.random.default_rng(seed))):
                raise NotYet("it says False for the cell of the bug hunt")
        for one, other in (("i", "f"), ("i", "c"), ("f", "c")):
            cell = good_class(2, 4, np.random.default_rng(3))
            for name in ("W_x", "W_h"):
                cell.params[name + one][...] = cell.params[name + other]
            if not call(my_test, cell):
                raise NotYet(f"it misses a cell in which only {one} and {other} start alike")

    return check_finds_copies
