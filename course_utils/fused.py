"""Fast twins of the readable cells: the same numbers, the same names, several times faster.

A twin is a layer: X (B, T, D) -> H (B, T, U).  It computes what `Recurrent(cell)` computes, with
five changes, none of them to the mathematics:

1. One product for all gates.  What enters a step is stacked, S = [H; X; 1], and all weights and
   biases stand in one joined block, so a step is one product: block times stack.
2. Features come first inside.  Arrays are (features, B), so each gate is one contiguous piece.
3. sigmoid(a) = (tanh(a / 2) + 1) / 2.  The halves are multiplied into the block once, and then one
   tanh serves all gates.
4. On the way back, the slopes of all steps are computed at once before the loop, and the gradient
   of all weights is one product after it.
5. Work space is allocated once for each shape and used again.

What a twin returns (H, dX, `state`, `dstate`, `grads`) is new memory and belongs to the caller.

Taught in: notebooks/08_train_the_lstm.
"""

import numpy as np

from course_utils import cells
from course_utils.layers import Layer
from course_utils.recurrent import checked


class Block:
    """Hold weights side by side: a row for all that enters a step, a column for each gate's unit.

    rows: "hx" when H and X enter, "h" or "x" when one of them does; the last row is the bias.
    gates: the letters of the gates whose columns stand here.  `joined` is (K, G U) with
    K = U + D + 1 for "hx"; with R replicas (R, K, G U).
    """

    def __init__(self, cell, rows, gates, sigmoids):
        U = cell.units
        self.rows, self.gates, self.units = rows, gates, U
        self.lead = () if cell.replicas is None else (cell.replicas,)
        self.sizes = [{"h": U, "x": cell.num_inputs}[row] for row in rows]
        self.joined = np.zeros((*self.lead, sum(self.sizes) + 1, len(gates) * U), cell.dtype)
        self.halved = np.zeros_like(self.joined)
        self.halves = np.repeat([0.5 if g in sigmoids else 1.0 for g in gates], U).astype(
            cell.dtype
        )

    def views(self, joined):
        """Cut a joined array into the symbols of the slides: {name: view}."""
        U, named = self.units, {}
        bias = "b_" if self.rows == "hx" else f"b_{self.rows}"
        for n, gate in enumerate(self.gates):
            columns = joined[..., n * U : (n + 1) * U]
            for row in self.rows:
                named[f"W_{row}{gate}"] = columns[..., self.where(row), :]
            named[f"{bias}{gate}"] = columns[..., -1:, :] if self.lead else columns[-1]
        return named

    def where(self, row):
        """Give the slice of the rows that belong to "h" or to "x"."""
        i = self.rows.index(row)
        start = sum(self.sizes[:i])
        return slice(start, start + self.sizes[i])

    def forward_weights(self):
        """Read the parameters for a forward pass -> (G U, K), the sigmoids' columns halved."""
        return np.multiply(self.joined, self.halves, out=self.halved).mT

    def backward_weights(self):
        """Give what carries gradients back, (K - 1, G U): nothing stands behind a bias."""
        return self.joined[..., :-1, :]


class Room:
    """Hold the work space of one block for T steps; features stand before B, the last axis.

    stack (T + 1, K, B): what enters each step, and one more, because a step writes the next H;
    A (T, G U, B): first the pre-activations, then the gates; dA: the gradient of the
    pre-activations; dstack (T, K - 1, B): the gradient of what enters.
    """

    def __init__(self, block, B, T):
        K, GU = block.joined.shape[-2:]
        self.block = block
        self.stack = self.empty(T + 1, K, B)
        self.stack[..., -1, :] = 1  # multiplies the bias
        self.A, self.dA = self.empty(T, GU, B), self.empty(T, GU, B)
        self.dstack = self.empty(T, K - 1, B)

    def empty(self, steps, features, B):
        """Allocate an array of the block's type, with its replica axis."""
        return np.empty((steps, *self.block.lead, features, B), self.block.joined.dtype)

    def part(self, stack, row):
        """Cut the rows of "h" or "x" out of a stack or of its gradient."""
        return stack[..., self.block.where(row), :]

    def gate(self, A, letters):
        """Cut the rows of gates that stand side by side out of A or dA."""
        U, first = self.block.units, self.block.gates.index(letters)
        return A[..., first * U : (first + len(letters)) * U, :]

    def gradient(self):
        """Sum over all steps: the gradient of the joined block, (K, G U)."""
        return _time_last(self.stack[:-1]) @ _time_last(self.dA).mT


