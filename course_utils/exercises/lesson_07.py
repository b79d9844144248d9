"""Checks for the exercises of notebook 07: sizes, a register set by hand, gradients, gate order."""

import numbers

import numpy as np

from course_utils.cells import LSTMCell
from course_utils.checks import NotYet, call, exercise, expect
from course_utils.functions import sigmoid
from course_utils.recurrent import scan
from course_utils.tasks import register

D, RNN_UNITS = 50, 128  # exercise 7.1
ROWS = ("i", "f", "o", "c")
CLOSED, OPEN = 0.01, 0.99  # what counts as closed and as open
KEPT = 0.999  # a memory must last for sixty steps


def _parameters(blocks, units):
    """Count the parameters of a cell of `blocks` gates with D inputs: (D + U + 1) U for each."""
    return blocks * units * (D + units + 1)


@exercise
def check_equal_size(my_units):
    """Check the largest number of units of an LSTM that has no more parameters than the RNN.

    Taught in: notebooks/07_build_the_output_gate, section 3
    """
    if isinstance(my_units, bool) or not isinstance(my_units, numbers.Integral):
        raise NotYet(f"the answer is {my_units!r}; expected a whole number of units")
    units, room = int(my_units), _parameters(1, RNN_UNITS)
    if units < 1:
        raise NotYet(f"the answer is {units}; expected at least one unit")
    count = _parameters(4, units)
    text = f"{units} units have {count} parameters, and the RNN has {room}. "
    if units == RNN_UNITS // 4:
        raise NotYet(text + "W_h* has U times U numbers: a quarter of the units is too few")
    if units == RNN_UNITS // 2:
        raise NotYet(text + "That would be right if there were only the W_h*; W_x* has D times U")
    if count > room:
        raise NotYet(text + "Too many: count four blocks of (D + U + 1) U")
    more = _parameters(4, units + 1)
    if more <= room:
        raise NotYet(text + f"It fits, and {units + 1} units with {more} fit as well")


@exercise
def check_register(my_register):
    """Check `my_register()`: weights of one unit that writes on w, holds, and shows on q.

    The answer is a dict: "i", "f", "o", "c" -> (weight of x, of w, of q, bias), "y" -> read-out.
    The gates are looked at one by one, then the cell runs on the task.

    Taught in: notebooks/07_build_the_output_gate, section 5
    """
    rows, y = _rows(call(my_register))
    for gate in "ifo":
        _look_at_gate(gate, rows[gate])
    _look_at_node(rows["c"])
    cell = LSTMCell(3, 1, np.random.default_rng(0))
    for name, (*weights, bias) in rows.items():
        cell.params[f"W_x{name}"][:, 0] = weights
        cell.params[f"W_h{name}"][...] = 0
        cell.params[f"b_{name}"][...] = bias
    batch = register(60).sample(np.random.default_rng(7), 200)
    H, _, _ = scan(cell, batch.X)
    error = ((H * y - batch.target) ** 2).mean()
    if error > 1e-4:
        raise NotYet(
            f"all gates are right, and the error is {error:.2g}; expected below 0.0001. "
            f"{_why_read_out(rows['c'][0], y, H, batch)}"
        )


def _rows(answer):
    """Take the answer apart: four rows of four numbers, and the read-out."""
    wanted = 'a dict with the keys "i", "f", "o", "c" and "y"'
    if not isinstance(answer, dict):
        raise NotYet(f"the answer is {answer!r}; expected {wanted}")
    missing = [name for name in (*ROWS, "y") if name not in answer]
    if missing:
        raise NotYet(f"{missing[0]!r} is missing in the answer; expected {wanted}")
    rows = {}
    for name in ROWS:
        if answer[name] is ...:
            raise NotYet(f"replace the ... of {name!r} by four numbers")
        row = np.asarray(answer[name])
        if row.shape != (4,) or row.dtype.kind not in "iuf" or not np.isfinite(row).all():
            raise NotYet(
                f"{name!r} is {answer[name]!r}; expected four numbers: the weights of x, w and q, "
                "and the bias"
            )
        rows[name] = row.astype(float)
    y = answer["y"]
    if not isinstance(y, numbers.Real) or isinstance(y, bool) or not np.isfinite(y):
        raise NotYet(f"'y' is {y!r}; expected one number, the read-out")
    return rows, float(y)


STEPS = {  # what can come: (w, q)
    "a step without flags": (0, 0),
    "a write": (1, 0),
    "a query": (0, 1),
}
GATES = {  # gate -> step -> (lowest, highest, what goes wrong otherwise)
    "i": {
        "a write": (OPEN, 1, "the number does not get in"),
        "a step without flags": (0, CLOSED, "distractors pour in"),
        "a query": (0, CLOSED, "the number x of the query pours in"),
    },
    "f": {
        "a write": (0, CLOSED, "the old number stays, and writes add up"),
        "a step without flags": (KEPT, 1, "the memory fades"),
        "a query": (KEPT, 1, "asking wipes the memory"),
    },
    "o": {
        "a query": (OPEN, 1, "the memory stays hidden when it is asked for"),
        "a step without flags": (0, CLOSED, "the memory shows when nobody asks"),
        "a write": (0, CLOSED, "the memory shows while it is written"),
    },
}
NAMES = {"i": "input gate", "f": "forget gate", "o": "output gate"}


