"""Fast twins of the readable cells: the same numbers, the same names, several times faster.

A twin is a layer: X (B, T, D) -> H (B, T, U).  It computes what `Recurrent(cell)` computes, with
six changes, none of them to the mathematics:

1. One product for all gates: their weights stand side by side in one joined block.
2. What does not wait for the loop stays out of it: the products with X before it, the slopes of
   all gates before the way back, the weight gradients after it.
3. Features stand first, (features, B), so that each gate is one contiguous piece of memory.
4. sigmoid(a) = (tanh(a / 2) + 1) / 2: the halves go into a copy of the block, and one tanh serves
   all gates.
5. Work space is allocated once for each shape and used again.
6. The steps are cut into chunks.  While one hand walks through the loop of one chunk, a second
   thread does the work before and after the loop for the others, if there is enough of it.

What a twin returns (H, dX, `state`, `dstate`, `grads`) is new memory and belongs to the caller.

Taught in: notebooks/08_train_the_lstm.
"""

import functools
import os
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import numpy as np

from course_utils import cells, require
from course_utils.layers import Layer
from course_utils.recurrent import checked

CHUNK = 4e7  # the work, in multiplications, that makes a chunk of steps worth a second thread
MOST_CHUNKS = 4
SHAPES_KEPT = 4


class Hands:
    """Do pieces of work with two threads: the second begins each one, unless the first is earlier.

    A piece is done at the latest when its `finish` is called, or at the end of the `with` block;
    after an error (or Ctrl-C) the pieces that have not begun are dropped.
    """

    def __init__(self, two):
        self.two = two
        self.pieces = []

    def give(self, function, *arguments):
        """Hand over a piece of work: `function(*arguments)`; the first one stays here."""
        self.pieces.append(Piece(self.two and self.pieces, function, *arguments))
        return self.pieces[-1]

    def __enter__(self):
        return self

    def __exit__(self, error, *_):
        for piece in reversed(self.pieces):
            piece.finish(drop=error is not None)


class Piece:
    """A piece of work that is computed once, by the second thread or by the one that asks."""

    def __init__(self, two, function, *arguments):
        self.call = functools.partial(function, *arguments)
        if two:  # np.errstate belongs to a context, so the second thread works in a copy of ours
            future = _second_thread(os.getpid()).submit(copy_context().run, self.call)
        self.future = future if two else None
        self.done = False

    def finish(self, drop=False):
        """Wait until the piece is done; compute it here if it has not begun."""
        if self.done:
            return
        self.done = True
        if self.future is not None and not self.future.cancel():
            self.future.result()
        elif not drop:
            self.call()


@functools.cache
def _second_thread(process):
    """Start the second thread, once in each process: a forked one has to start its own."""
    return ThreadPoolExecutor(max_workers=1)