def _time_last(array):
    """Copy (T, F, B) to (F, T B), so that one product sums over steps and batch."""
    moved = np.moveaxis(array, 0, -2)
    return moved.reshape(*moved.shape[:-2], -1)


def _batch_first(array):
    """Copy (T, F, B) to (B, T, F), with replicas (T, R, F, B) to (R, B, T, F)."""
    return np.ascontiguousarray(np.moveaxis(array, (-1, 0), (-3, -2)))


class Work:
    """Hold the work space of a twin for one shape: rooms, states, and their gradients.

    `states` holds H, or H and C, for T + 1 times: before the first step, after each step.
    `dstates` the same for the gradients.  `steps` and `steps_back` hold what one step of the twin
    reads and writes, cut once.
    """

    def __init__(self, blocks, B, T):
        self.rooms = [Room(block, B, T) for block in blocks]
        first = self.rooms[0]
        U = first.block.units
        self.H = first.part(first.stack, "h")
        self.dH = first.empty(T + 1, U, B)
        self.states, self.dstates = [self.H], [self.dH]
        self.steps = self.steps_back = ()

    def load(self, X, state):
        """Copy in X (B, T, D) and the initial state, each part (B, U)."""
        for room in self.rooms:
            if "x" in room.block.rows:
                room.part(room.stack, "x")[:-1] = np.moveaxis(X, (-2, -3), (0, -1))
        for states, part in zip(self.states, state, strict=True):
            states[0] = part.mT

    def load_gradients(self, dY, dstate):
        """Copy in dY (B, T, U) and the gradient of the final state, zero when None."""
        self.dH[0] = 0
        self.dH[1:] = np.moveaxis(dY, (-2, -3), (0, -1))
        for d in self.dstates[1:]:
            d[-1][...] = 0
        for d, part in zip(self.dstates, dstate or (), strict=False):
            d[-1][...] += part.mT


