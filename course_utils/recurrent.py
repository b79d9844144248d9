"""The time loop and backpropagation through time, written once, for every cell.

A cell needs `params`, `num_inputs`, `units`, `initial_state`, `forward` and `backward`; one that
a reader writes in a notebook runs here unchanged.
"""

import numpy as np

from course_utils import require
from course_utils.layers import Concat, Flip, Last, Layer, Sequential


def scan(cell, X, state=None, mask=None):
    """Run a cell over all steps of a batch of sequences.

    X (B, T, D); state a tuple as `cell.initial_state(B)` gives it, None for that very state;
    mask (B, T) of bool: where it is False the state is carried on unchanged.
    Returns H (B, T, U), the hidden state after every step; the final state; and the tape, the list
    of traces of all steps.  With R replicas every array has R as its first axis but for the mask.

    Raises ValueError or TypeError that names the argument, what came and what was expected.

    Source: slide rows 1.4, 1.9.  Taught in: notebooks/02_run_a_vanilla_rnn.

    >>> from course_utils.cells import RNNCell
    >>> cell = RNNCell(3, 4, np.random.default_rng(0))
    >>> H, state, tape = scan(cell, np.ones((2, 5, 3)))
    >>> H.shape, len(tape), bool((H[:, -1] == state[0]).all())
    ((2, 5, 4), 5, True)
    """
    X, state, mask = checked(cell, X, state, mask)
    outputs, tape = [], []
    for t in range(X.shape[-2]):
        new_state, trace = cell.forward(X[..., t, :], state)
        state = new_state if mask is None else _choose(mask[:, t], new_state, state)
        outputs.append(state[0])
        tape.append(trace)
    return np.stack(outputs, axis=-2), state, tape


def scan_backward(cell, tape, dH, dstate=None, mask=None):
    """Backpropagate through time: run the steps of `scan` in reverse.

    tape from `scan`; dH (B, T, U), the gradient of the loss with respect to every hidden state;
    dstate that of the final state, None for zero; the mask that `scan` was given.
    Returns dX (B, T, D), dstate of the initial state, and the gradients by parameter name: the sum
    over all steps, because every step uses the same parameters.

    Raises ValueError for a dH whose shape does not fit the tape.

    Source: Werbos 1990; slide rows 1.5, 2.3.
    Taught in: notebooks/03_backpropagate_through_time.
    """
    dH = _checked_gradient(cell, tape, dH)
    B, T = dH.shape[-3], dH.shape[-2]
    mask = require.sequence_mask("mask", mask, B, T)
    zeros = tuple(np.zeros_like(part) for part in cell.initial_state(B))
    dstate = zeros if dstate is None else _like("dstate", dstate, zeros)
    grads = {name: np.zeros_like(p) for name, p in cell.params.items()}
    dX = [None] * T
    for t in reversed(range(T)):
        dstate = (dstate[0] + dH[..., t, :], *dstate[1:])
        around = zeros
        if mask is not None:  # where a step was masked, its gradient goes around the cell
            dstate, around = (
                _choose(mask[:, t], dstate, zeros),
                _choose(mask[:, t], zeros, dstate),
            )
        dX[t], dstate, step_grads = cell.backward(dstate, tape[t])
        dstate = tuple(d + a for d, a in zip(dstate, around, strict=True))
        for name, grad in step_grads.items():
            grads[name] += grad
    return np.stack(dX, axis=-2), dstate, grads


def _choose(mask_t, yes, no):
    """Take the rows of `yes` where mask_t (B,) is True, those of `no` elsewhere."""
    return tuple(np.where(mask_t[:, None], y, n) for y, n in zip(yes, no, strict=True))


def checked(cell, X, state, mask):
    """Return what `scan` is given, as arrays; an error before anything is computed."""
    X = require.real_array("X", X)
    _layout(cell, "X", X, "BTD", D=cell.num_inputs)
    require.no_nan("X", X)
    B, T = X.shape[-3], X.shape[-2]
    mask = require.sequence_mask("mask", mask, B, T)
    first = cell.initial_state(B)
    state = first if state is None else _like("state", state, first)
    for i, part in enumerate(state):
        require.no_nan(f"state[{i}]", part)
    return X.astype(first[0].dtype, copy=False), state, mask


def _checked_gradient(cell, tape, dH):
    """Check the gradient that `scan_backward` is given; return it with the type of the cell."""
    dH = require.real_array("dH", dH)
    sizes = {"T": len(tape), "U": cell.units}
    if hasattr(tape[0], "X"):
        sizes["B"] = tape[0].X.shape[-2]
    _layout(cell, "dH", dH, "BTU", **sizes)
    return dH.astype(cell.initial_state(1)[0].dtype, copy=False)