class Work:
    """Hold the work space of a twin for one shape (B, T).

    Step by step: H (T + 1, U, B), from the initial state on, with a row of ones below if the twin
    has a bias beside H; A (T, G, U, B), the gates, each in one piece; dA, their gradient; dY
    (T, U, B); dH (U, B), the gradient that is carried from step to step.
    X_A, what X adds to the gates, and product, what H adds, come out of products of matrices,
    with all gates below each other: (T, G U, B) and (G U, B).
    In time, (F, T, B), so that one product sums over all steps and the batch: X_in_time with a row
    of ones for the bias, dX_in_time, H_in_time, dA_in_time.
    gradients_of_H, gradients_of_X: of the blocks, one entry for each chunk of steps.
    With R replicas there is an R before U, D, or G U.  A name that ends in `_view` is a view of
    the same numbers with their axes in the order of another array.
    """

    def __init__(self, twin, B, T):
        D, U, G = twin.num_inputs, twin.units, len(twin.columns)
        of_H, of_X = len(twin.gates_of_H), len(twin.gates_of_X)
        self.lead = () if twin.replicas is None else (twin.replicas,)
        self.dtype, self.B, self.T, self.U = twin.dtype, B, T, U
        self.half = np.array(0.5, self.dtype)  # quicker than 0.5, which is converted every time
        self.H_and_ones = self.steps(T + 1, U + twin.biases - 1)
        self.H = self.H_and_ones[..., :U, :]
        self.dY, self.dH = self.steps(T, U), self.one(U)
        self.states, self.dstates = [self.H], [self.dH]
        self.A, self.dA = np.empty((2, T, G, *self.lead, U, B), self.dtype)
        self.product, self.rows = self.one(of_H * U), self.one(of_H * U)
        self.product_view, self.rows_view = self.by_gate(self.product), self.by_gate(self.rows)
        if self.lead:
            self.X_A = self.steps(T, of_X * U)
            self.X_A_view = self.by_gate(self.X_A)
        else:  # the same memory: the gates of one model stand below each other anyway
            self.X_A_view = self.A[:, :of_X]
            self.X_A = self.X_A_view.reshape(T, of_X * U, B)
        self.X_in_time, self.dX_in_time = self.in_time(D + 1), self.in_time(D)
        self.H_in_time, self.dA_in_time = self.in_time(U + twin.biases - 1), self.in_time(G * U)
        self.X_in_time[..., -1, :, :] = self.H_and_ones[..., -1, :] = 1
        self.X_view = np.moveaxis(self.X_in_time, -2, 0)
        self.H_view, self.H_next_view = view_in_time(self.H_and_ones[:-1]), view_in_time(self.H[1:])
        self.dY_view = view_in_time(self.dY)
        self.dA_view = np.moveaxis(self.dA, (0, 1), (-2, -4))
        self.dA_in_time_view = self.dA_in_time.reshape(*self.lead, G, U, T, B)
        cost = self.A.size * (D + U + 100)  # what each gate needs costs as much as 100 products
        chunks = int(np.clip(cost / CHUNK, 1, min(T, MOST_CHUNKS)))
        ends = [T * i // chunks for i in range(chunks + 1)]
        self.chunks = [slice(*pair) for pair in zip(ends[:-1], ends[1:], strict=True)]
        self.two_hands = chunks > 1
        self.gradients_of_H = np.empty((chunks, *twin.block_of_H.shape), self.dtype)
        self.gradients_of_X = np.empty((chunks, *twin.block_of_X.shape), self.dtype)

    def one(self, features):
        """Allocate (F, B), with R replicas (R, F, B)."""
        return np.empty((*self.lead, features, self.B), self.dtype)

    def steps(self, steps, features):
        """Allocate (T, F, B), with R replicas (T, R, F, B)."""
        return np.empty((steps, *self.lead, features, self.B), self.dtype)

    def in_time(self, features):
        """Allocate (F, T, B), with R replicas (R, F, T, B)."""
        return np.empty((*self.lead, features, self.T, self.B), self.dtype)

    def by_gate(self, array):
        """View (..., G U, B) as (..., G, U, B), with R replicas (..., R, G U, B) as G, R, U, B."""
        view = array.reshape(*array.shape[:-2], -1, self.U, self.B)
        return view.swapaxes(-3, -4) if self.lead else view


def view_in_time(steps):
    """View (T, F, B) as (F, T, B), with replicas (T, R, F, B) as (R, F, T, B)."""
    return np.moveaxis(steps, 0, -2)


def _flat(in_time, chunk):
    """View the steps of a chunk of (F, T, B) as (F, T B)."""
    part = in_time[..., chunk, :]
    return part.reshape(*part.shape[:-2], -1)


def _turned(view, in_time, chunk):
    """Copy the steps of a chunk from a view in time; give them as (F, T B)."""
    in_time[..., chunk, :] = view[..., chunk, :]
    return _flat(in_time, chunk)


class _Twin(Layer):
    """Do all that the twins have in common: everything but the step itself.

    A twin says which cell it equals (`readable`); the letters of its joined `columns`, and which
    of them belong to X and to H; which of them are sigmoids; whether it has one bias per gate, or
    two; and what a step does: `_step`, `_slopes` before the way back, `_step_back`.
    """

    readable = None
    columns = gates_of_X = gates_of_H = sigmoids = ""
    biases = 1

    def __init__(self, num_inputs, units, rng, *, replicas=None, dtype=np.float32):
        super().__init__()
        self._adopt(self.readable(num_inputs, units, rng, replicas=replicas, dtype=dtype))

    def _adopt(self, cell):
        """Take over the sizes and the numbers of a readable cell."""
        self.num_inputs, self.units = cell.num_inputs, cell.units
        self.replicas, self.dtype = cell.replicas, cell.dtype
        self.num_states = cell.num_states
        self.state = self.dstate = None
        self._work = {}
        self.block_of_H = self._block(self.gates_of_H, self.units + self.biases - 1)
        self.block_of_X = self._block(self.gates_of_X, self.num_inputs + 1)
        self._halved_of_H = np.zeros_like(self.block_of_H)
        self._halved_of_X = np.zeros_like(self.block_of_X)
        self._where = self._places(list(cell.params))
        self._views = self._named(self.block_of_H, self.block_of_X)
        self.params = dict(self._views)
        for name, p in cell.params.items():
            self.params[name][...] = p

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
        """Copy and pickle by way of the cell: a view that is copied alone loses its block."""
        return type(self).from_cell, (self.to_cell(),)

    def replica(self, r):
        """Give the r-th model of R replicas as a layer of its own, with copied parameters."""
        return self.from_cell(self.to_cell().replica(r))

    def initial_state(self, B):
        """Give the state before the first step: zeros, a tuple of arrays (B, U) or (R, B, U)."""
        return self.readable.initial_state(self, B)

    # The two joined blocks, turned like everything inside: a row for each unit of each gate, a
    # column for each entry of H or X, and one for the bias.

    def _block(self, gates, columns):
        """Allocate a joined block (G U, columns), with R replicas (R, G U, columns)."""
        lead = () if self.replicas is None else (self.replicas,)
        return np.zeros((*lead, len(gates) * self.units, columns), self.dtype)

    def _halve(self, block, halved, gates, half):
        """Copy a block, the rows of the sigmoids times 1/2."""
        halved[...] = block
        if self.sigmoids:
            first = gates.index(self.sigmoids) * self.units
            rows = halved[..., first : first + len(self.sigmoids) * self.units, :]
            np.multiply(rows, half, out=rows)

    def _places(self, order):
        """List where each parameter stands: (name, block, rows, columns), in the given order."""
        places, U = {}, self.units
        of_H, of_X = ("h", U, self.gates_of_H), ("x", self.num_inputs, self.gates_of_X)
        for source, size, gates in (of_H, of_X):
            for n, letter in enumerate(gates):
                name = letter.replace("g", "h")  # the two parts of GRUResetAfter's candidate
                bias = f"b_{name}" if self.biases == 1 else f"b_{source}{name}"
                rows = slice(n * U, (n + 1) * U)
                places[bias] = source, rows, -1 if self.replicas is None else slice(-1, None)
                places[f"W_{source}{name}"] = source, rows, slice(size)
        return [(name, *places[name]) for name in order]

    def _named(self, of_H, of_X):
        """Cut joined blocks into the symbols of the slides: {name: view}."""
        blocks = {"h": of_H, "x": of_X}
        views = {name: blocks[source][..., rows, at] for name, source, rows, at in self._where}
        return {name: view.mT if view.ndim > 1 else view for name, view in views.items()}

    def _gate(self, A, letters):
        """Cut one gate, (T, U, B), or gates side by side, (T, n, U, B), out of A or dA."""
        first = self.columns.index(letters)
        return A[:, first] if len(letters) == 1 else A[:, first : first + len(letters)]

    def _rows(self, array, letters):
        """Cut the rows of gates that stand below each other out of (G U, ...)."""
        first = self.columns.index(letters) * self.units
        return array[..., first : first + len(letters) * self.units, :]

    def _products_of_H(self):
        """Give the product to use in the loop, the weights into the gates, and those back.

        `np.dot` is `np.matmul` with half a microsecond less around it; replicas need matmul.
        """
        times = np.dot if self.replicas is None else np.matmul
        return times, self._halved_of_H, self.block_of_H[..., : self.units].mT

    def _rows_for_product(self, work, letters):
        """Give dA of these gates with the gates below each other (T, n U, B), and where to copy.

        With replicas every step copies its gates to the place that is returned second; without,
        the rows are a view of dA, and it is None.
        """
        if self.replicas is not None:
            n = len(letters)
            return [work.rows[..., : n * self.units, :]] * work.T, work.rows_view[:n]
        dA = work.dA.reshape(work.T, -1, work.B)
        return self._rows(dA, letters), None

    def _rejoin(self):
        """Take a parameter that was replaced, `params["b_f"] = ...`, into the joined block."""
        for name, view in self._views.items():
            if self.params[name] is not view:
                label, of_what = f"params[{name!r}]", "what it replaces"
                view[...] = require.same_shape(label, self.params[name], view.shape, of_what)
                self.params[name] = view

    def _work_for(self, B, T):
        """Give the work space of this shape; that of the last few shapes is kept."""
        if (B, T) not in self._work:
            if len(self._work) == SHAPES_KEPT:
                del self._work[next(iter(self._work))]
            self._work[B, T] = Work(self, B, T)
            self._prepare(self._work[B, T])
        return self._work[B, T]

    def forward(self, X, mask=None, state=None):
        """X (B, T, D), mask (B, T), state or None for zeros -> H (B, T, U).

        Raises ValueError or TypeError as `recurrent.scan` does.
        """
        X, state, mask = checked(self, X, state, mask)
        work = self._work_for(X.shape[-3], X.shape[-2])
        padding = _padding(mask, work.T)
        self._rejoin()
        self._halve(self.block_of_H, self._halved_of_H, self.gates_of_H, work.half)
        self._halve(self.block_of_X, self._halved_of_X, self.gates_of_X, work.half)
        for states, part in zip(work.states, state, strict=True):
            states[0] = part.mT
        H = np.empty((*X.shape[:-1], self.units), self.dtype)
        with Hands(work.two_hands) as hands:
            before = [hands.give(self._enter, work, X, chunk) for chunk in work.chunks]
            for chunk, entered in zip(work.chunks, before, strict=True):
                entered.finish()
                for t in range(chunk.start, chunk.stop):
                    self._step(*work.steps[t])
                    if padding[t] is not None:  # there the state is carried on
                        for states in work.states:
                            np.copyto(states[t + 1], states[t], where=padding[t])
                hands.give(self._leave, work, H, chunk)
        self._saved = work, padding, _padded_at_end(mask)
        self.state = tuple(states[-1].mT.copy() for states in work.states)
        return H

    def _enter(self, work, X, chunk):
        """Copy in X, and multiply it with its weights, for all steps of a chunk."""
        work.X_in_time[..., :-1, chunk, :] = X.swapaxes(-1, -3)[..., chunk, :]
        if work.B == 1:  # one product of two matrices, not T of a matrix and a vector
            X, out = _flat(work.X_in_time, chunk), view_in_time(work.X_A[chunk])[..., 0]
            np.matmul(self._halved_of_X, X, out=out)
        else:
            np.matmul(self._halved_of_X, work.X_view[chunk], out=work.X_A[chunk])

    def _leave(self, work, H, chunk):
        """Copy H out for all steps of a chunk."""
        H.swapaxes(-1, -3)[..., chunk, :] = work.H_next_view[..., chunk, :]

    def backward(self, dY, dstate=None):
        """dY (B, T, U), gradient of the final state or None for zero -> dX (B, T, D).

        Raises ValueError for a dY or a dstate that does not fit the last forward.
        """
        work, padding, at_end = self._remembered()
        dY = require.same_shape("dY", dY, (*work.lead, work.B, work.T, self.units), "H")
        if at_end is not None and dstate is None and not dY[..., at_end, :].any():
            padding = [None] * work.T  # no gradient goes around a step that nothing comes after
        self._start_back(work, dstate)
        dX = np.empty((*dY.shape[:-1], self.num_inputs), self.dtype)
        chunks = list(enumerate(work.chunks))[::-1]
        with Hands(work.two_hands) as hands:
            before = [hands.give(self._enter_back, work, dY, chunk) for _, chunk in chunks]
            for (n, chunk), entered in zip(chunks, before, strict=True):
                entered.finish()
                for t in reversed(range(chunk.start, chunk.stop)):
                    np.add(work.dH, work.dY[t], out=work.dH)
                    around = None
                    if padding[t] is not None:
                        around = _take_out(work.dstates, padding[t])
                    self._step_back(*work.steps_back[t])
                    if around is not None:  # at a padded step the gradient goes around the cell
                        for d, part in zip(work.dstates, around, strict=True):
                            d += part
                hands.give(self._leave_back, work, dX, n, chunk)
        self.grads = self._named(_sum(work.gradients_of_H), _sum(work.gradients_of_X))
        self.dstate = tuple(d.mT.copy() for d in work.dstates)
        return dX

    def _start_back(self, work, dstate):
        """Copy in the gradient of the final state, zero for None."""
        if dstate is not None:
            shapes = [(*work.lead, work.B, self.units)] * self.num_states
            dstate = require.state_tuple("dstate", dstate, shapes, self.dtype)
        for i, d in enumerate(work.dstates):
            d[...] = 0 if dstate is None else dstate[i].mT

    def _enter_back(self, work, dY, chunk):
        """Copy in dY, and compute the slopes of all gates, for all steps of a chunk."""
        work.dY_view[..., chunk, :] = dY.swapaxes(-1, -3)[..., chunk, :]
        self._slopes(work, chunk)

    def _leave_back(self, work, dX, n, chunk):
        """Compute dX and the gradients of both blocks for all steps of the n-th chunk."""
        work.dA_in_time_view[..., chunk, :] = work.dA_view[..., chunk, :]
        dA = _flat(work.dA_in_time, chunk)
        dA_of_X, dX_in_time = self._rows(dA, self.gates_of_X), _flat(work.dX_in_time, chunk)
        np.matmul(dA_of_X, _flat(work.X_in_time, chunk).mT, out=work.gradients_of_X[n])
        np.matmul(self.block_of_X[..., :-1].mT, dA_of_X, out=dX_in_time)
        dX.swapaxes(-1, -3)[..., chunk, :] = work.dX_in_time[..., chunk, :]
        self._gradient_of_H(work, chunk, dA, work.gradients_of_H[n])

    def _gradient_of_H(self, work, chunk, dA, out):
        """Compute the gradient of the block of H for the steps of a chunk into `out`."""
        H = _turned(work.H_view, work.H_in_time, chunk)
        np.matmul(self._rows(dA, self.gates_of_H), H.mT, out=out)


def _sum(parts):
    """Add the parts up, in their order, into a new array."""
    total = parts[0].copy()
    for part in parts[1:]:
        total += part
    return total


def _padding(mask, T):
    """List for each step which sequences are padded there, (B,) of bool, or None for no one."""
    if mask is None:
        return [None] * T
    return [padded if padded.any() else None for padded in np.ascontiguousarray(~mask.T)]


def _padded_at_end(mask):
    """Give the padded steps, (B, T) of bool, where all padding is at the end; otherwise None."""
    if mask is None or (mask[:, 1:] & ~mask[:, :-1]).any():
        return None
    return ~mask


def _take_out(gradients, padded):
    """Take out what stands where `padded` (B,) is True, in place: leave zeros, return the rest."""
    taken = [np.where(padded, d, 0) for d in gradients]
    for d in gradients:
        np.copyto(d, 0, where=padded)
    return taken


def _per_step(shared, *arrays):
    """Make a tuple for each step: what all steps share, then the step's entry of each array."""
    return [(shared, *entries) for entries in zip(*arrays, strict=True)]


# From here on the last argument of a call of NumPy is where the result goes: `np.add(a, b, c)`
# is `c[...] = a + b`.  By position it is a little quicker than as `out=c`, twenty times a step.


def _sigmoid_of_half(A, half):
    """Turn a / 2 into sigmoid(a), in place."""
    np.tanh(A, A)
    np.multiply(A, half, A)
    np.add(A, half, A)


def _tanh_slope(value, factor, out):
    """Compute factor (1 - tanh^2), from the value of tanh, into `out`."""
    np.multiply(value, value, out)
    np.subtract(1, out, out)
    np.multiply(out, factor, out)


def _minus_product(a, b, c, out):
    """Compute a - b c into `out`."""
    np.multiply(b, c, out)
    np.subtract(a, out, out)


def _mix(Z, H, H_tilde, ZD, H_next):
    """Compute Z H + (1 - Z) H_tilde as H_tilde + Z (H - H_tilde); keep the last term in ZD."""
    np.subtract(H, H_tilde, ZD)
    np.multiply(ZD, Z, ZD)
    np.add(ZD, H_tilde, H_next)


class RNN(_Twin):
    """The fast twin of `RNNCell`: X (B, T, D) -> H (B, T, U), state (H,).

    Parameters, starting values and errors as in `cells.RNNCell`; float32 unless asked otherwise.

    Taught in: notebooks/08_train_the_lstm.

    >>> layer = RNN(3, 4, np.random.default_rng(0))
    >>> layer.forward(np.ones((2, 5, 3))).shape, layer.state[0].shape
    ((2, 5, 4), (2, 4))
    """

    readable = cells.RNNCell
    columns = gates_of_X = gates_of_H = "h"

    def _prepare(self, work):
        times, W, W_back = self._products_of_H()
        A, dA, X_A = work.A[:, 0], work.dA[:, 0], work.X_A_view[:, 0]
        work.steps = _per_step((times, W, work.product), work.H[:-1], X_A, A, work.H[1:])
        work.steps_back = _per_step((times, W_back, work.dH), dA)

    @staticmethod
    def _step(shared, H, X_A, A, H_next):
        times, W, product = shared
        times(W, H, product)
        np.add(X_A, product, A)
        np.tanh(A, H_next)

    def _slopes(self, work, chunk):
        _tanh_slope(work.H[1:][chunk], 1, out=work.dA[chunk, 0])

    @staticmethod
    def _step_back(shared, dA):
        times, W, dH = shared
        np.multiply(dA, dH, dA)
        times(W, dA, dH)


class LSTM(_Twin):
    """The fast twin of `LSTMCell`: X (B, T, D) -> H (B, T, U), state (H, C).

    Parameters, starting values and errors as in `cells.LSTMCell`; float32 unless asked otherwise.

    Taught in: notebooks/08_train_the_lstm.

    >>> layer = LSTM(3, 4, np.random.default_rng(0))
    >>> layer.forward(np.ones((2, 5, 3))).shape, len(layer.state)
    ((2, 5, 4), 2)
    """

    readable = cells.LSTMCell
    columns = gates_of_X = gates_of_H = "cifo"  # side by side: "ifo" sigmoids, "cif" feed C
    sigmoids = "ifo"

    def _prepare(self, work):
        times, W, W_back = self._products_of_H()
        T, U = work.T, self.units
        C, tanh_C, slope_of_C = work.steps(T + 1, U), work.steps(T, U), work.steps(T, U)
        FC, IC, dC = work.steps(T, U), work.steps(T, U), work.one(U)
        work.FC, work.IC, work.tanh_C, work.slope_of_C = FC, IC, tanh_C, slope_of_C
        work.states, work.dstates = [work.H, C], [work.dH, dC]
        C_tilde, I, F, O, IFO = (self._gate(work.A, g) for g in ("c", "i", "f", "o", "ifo"))
        shared = (times, W, work.product, work.product_view, work.half)
        of_H, of_C = (work.H[:-1], work.H[1:]), (C[:-1], FC, IC, C[1:], tanh_C)
        of_gates = (work.X_A_view, work.A, IFO, C_tilde, I, F, O)
        work.steps = _per_step(shared, *of_H, *of_gates, *of_C)
        dA_o, dA_cif = self._gate(work.dA, "o"), self._gate(work.dA, "cif")
        rows, place = self._rows_for_product(work, "cifo")
        shared = (times, W_back, work.dH, dC, place)
        work.steps_back = _per_step(shared, slope_of_C, work.dA, dA_cif, dA_o, F, rows)

    @staticmethod
    def _step(shared, H, H_next, X_A, A, IFO, C_tilde, I, F, O, C, FC, IC, C_next, tanh_C):
        times, W, product, product_view, half = shared
        times(W, H, product)
        np.add(X_A, product_view, A)
        np.tanh(A, A)
        np.multiply(IFO, half, IFO)
        np.add(IFO, half, IFO)
        np.multiply(F, C, FC)
        np.multiply(I, C_tilde, IC)
        np.add(FC, IC, C_next)
        np.tanh(C_next, tanh_C)
        np.multiply(O, tanh_C, H_next)

    def _slopes(self, work, chunk):
        # I (1 - I) C_tilde = (1 - I) IC, and so on: the way forward has kept I C_tilde and F C
        A, dA, H_next = work.A[chunk], work.dA[chunk], work.H[1:][chunk]
        C_tilde, I, O = (self._gate(A, letter) for letter in "cio")
        np.subtract(1, self._gate(A, "ifo"), out=self._gate(dA, "ifo"))
        for letter, kept in ("i", work.IC[chunk]), ("f", work.FC[chunk]), ("o", H_next):
            dA_gate = self._gate(dA, letter)
            np.multiply(dA_gate, kept, dA_gate)
        _minus_product(I, work.IC[chunk], C_tilde, out=self._gate(dA, "c"))
        _minus_product(O, H_next, work.tanh_C[chunk], out=work.slope_of_C[chunk])

    @staticmethod
    def _step_back(shared, slope_of_C, dA, dA_cif, dA_o, F, rows):
        times, W, dH, dC, place = shared
        np.multiply(slope_of_C, dH, slope_of_C)
        np.add(dC, slope_of_C, dC)  # two roads into C
        np.multiply(dA_o, dH, dA_o)
        np.multiply(dA_cif, dC, dA_cif)  # dC meets three gates at once
        np.multiply(dC, F, dC)
        if place is not None:
            np.copyto(place, dA)
        times(W, rows, dH)


class GRU(_Twin):
    """The fast twin of `GRUCell`, the form of the slides: X (B, T, D) -> H (B, T, U), state (H,).

    The candidate needs R before its own product, so a step has two products.
    Parameters, starting values and errors as in `cells.GRUCell`; float32 unless asked otherwise.

    Taught in: notebooks/12_streamline_to_a_gru.
    """

    readable = cells.GRUCell
    columns = gates_of_X = gates_of_H = "zrh"
    sigmoids = "zr"

    def _prepare(self, work):
        U = self.units
        two = 2 * U  # the first two gates, Z and R, have a product of theirs
        times, W, W_back = self._products_of_H()
        RH, ZD = work.steps(work.T, U), work.steps(work.T, U)
        work.RH, work.ZD, work.RH_view = RH, ZD, view_in_time(RH)
        ZR, Z, R, H_tilde = (self._gate(work.A, gate) for gate in ("zr", "z", "r", "h"))
        of_zr = (W[..., :two, :], work.product[..., :two, :], work.product_view[:2])
        shared = (times, *of_zr, W[..., two:, :], work.product[..., two:, :], work.half)
        X_zr, X_h = work.X_A_view[:, :2], work.X_A_view[:, 2]
        of_H = (work.H[:-1], RH, ZD, work.H[1:])
        work.steps = _per_step(shared, X_zr, X_h, ZR, Z, R, H_tilde, *of_H)
        dA_zr, dA_z, dA_r, dA_h = (self._gate(work.dA, gate) for gate in ("zr", "z", "r", "h"))
        rows, place = self._rows_for_product(work, "zr")
        weights = (W_back[..., :two], W_back[..., two:])
        shared = (times, *weights, work.dH, work.one(U), work.one(U), place)
        work.steps_back = _per_step(shared, Z, R, dA_zr, dA_z, dA_r, dA_h, rows)

    @staticmethod
    def _step(shared, X_zr, X_h, ZR, Z, R, H_tilde, H, RH, ZD, H_next):
        times, W, product, product_view, W_hh, product_h, half = shared
        times(W, H, product)
        np.add(X_zr, product_view, ZR)
        _sigmoid_of_half(ZR, half)
        np.multiply(R, H, RH)
        times(W_hh, RH, product_h)
        np.add(X_h, product_h, H_tilde)
        np.tanh(H_tilde, H_tilde)
        _mix(Z, H, H_tilde, ZD, H_next)

    def _slopes(self, work, chunk):
        A, dA = work.A[chunk], work.dA[chunk]
        dA_z, dA_r, dA_h = (self._gate(dA, letter) for letter in "zrh")
        np.subtract(1, self._gate(A, "zr"), out=self._gate(dA, "zr"))
        _tanh_slope(self._gate(A, "h"), dA_z, out=dA_h)  # in this line dA_z is 1 - Z
        np.multiply(dA_z, work.ZD[chunk], dA_z)
        np.multiply(dA_r, work.RH[chunk], dA_r)

    @staticmethod
    def _step_back(shared, Z, R, dA_zr, dA_z, dA_r, dA_h, rows):
        times, W, W_hh, dH, dRH, through, place = shared
        np.multiply(dA_h, dH, dA_h)
        times(W_hh, dA_h, dRH)
        np.multiply(dA_z, dH, dA_z)
        np.multiply(dA_r, dRH, dA_r)
        if place is not None:
            np.copyto(place, dA_zr)
        times(W, rows, through)
        np.multiply(dH, Z, dH)
        np.multiply(dRH, R, dRH)
        np.add(dH, dRH, dH)  # three roads into H
        np.add(dH, through, dH)

    def _gradient_of_H(self, work, chunk, dA, out):
        U = self.units
        H = _turned(work.H_view, work.H_in_time, chunk)
        np.matmul(self._rows(dA, "zr"), H.mT, out=out[..., : 2 * U, :])
        RH = _turned(work.RH_view, work.H_in_time, chunk)
        np.matmul(self._rows(dA, "h"), RH.mT, out=out[..., 2 * U :, :])


class GRUResetAfter(_Twin):
    """The fast twin of `GRUResetAfterCell`: X (B, T, D) -> H (B, T, U), state (H,).

    The candidate has two columns in the block: "h" holds what comes from X, "g" what comes from H
    and is multiplied by R.  So X has the columns h z r, and H has z r g.
    Parameters, starting values and errors as in `cells.GRUResetAfterCell`; float32 unless asked
    otherwise.

    Taught in: notebooks/12_streamline_to_a_gru.
    """

    readable = cells.GRUResetAfterCell
    columns, gates_of_X, gates_of_H = "hzrg", "hzr", "zrg"
    sigmoids = "zr"
    biases = 2

    def _prepare(self, work):
        times, W, W_back = self._products_of_H()
        H_tilde, ZR, Z, R, RG = (self._gate(work.A, gate) for gate in ("h", "zr", "z", "r", "g"))
        product_zr, product_g = work.product_view[:2], work.product_view[2]
        shared = (times, W, work.product, product_zr, product_g, work.half)
        X_h, X_zr = work.X_A_view[:, 0], work.X_A_view[:, 1:]
        ZD = work.ZD = work.steps(work.T, self.units)
        of_H = (work.H_and_ones[:-1], work.H[:-1], ZD, work.H[1:])
        work.steps = _per_step(shared, X_h, X_zr, H_tilde, ZR, Z, R, RG, *of_H)
        rows, place = self._rows_for_product(work, "zrg")
        # Beside a column of biases the weights are cut out; np.dot would copy them.
        shared = (np.matmul, W_back, work.dH, work.one(self.units), place)
        dA_zrg = self._gate(work.dA, "zrg")
        work.steps_back = _per_step(shared, Z, work.dA, dA_zrg, rows)

    @staticmethod
    def _step(shared, X_h, X_zr, H_tilde, ZR, Z, R, RG, entering, H, ZD, H_next):
        times, W, product, product_zr, product_g, half = shared
        times(W, entering, product)
        np.add(X_zr, product_zr, ZR)
        _sigmoid_of_half(ZR, half)
        np.multiply(R, product_g, RG)
        np.add(X_h, RG, H_tilde)
        np.tanh(H_tilde, H_tilde)
        _mix(Z, H, H_tilde, ZD, H_next)

    def _slopes(self, work, chunk):
        A, dA = work.A[chunk], work.dA[chunk]
        H_tilde, R, RG = (self._gate(A, letter) for letter in "hrg")
        dA_h, dA_z, dA_r, dA_g = (self._gate(dA, letter) for letter in "hzrg")
        np.subtract(1, self._gate(A, "zr"), out=self._gate(dA, "zr"))
        _tanh_slope(H_tilde, dA_z, out=dA_h)  # in this line dA_z is 1 - Z
        np.multiply(dA_z, work.ZD[chunk], dA_z)
        np.multiply(dA_r, RG, dA_r)
        np.multiply(dA_r, dA_h, dA_r)
        np.multiply(dA_h, R, dA_g)

    @staticmethod
    def _step_back(shared, Z, dA, dA_zrg, rows):
        times, W, dH, through, place = shared
        np.multiply(dA, dH, dA)  # dH meets all four gates at once
        if place is not None:
            np.copyto(place, dA_zrg)
        times(W, rows, through)
        np.multiply(dH, Z, dH)
        np.add(dH, through, dH)