class _Twin(Layer):
    """Run the time loop, forward and backward, for all twins.

    A twin says which cell it equals (`readable`), which blocks it has (`layout`: rows and gates),
    which gates are sigmoids, and what one step does: `_step`, and `_step_back` after `_slopes`.
    """

    readable = None
    layout = ()
    sigmoids = ""

    def __init__(self, num_inputs, units, rng, *, replicas=None, dtype=np.float32):
        super().__init__()
        self._adopt(self.readable(num_inputs, units, rng, replicas=replicas, dtype=dtype))

    def _adopt(self, cell):
        """Take over the sizes and the numbers of a readable cell."""
        self.num_inputs, self.units = cell.num_inputs, cell.units
        self.replicas, self.dtype = cell.replicas, cell.dtype
        self.num_states = cell.num_states
        self.state = self.dstate = None
        self.blocks = [Block(cell, *rows_gates, self.sigmoids) for rows_gates in self.layout]
        self._order = list(cell.params)
        self._views = self._named([block.joined for block in self.blocks])
        self.params = dict(self._views)
        for name, p in cell.params.items():
            self.params[name][...] = p
        self._work = {}

    def _named(self, joined):
        """Cut one joined array for each block into {name: view}, in the order of the cell."""
        views = {}
        for block, array in zip(self.blocks, joined, strict=True):
            views |= block.views(array)
        return {name: views[name] for name in self._order}

    @classmethod
    def from_cell(cls, cell):
        """Make the twin of a readable cell: its sizes, its type, a copy of its numbers.

        Raises TypeError for a cell of another kind.
        """
        if type(cell) is not cls.readable:
            raise TypeError(f"cell is {type(cell).__name__}; expected {cls.readable.__name__}")
        twin = cls.__new__(cls)
        Layer.__init__(twin)
        twin._adopt(cell)
        return twin

    def to_cell(self):
        """Make the readable cell with a copy of these numbers."""
        self._rejoin()
        form = {"replicas": self.replicas, "dtype": self.dtype}
        cell = self.readable(self.num_inputs, self.units, np.random.default_rng(0), **form)
        for name, p in self.params.items():
            cell.params[name][...] = p
        return cell

    def __reduce__(self):
        """Copy and pickle by way of the cell, because a view alone loses its block."""
        return type(self).from_cell, (self.to_cell(),)

    def replica(self, r):
        """Give the r-th model of R replicas as a layer of its own, with copied parameters."""
        return self.from_cell(self.to_cell().replica(r))

    def initial_state(self, B):
        """Give the state before the first step: zeros, a tuple of arrays (B, U) or (R, B, U)."""
        return self.readable.initial_state(self, B)

    def forward(self, X, mask=None, state=None):
        """X (B, T, D), mask (B, T), state or None for zeros -> H (B, T, U).

        Raises ValueError or TypeError as `recurrent.scan` does.
        """
        X, state, mask = checked(self, X, state, mask)
        self._rejoin()
        work = self._work_for(X.shape[-3], X.shape[-2])
        work.load(X, state)
        weights = [block.forward_weights() for block in self.blocks]
        self._before(work, *weights)
        for t, step in enumerate(work.steps):
            self._step(step, *weights)
            if mask is not None:  # padding: the state is carried on
                for states in work.states:
                    np.copyto(states[t + 1], states[t], where=~mask[:, t])
        self._saved = work, mask
        self.state = tuple(states[-1].mT.copy() for states in work.states)
        return _batch_first(work.H[1:])

    def backward(self, dY, dstate=None):
        """dY (B, T, U), gradient of the final state or None for zero -> dX (B, T, D).

        Raises ValueError for a dY that does not fit the last forward.
        """
        work, mask = self._remembered()
        expected = np.moveaxis(work.H[1:], (-1, 0), (-3, -2)).shape
        if np.shape(dY) != expected:
            raise ValueError(f"dY has shape {np.shape(dY)}; expected {expected}, the shape of H")
        work.load_gradients(np.asarray(dY), dstate)
        self._slopes(work)
        weights = [block.backward_weights() for block in self.blocks]
        for t in reversed(range(len(work.steps))):
            around = None if mask is None else _take_out(work.dstates, t + 1, ~mask[:, t])
            self._step_back(work.steps_back[t], *weights)
            if around is not None:  # at a padded step the gradient goes around the cell
                for d, part in zip(work.dstates, around, strict=True):
                    d[t] += part
        self._after(work, *weights)
        self.grads = self._named([room.gradient() for room in work.rooms])
        self.dstate = tuple(d[0].mT.copy() for d in work.dstates)
        return _batch_first(self._input_gradient(work))

    def _before(self, work, *weights):
        """Compute what can be computed for all steps before the loop."""

    def _after(self, work, *weights):
        """Compute the gradients that can wait until the loop is done."""

    def _input_gradient(self, work):
        """Give the gradient of X, (T, D, B), that the steps have left in the rooms."""
        return sum(room.part(room.dstack, "x") for room in work.rooms if "x" in room.block.rows)

    def _rejoin(self):
        """Take a parameter that was replaced, `params["b_f"] = ...`, into the joined block."""
        for name, view in self._views.items():
            if self.params[name] is not view:
                view[...] = self.params[name]
                self.params[name] = view

    def _work_for(self, B, T):
        """Give the work space of this shape; that of the last four shapes is kept."""
        if (B, T) not in self._work:
            if len(self._work) == 4:
                del self._work[next(iter(self._work))]
            self._work[B, T] = Work(self.blocks, B, T)
            self._cut(self._work[B, T])
        return self._work[B, T]


def _take_out(dstates, t, padded):
    """Take the gradients of the states at time t out where `padded` (B,) is True, leave zeros."""
    taken = [np.where(padded, d[t], 0) for d in dstates]
    for d in dstates:
        np.copyto(d[t], 0, where=padded)
    return taken


def _per_step(*arrays):
    """Cut arrays (T, ...) into a list with one tuple of views for each step."""
    return list(zip(*arrays, strict=True))


def _times_tanh_slope(factor, tanh, out):
    """Compute factor (1 - tanh^2) into `out`."""
    np.multiply(tanh, tanh, out=out)
    np.subtract(1, out, out=out)
    np.multiply(out, factor, out=out)