def _layout(cell, name, array, axes, **sizes):
    """Check the axes of an array; with replicas it has R in front of them."""
    H = cell.initial_state(1)[0]
    if H.ndim == 3:
        axes, sizes = "R" + axes, {"R": H.shape[0], **sizes}
    require.layout(name, array, axes, **sizes)


def _like(name, state, first):
    """Return `state` with the type of `first` after checking that it has the same shapes."""
    return require.state_tuple(name, state, [part.shape for part in first], first[0].dtype)


def history(tape, name):
    """Stack one field of all traces over time: `history(tape, "F")` is (B, T, U).

    Raises ValueError with the names that the trace has.

    Taught in: notebooks/02_run_a_vanilla_rnn.
    """
    fields = getattr(tape[0], "_fields", ())
    if name not in fields:
        raise ValueError(f"name is {name!r}; expected one of {', '.join(fields)}")
    return np.stack([getattr(trace, name) for trace in tape], axis=-2)


class Recurrent(Layer):
    """Make a layer of a cell: X (B, T, D) -> H (B, T, U), the hidden state after every step.

    After forward, `state` is the final state; after backward, `dstate` is the gradient of the
    initial state.  Nothing is carried from call to call: to go on from a state, hand it over.

    Taught in: notebooks/02_run_a_vanilla_rnn.
    """

    def __init__(self, cell):
        if isinstance(cell, Layer) or not hasattr(cell, "initial_state"):
            raise TypeError(f"cell is {type(cell).__name__}; expected a cell such as LSTMCell")
        self.cell = cell
        self.grads = {}
        self.state = None
        self.dstate = None

    @property
    def params(self):
        """The parameters of the cell; the arrays themselves, not copies."""
        return self.cell.params

    @property
    def replicas(self):
        """R, or None when the cell has no replica axis."""
        return getattr(self.cell, "replicas", None)

    def initial_state(self, B):
        """Give the state before the first step."""
        return self.cell.initial_state(B)

    def forward(self, X, mask=None, state=None):
        """X (B, T, D), mask (B, T), state or None for the initial one -> H (B, T, U)."""
        H, self.state, tape = scan(self.cell, X, state, mask)
        self._saved = (tape, mask)
        return H

    def backward(self, dY, dstate=None):
        """dY (B, T, U), gradient of the final state or None -> dX (B, T, D)."""
        tape, mask = self._remembered()
        dX, self.dstate, self.grads = scan_backward(self.cell, tape, dY, dstate, mask)
        return dX

    def replica(self, r):
        """Give the r-th model of R replicas as a layer of its own."""
        return Recurrent(self.cell.replica(r))


def stacked(*cells):
    """Stack recurrent layers: each reads the hidden states of the one below.

    X (B, T, D) -> H (B, T, U) of the last cell.  The first cell takes D inputs, every other one as
    many as the cell below has units.  Raises ValueError where they do not fit.

    Source: slide row 2.14.  Taught in: notebooks/10_stack_lstm_layers.
    """
    for i, (below, above) in enumerate(zip(cells, cells[1:], strict=False)):
        if above.num_inputs != below.units:
            raise ValueError(
                f"cell {i + 1} has num_inputs {above.num_inputs}; "
                f"expected {below.units}, the units of cell {i}"
            )
    return Sequential(*(Recurrent(cell) for cell in cells))


def bidirectional(forward_cell, backward_cell):
    """Read a sequence in both directions: X (B, T, D) -> (B, T, U_forward + U_backward).

    At every step the first part has seen the past and the second part the future.

    Source: Schuster & Paliwal 1997; slide row 2.15.
    Taught in: notebooks/11_read_in_both_directions.
    """
    return Concat(
        Recurrent(forward_cell),
        Sequential(Flip(), Recurrent(backward_cell), Flip()),
    )


def bidirectional_last(forward_cell, backward_cell):
    """Read in both directions and keep where each one ends: X (B, T, D) -> (B, 2 U).

    The forward pass ends at the last step, the backward pass at the *first*: both have then seen
    the whole sequence.

    Taught in: notebooks/11_read_in_both_directions.
    """
    return Concat(
        Sequential(Recurrent(forward_cell), Last()),
        Sequential(Flip(), Recurrent(backward_cell), Last()),
    )