def _look_at_gate(gate, row):
    """Name the first step at which a gate stands wrong, for the smallest and the largest x."""
    for step, (low, high, trouble) in GATES[gate].items():
        w, q = STEPS[step]
        for x in (-1, 0, 1):
            value = float(sigmoid(row @ (x, w, q, 1)))
            if not low <= value <= high:
                wanted = f"above {low}" if high == 1 else f"below {high}"
                raise NotYet(
                    f"the {NAMES[gate]} is {value:.3g} at {step} with x = {x}; expected {wanted}. "
                    f"Here {trouble}"
                )


def _look_at_node(row):
    """The input node has to give 0 for x = 0 at a write, and to follow x."""
    if row[0] == 0:
        raise NotYet("the input node does not look at x: its first weight is 0")
    shift = float(np.tanh(row @ (0, 1, 0, 1)))
    if abs(shift) > 0.001 * abs(row[0]):
        raise NotYet(f"the input node is {shift:.3g} for x = 0 at a write; expected 0")


def _why_read_out(a, y, H, batch):
    asked = batch.X[..., 2] == 1
    shown, wanted = (H * y)[asked], batch.target[asked]
    slope = float((shown * wanted).sum() / (wanted**2).sum())
    if slope < 0:
        return "The sign is turned around: read-out and weight of x do not fit"
    small = abs(wanted) < 0.2  # where tanh is a straight line
    near = float((shown * wanted)[small].sum() / (wanted[small] ** 2).sum())
    if abs(near - 1) > 0.02:
        return f"Small numbers come back times {near:.2g}: the read-out must undo the weight of x"
    return f"Large numbers are squashed twice by tanh: a weight of x below {abs(a):.2g} helps"


@exercise
def check_output_gradients(my_backward):
    """Check `my_backward(dH_next, O, C_next) -> (dA_o, dC_next)`: back through O * tanh(C_next).

    Taught in: notebooks/07_build_the_output_gate, section 7
    """
    rng = np.random.default_rng(7)
    dH_next, C_next = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    O = rng.uniform(0.1, 0.9, size=(2, 3))
    came = call(my_backward, dH_next, O, C_next)
    if not isinstance(came, (tuple, list)) or len(came) != 2:
        raise NotYet(f"the answer is {type(came).__name__}; expected a pair (dA_o, dC_next)")
    for name, value in zip(("dA_o", "dC_next"), came, strict=True):
        if value is None or value is ...:
            raise NotYet(f"{name} is {value!r}")
    seen, gate = np.tanh(C_next), O * (1 - O)
    slope = 1 - seen**2
    causes = {
        "That is dO; go on through the sigmoid: times O (1 - O)": dH_next * seen,
        "tanh is missing: O multiplies tanh(C_next)": dH_next * C_next * gate,
        "tanh(C_next) is missing: it is what O multiplies": dH_next * gate,
        "The slope of the sigmoid is O (1 - O), not O": dH_next * seen * O,
        "That is the slope of tanh, and the gate is a sigmoid": dH_next * seen * (1 - O**2),
        "The two answers are swapped": dH_next * O * slope,
    }
    expect("dA_o", came[0], dH_next * seen * gate, causes=causes)
    causes = {
        "That is the gradient of tanh(C_next); go on through tanh": dH_next * O,
        "The slope of tanh is 1 - tanh(C_next)^2: C_next is not squashed yet": (
            dH_next * O * (1 - C_next**2)
        ),
        "O is missing: a closed gate lets no gradient through": dH_next * slope,
        "The value of tanh stands where its slope belongs": dH_next * O * seen,
    }
    expect("dC_next", came[1], dH_next * O * slope, causes=causes)


@exercise
def check_from_keras(my_from_keras):
    """Check `my_from_keras(kernel, recurrent_kernel, bias) -> params` of an LSTM.

    Taught in: notebooks/07_build_the_output_gate, section 12
    """
    cell = LSTMCell(3, 2, np.random.default_rng(7))
    names = list(cell.params)
    for name in names:
        cell.params[name] = np.random.default_rng(len(name)).normal(size=cell.params[name].shape)
    p = {
        name: value + 0.1 * number
        for number, (name, value) in enumerate(cell.params.items())  # no two gates alike
    }
    joined = [np.concatenate([p[f"{kind}{g}"] for g in "ifco"], axis=-1) for kind in _KINDS]
    came = call(my_from_keras, *joined)
    if not isinstance(came, dict):
        raise NotYet(f"the answer is {type(came).__name__}; expected a dict symbol -> array")
    missing = [name for name in names if name not in came]
    if missing:
        raise NotYet(f"{missing[0]} is missing; expected {', '.join(names)}")
    for name in names:
        kind, gate = name[:-1], name[-1]
        causes = {f"That is the block of {other!r}": p[kind + other] for other in ROWS}
        causes.pop(f"That is the block of {gate!r}")
        expect(name, came[name], p[name], causes=causes)


_KINDS = ("W_x", "W_h", "b_")