def _sigmoid_of_halved(A):
    """Turn a / 2 into sigmoid(a), in place."""
    np.tanh(A, out=A)
    np.multiply(A, 0.5, out=A)
    np.add(A, 0.5, out=A)


def _mix(Z, H, H_tilde, out):
    """Compute Z H + (1 - Z) H_tilde into `out`, as H_tilde + Z (H - H_tilde)."""
    np.subtract(H, H_tilde, out=out)
    np.multiply(out, Z, out=out)
    np.add(out, H_tilde, out=out)


class RNN(_Twin):
    """The fast twin of `RNNCell`: X (B, T, D) -> H (B, T, U), state (H,).

    Parameters, starting values and errors as in `cells.RNNCell`; float32 unless asked otherwise.

    Taught in: notebooks/08_train_the_lstm.

    >>> layer = RNN(3, 4, np.random.default_rng(0))
    >>> layer.forward(np.ones((2, 5, 3))).shape, layer.state[0].shape
    ((2, 5, 4), (2, 4))
    """

    readable = cells.RNNCell
    layout = (("hx", "h"),)

    def _cut(self, work):
        """Cut the work space into what each step reads and writes."""
        (room,) = work.rooms
        dH_part = room.part(room.dstack, "h")
        work.steps = _per_step(room.stack[:-1], room.A, work.H[1:])
        work.steps_back = _per_step(work.dH[1:], room.dA, room.dstack, dH_part, work.dH[:-1])

    def _step(self, step, W):
        entering, A, H_next = step
        np.matmul(W, entering, out=A)
        np.tanh(A, out=H_next)

    def _slopes(self, work):
        (room,) = work.rooms
        np.multiply(work.H[1:], work.H[1:], out=room.dA)
        np.subtract(1, room.dA, out=room.dA)

    def _step_back(self, step, W):
        dH_next, dA, dstack, through, dH = step
        np.multiply(dA, dH_next, out=dA)
        np.matmul(W, dA, out=dstack)
        np.add(dH, through, out=dH)


class LSTM(_Twin):
    """The fast twin of `LSTMCell`: X (B, T, D) -> H (B, T, U), state (H, C).

    Parameters, starting values and errors as in `cells.LSTMCell`; float32 unless asked otherwise.

    Taught in: notebooks/08_train_the_lstm.

    >>> layer = LSTM(3, 4, np.random.default_rng(0))
    >>> layer.forward(np.ones((2, 5, 3))).shape, len(layer.state)
    ((2, 5, 4), 2)
    """

    readable = cells.LSTMCell
    layout = (("hx", "cifo"),)  # C_tilde, I, F get their gradient from C; I, F, O are sigmoids
    sigmoids = "ifo"

    def _cut(self, work):
        """Cut the work space into what each step reads and writes."""
        (room,) = work.rooms
        T, U, B = len(room.A), self.units, work.H.shape[-1]
        work.C = room.empty(T + 1, U, B)
        work.tanh_C, work.slope = room.empty(T, U, B), room.empty(T, U, B)
        dC = room.empty(1, U, B)[0]  # one array, changed from step to step
        work.states.append(work.C)
        work.dstates.append([dC] * (T + 1))
        IFO, C_tilde, I, F, O = (room.gate(room.A, g) for g in ("ifo", "c", "i", "f", "o"))
        work.steps = _per_step(
            room.stack[:-1],
            room.A,
            IFO,
            C_tilde,
            I,
            F,
            O,
            work.C[:-1],
            work.C[1:],
            work.tanh_C,
            work.H[1:],
        )
        dA_CIF = room.gate(room.dA, "cif")
        dA_CIF = dA_CIF.reshape(*dA_CIF.shape[:-2], 3, U, B)
        dC_wide = dC[..., None, :, :]  # meets the three gates at once
        work.steps_back = _per_step(
            work.dH[1:],
            [dC] * T,
            [dC_wide] * T,
            work.slope,
            room.dA,
            dA_CIF,
            room.gate(room.dA, "o"),
            F,
            room.dstack,
            room.part(room.dstack, "h"),
            work.dH[:-1],
        )

    def _step(self, step, W):
        entering, A, IFO, C_tilde, I, F, O, C, C_next, tanh_C, H_next = step
        np.matmul(W, entering, out=A)
        np.tanh(A, out=A)
        np.multiply(IFO, 0.5, out=IFO)
        np.add(IFO, 0.5, out=IFO)
        np.multiply(F, C, out=C_next)
        np.multiply(I, C_tilde, out=tanh_C)
        np.add(C_next, tanh_C, out=C_next)
        np.tanh(C_next, out=tanh_C)
        np.multiply(O, tanh_C, out=H_next)

    def _slopes(self, work):
        (room,) = work.rooms
        C_tilde, I, O = (room.gate(room.A, letter) for letter in "cio")
        IFO, dA_IFO = room.gate(room.A, "ifo"), room.gate(room.dA, "ifo")
        np.subtract(1, IFO, out=dA_IFO)
        dA_IFO *= IFO
        for gate, other in ("i", C_tilde), ("f", work.C[:-1]), ("o", work.tanh_C):
            dA = room.gate(room.dA, gate)
            dA *= other
        _times_tanh_slope(I, C_tilde, out=room.gate(room.dA, "c"))
        _times_tanh_slope(O, work.tanh_C, out=work.slope)

    def _step_back(self, step, W):
        dH_next, dC, dC_wide, slope, dA, dA_CIF, dA_O, F, dstack, through, dH = step
        np.multiply(slope, dH_next, out=slope)
        np.add(dC, slope, out=dC)  # two roads into C
        np.multiply(dA_O, dH_next, out=dA_O)
        np.multiply(dA_CIF, dC_wide, out=dA_CIF)
        np.multiply(dC, F, out=dC)
        np.matmul(W, dA, out=dstack)
        np.add(dH, through, out=dH)


