"""Checks of notebook 08: output gate, start for a gap, accuracy, joined gates, a mended cell."""

import numbers

import numpy as np

from course_utils.checks import NotYet, call, exercise, expect
from course_utils.exercises.cells import mended_cell, wrong_gradients
from course_utils.functions import sigmoid, softmax

GATES = "ifoc"


@exercise
def check_output_gate(my_dA_o):
    """8.1: the gradient of the output gate's pre-activation.

    Taught in: notebooks/08_train_the_lstm, section 1
    """
    rng = np.random.default_rng(8)
    dH_next, C_next = rng.normal(size=(2, 2, 3))
    O = sigmoid(rng.normal(size=(2, 3)))  # the slide's letter of the output gate
    tanh_C, slope = np.tanh(C_next), O * (1 - O)
    causes = {
        "That is dO; go on through the sigmoid: times O (1 - O)": dH_next * tanh_C,
        "The slope of the sigmoid is O (1 - O), not O": dH_next * tanh_C * O,
        "tanh is missing: H is O tanh(C), not O C": dH_next * C_next * slope,
        "That is the slope of tanh; the gate is a sigmoid": dH_next * tanh_C * (1 - O**2),
        "tanh(C) itself multiplies O, not its slope": dH_next * (1 - tanh_C**2) * slope,
        "dH_next is missing": tanh_C * slope,
        "sigmoid' from the value O is O (1 - O); O is squashed already": dH_next
        * tanh_C
        * sigmoid(O)
        * (1 - sigmoid(O)),
    }
    expect("dA_o", call(my_dA_o, dH_next, C_next, O), dH_next * tanh_C * slope, causes=causes)


@exercise
def check_start(my_start):
    """8.2: two biases for a gap T that keep, write, and never run over.

    Taught in: notebooks/08_train_the_lstm, section 3
    """
    for T in (10, 100, 1000):
        answer = call(my_start, T)
        if (
            not isinstance(answer, (tuple, list, np.ndarray))
            or np.shape(answer) != (2,)
            or not all(isinstance(number, numbers.Real) for number in answer)
        ):
            raise NotYet(f"my_start({T}) is {answer!r}; expected two numbers (b_f, b_i)")
        keep, write = (float(sigmoid(float(bias))) for bias in answer)
        values = f"T = {T}: F is {keep:.4g} and I is {write:.4g}"
        left = keep**T
        if not left >= 1 / 3:
            raise NotYet(
                f"{values}; after T steps F^T = {left:.2g} is left, at least 1/3 is asked for. "
                "ln(1/3) / T is the smallest ln F"
            )
        if keep >= 1 or write / (1 - keep) > 1 + 1e-9:
            raise NotYet(
                f"{values}; written on with 1 at every step, C grows towards I / (1 - F), which "
                "is above 1. How large may I be?"
            )
        reached = write * (1 - left) / (1 - keep)  # a geometric series of T terms
        if reached < 1 / 3:
            raise NotYet(
                f"{values}; written on with 1 at every step, C is {reached:.2g} after T steps, at "
                "least 1/3 is asked for: so little is written that the gate is shut. Open it more"
            )


@exercise
def check_outer_accuracy(my_accuracy):
    """8.3: the share of right answers where the outer symbol is due, one per model.

    Taught in: notebooks/08_train_the_lstm, section 5
    """
    rng = np.random.default_rng(8)
    target = rng.integers(0, 4, size=(3, 2, 6))
    outer = np.zeros((3, 2, 6), dtype=bool)
    outer[:, 0, 2] = outer[:, 1, 4] = outer[0, 0, 5] = outer[1, 1, 0] = True
    logits = rng.normal(size=(3, 2, 6, 4))
    logits[0] += 5 * np.eye(4)[target[0]]
    right = logits.argmax(-1) == target
    p = np.take_along_axis(softmax(logits), target[..., None], axis=-1)[..., 0]
    count = outer.sum(axis=(1, 2))
    value = (right & outer).sum(axis=(1, 2)) / count
    causes = {
        "That is the accuracy over all steps: use outer": right.mean(axis=(1, 2)),
        "Divide by the number of outer steps, not of all steps": (right & outer).mean(axis=(1, 2)),
        "That is one number for all models: keep the first axis": (right & outer).sum()
        / outer.sum(),
        "Those are the wrong answers": 1 - value,
        "That is the mean probability; count where the largest score is right": (p * outer).sum(
            axis=(1, 2)
        )
        / count,
    }
    expect("accuracy", call(my_accuracy, logits, target, outer), value, causes=causes)
    oracle = np.eye(4)[target]
    expect("accuracy of an oracle", call(my_accuracy, oracle, target, outer), np.ones(3))


@exercise
def check_joined(my_joined):
    """8.4: one matrix whose product with [X, H, 1] gives all four pre-activations.

    Taught in: notebooks/08_train_the_lstm, section 9
    """
    rng = np.random.default_rng(8)
    D, U = 2, 3
    p = {}
    for gate in GATES:
        p[f"W_x{gate}"] = rng.normal(size=(D, U))
        p[f"W_h{gate}"] = rng.normal(size=(U, U))
        p[f"b_{gate}"] = rng.normal(size=U)

    def block(order=GATES, rows="xhb"):
        def column(gate):
            parts = {"x": p[f"W_x{gate}"], "h": p[f"W_h{gate}"], "b": p[f"b_{gate}"][None]}
            return np.concatenate([parts[row] for row in rows])

        return np.concatenate([column(gate) for gate in order], axis=1)

    causes = {
        "H comes first; the rows are asked for in the order X, H, 1": block(rows="hxb"),
        "The columns stand in Keras' order i f c o; asked for is i f o c": block("ifco"),
        "The row of biases is missing": block(rows="xh"),
        "The biases are the last row, not the first": block(rows="bxh"),
        "Side by side means axis=1: the gates stand below each other": np.concatenate(
            [block(gate) for gate in GATES]
        ),
    }
    expect("W", call(my_joined, p), block(), causes=causes)


def make_check_mended(cell_class):
    """Make the check of `my_backward(self, dstate, trace)` for a given class of LSTM cells.

    The gradients are checked over one step and over six, the initial states included.

    Taught in: notebooks/08_train_the_lstm, section 10
    """

    @exercise
    def check_mended(my_backward):
        """8.5: a backward pass whose gradients are right over any number of steps."""
        rng = np.random.default_rng(8)
        mended = mended_cell(cell_class, my_backward, rng)
        for steps in (1, 6):
            wrong = wrong_gradients(mended, steps, rng)
            if wrong:
                where = "one step" if steps == 1 else f"{steps} steps"
                raise NotYet(
                    f"over {where} the gradient check fails for {', '.join(wrong)}. {_why(wrong)}"
                )

    return check_mended


def _why(wrong):
    """A likely cause for the names of the gradients that are wrong."""
    if wrong == ["C_0"]:
        return (
            "Along the road goes all that reaches C_t, from the next step and from H_t, times F. "
            "What is missing?"
        )
    if wrong == ["H_0"]:
        return "H_{t-1} feeds four gates and collects four terms; C_t does not belong to them"
    gates = {name[-1] for name in wrong if name[:2] in ("W_", "b_")}
    if len(gates) == 1:
        return f"Only gate {gates.pop()} is wrong: look at its line, and at what it passes on"
    return "Look at what all of these pass through: the gradient that reaches C_t"