class GRU(_Twin):
    """The fast twin of `GRUCell`, the form of the slides: X (B, T, D) -> H (B, T, U), state (H,).

    The candidate needs R before its own product, so a step is two products, not one.
    Parameters, starting values and errors as in `cells.GRUCell`; float32 unless asked otherwise.

    Taught in: notebooks/12_streamline_to_a_gru.
    """

    readable = cells.GRUCell
    layout = (("hx", "zr"), ("hx", "h"))
    sigmoids = "zr"

    def _cut(self, work):
        """Cut the work space into what each step reads and writes."""
        gates, candidate = work.rooms
        Z, R = gates.gate(gates.A, "z"), gates.gate(gates.A, "r")
        work.RH = candidate.part(candidate.stack, "h")[:-1]
        work.steps = _per_step(
            gates.stack[:-1],
            gates.A,
            Z,
            R,
            work.H[:-1],
            work.RH,
            candidate.stack[:-1],
            candidate.A,
            work.H[1:],
        )
        work.steps_back = _per_step(
            work.dH[1:],
            Z,
            R,
            gates.dA,
            gates.gate(gates.dA, "z"),
            gates.gate(gates.dA, "r"),
            gates.dstack,
            gates.part(gates.dstack, "h"),
            candidate.dA,
            candidate.dstack,
            candidate.part(candidate.dstack, "h"),
            work.dH[:-1],
        )

    def _step(self, step, W_gates, W_candidate):
        entering, ZR, Z, R, H, RH, entering_candidate, H_tilde, H_next = step
        np.matmul(W_gates, entering, out=ZR)
        _sigmoid_of_halved(ZR)
        np.multiply(R, H, out=RH)
        np.matmul(W_candidate, entering_candidate, out=H_tilde)
        np.tanh(H_tilde, out=H_tilde)
        _mix(Z, H, H_tilde, out=H_next)

    def _slopes(self, work):
        gates, candidate = work.rooms
        H, H_tilde = work.H[:-1], candidate.A
        dA_z, dA_r = gates.gate(gates.dA, "z"), gates.gate(gates.dA, "r")
        np.subtract(1, gates.A, out=gates.dA)
        _times_tanh_slope(dA_z, H_tilde, out=candidate.dA)  # 1 - Z
        gates.dA *= gates.A
        dA_z *= H - H_tilde
        dA_r *= H

    def _step_back(self, step, W_gates, W_candidate):
        dH_next, Z, R, dA, dA_z, dA_r, dstack, through, dA_h, dstack_h, dRH, dH = step
        np.multiply(dA_h, dH_next, out=dA_h)
        np.matmul(W_candidate, dA_h, out=dstack_h)
        np.multiply(dA_z, dH_next, out=dA_z)
        np.multiply(dA_r, dRH, out=dA_r)
        np.matmul(W_gates, dA, out=dstack)
        np.multiply(dH_next, Z, out=dH_next)
        np.multiply(dRH, R, out=dRH)
        for road in (dH_next, dRH, through):
            np.add(dH, road, out=dH)


class GRUResetAfter(_Twin):
    """The fast twin of `GRUResetAfterCell`: X (B, T, D) -> H (B, T, U), state (H,).

    Only H goes through the loop: the products with X are done for all steps before it.
    Parameters, starting values and errors as in `cells.GRUResetAfterCell`; float32 unless asked
    otherwise.

    Taught in: notebooks/12_streamline_to_a_gru.
    """

    readable = cells.GRUResetAfterCell
    layout = (("h", "zrh"), ("x", "zrh"))
    sigmoids = "zr"

    def _cut(self, work):
        """Cut the work space into what each step reads and writes."""
        of_H, of_X = work.rooms
        T, U, B = len(of_H.A), self.units, work.H.shape[-1]
        Z, R, H_tilde = (of_X.gate(of_X.A, letter) for letter in "zrh")
        spare = of_H.empty(1, U, B)[0]
        work.slope = of_H.empty(T, U, B)
        work.steps = _per_step(
            of_H.stack[:-1],
            of_H.A,
            of_H.gate(of_H.A, "zr"),
            of_H.gate(of_H.A, "h"),
            of_X.gate(of_X.A, "zr"),
            Z,
            R,
            H_tilde,
            work.H[:-1],
            work.H[1:],
            [spare] * T,
        )
        work.steps_back = _per_step(
            work.dH[1:],
            work.dH[1:, ..., None, :, :],
            Z,
            of_H.dA,
            of_H.dA.reshape(*of_H.dA.shape[:-2], 3, U, B),
            of_H.dstack,
            work.dH[:-1],
            [spare] * T,
        )

    def _before(self, work, W_H, W_X):
        of_X = work.rooms[1]
        np.matmul(W_X, of_X.stack[:-1], out=of_X.A)

    def _step(self, step, W_H, W_X):
        entering, A, A_zr, A_h, ZR, Z, R, H_tilde, H, H_next, spare = step
        np.matmul(W_H, entering, out=A)
        np.add(ZR, A_zr, out=ZR)
        _sigmoid_of_halved(ZR)
        np.multiply(R, A_h, out=spare)
        np.add(H_tilde, spare, out=H_tilde)
        np.tanh(H_tilde, out=H_tilde)
        _mix(Z, H, H_tilde, out=H_next)

    def _slopes(self, work):
        of_H, of_X = work.rooms
        R, H_tilde = of_X.gate(of_X.A, "r"), of_X.gate(of_X.A, "h")
        dA_z, dA_r, dA_h = (of_H.gate(of_H.dA, letter) for letter in "zrh")
        dA_zr, ZR = of_H.gate(of_H.dA, "zr"), of_X.gate(of_X.A, "zr")
        np.subtract(1, ZR, out=dA_zr)
        _times_tanh_slope(dA_z, H_tilde, out=work.slope)  # 1 - Z
        dA_zr *= ZR
        dA_z *= work.H[:-1] - H_tilde
        dA_r *= of_H.gate(of_H.A, "h")
        dA_r *= work.slope
        np.multiply(work.slope, R, out=dA_h)

    def _step_back(self, step, W_H, W_X):
        dH_next, dH_next_wide, Z, dA, dA_by_gate, dstack, dH, spare = step
        np.multiply(dA_by_gate, dH_next_wide, out=dA_by_gate)
        np.matmul(W_H, dA, out=dstack)
        np.add(dH, dstack, out=dH)
        np.multiply(dH_next, Z, out=spare)
        np.add(dH, spare, out=dH)

    def _after(self, work, W_H, W_X):
        of_H, of_X = work.rooms
        of_X.gate(of_X.dA, "zr")[...] = of_H.gate(of_H.dA, "zr")
        np.multiply(work.slope, work.dH[1:], out=of_X.gate(of_X.dA, "h"))
        np.matmul(W_X, of_X.dA, out=of_X.dstack)
