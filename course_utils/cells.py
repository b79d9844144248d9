"""The recurrent cells: one step of an RNN, an LSTM and two GRUs.

`forward` is the slide: one line per equation, in its symbols.  `backward` is the blackboard: the
same lines in reverse order.  The time loop stands in `course_utils.recurrent`.

Shapes: X (B, D), H and C (B, U), W_x* (D, U), W_h* (U, U), b_* (U,).  With R replicas every array
has R as an additional first axis (a bias is then (R, 1, U)), and the lines stay the same.
"""

import copy
from typing import NamedTuple

import numpy as np

from course_utils import require
from course_utils.functions import (
    bias_gradient,
    glorot_uniform,
    orthogonal,
    sigmoid,
    sigmoid_derivative,
    tanh_derivative,
)


class Cell:
    """Hold what all cells share: sizes, parameters, an empty memory to start from.

    Parameters of every cell: `num_inputs` D, `units` U, `rng` a NumPy Generator, `replicas` R or
    None, `dtype` a floating type.  Input weights start Glorot uniform, recurrent weights
    orthogonal, biases zero.  To start otherwise, write into `params`:
    `cell.params["b_h"][...] = 0.5`.

    Raises ValueError or TypeError for sizes below 1, an rng that is a seed, a dtype that is not
    floating.  Taught in: notebooks/02_run_a_vanilla_rnn.
    """

    num_states = 1  # how many arrays the state has: H, or H and C

    def __init__(self, num_inputs, units, rng, *, replicas=None, dtype=np.float64):
        self.num_inputs = require.positive_integer("num_inputs", num_inputs)
        self.units = require.positive_integer("units", units)
        self.replicas = None if replicas is None else require.positive_integer("replicas", replicas)
        self.dtype = require.floating_dtype("dtype", dtype)
        self.params = {}
        self._draw(require.generator("rng", rng))

    def _draw(self, rng):
        """Fill `params` with starting values."""
        raise NotImplementedError

    def _weights(self, gate, rng):
        """Draw W_x*, W_h* and a zero bias for one gate."""
        lead = () if self.replicas is None else (self.replicas,)
        D, U = self.num_inputs, self.units
        self.params[f"W_x{gate}"] = glorot_uniform(rng, (*lead, D, U)).astype(self.dtype)
        self.params[f"W_h{gate}"] = orthogonal(rng, (*lead, U, U)).astype(self.dtype)
        self._bias(f"b_{gate}")

    def _bias(self, name):
        shape = (self.units,) if self.replicas is None else (self.replicas, 1, self.units)
        self.params[name] = np.zeros(shape, self.dtype)

    def initial_state(self, B):
        """Give the state before the first step: zeros, a tuple of arrays (B, U) or (R, B, U)."""
        lead = () if self.replicas is None else (self.replicas,)
        shape = (*lead, require.positive_integer("B", B), self.units)
        return tuple(np.zeros(shape, self.dtype) for _ in range(self.num_states))

    def replica(self, r):
        """Give the r-th model of R replicas as a cell of its own, with copied parameters."""
        if self.replicas is None:
            raise ValueError("this cell has no replicas; expected one made with replicas=R")
        one = copy.copy(self)
        one.replicas = None
        one.params = {
            name: p[r, 0].copy() if name.startswith("b") else p[r].copy()
            for name, p in self.params.items()
        }
        return one

    def _checked(self, X, state):
        """Return X and `state` as arrays of this cell's type; an error names what does not fit."""
        X = require.real_array("X", X)
        if self.replicas is None:
            require.layout("X", X, "BD", D=self.num_inputs)
        else:
            require.layout("X", X, "RBD", R=self.replicas, D=self.num_inputs)
        require.no_nan("X", X)
        shapes = [(*X.shape[:-1], self.units)] * self.num_states
        state = require.state_tuple("state", state, shapes, self.dtype)
        return X.astype(self.dtype, copy=False), state


class RNNTrace(NamedTuple):
    """Everything that one step of an RNNCell computed: X (B, D), H and H_next (B, U).

    Taught in: notebooks/02_run_a_vanilla_rnn, section 2.
    """

    X: np.ndarray
    H: np.ndarray
    H_next: np.ndarray


class RNNCell(Cell):
    """Compute one step of a vanilla RNN: the new hidden state from the input and the old one.

    State: (H,).  Parameters: W_xh (D, U), W_hh (U, U), b_h (U,).

    Source: Elman 1990; slide rows 1.8, 2.2.  Taught in: notebooks/02_run_a_vanilla_rnn.

    >>> cell = RNNCell(3, 4, np.random.default_rng(0))
    >>> (H,), trace = cell.forward(np.ones((2, 3)), cell.initial_state(2))
    >>> H.shape
    (2, 4)
    """

    def _draw(self, rng):
        self._weights("h", rng)

    def forward(self, X, state):
        """One step.  X (B, D), state (H,) -> new state (H_next,), trace."""
        X, (H,) = self._checked(X, state)
        p = self.params
        H_next = np.tanh(X @ p["W_xh"] + H @ p["W_hh"] + p["b_h"])
        return (H_next,), RNNTrace(X, H, H_next)

    def backward(self, dstate, trace):
        """One step back.  dstate (dH_next,) -> dX (B, D), dstate (dH,), gradients by name.

        Taught in: notebooks/03_backpropagate_through_time.
        """
        (dH_next,) = dstate
        X, H, H_next = trace
        p = self.params
        dA = dH_next * tanh_derivative(H_next)
        grads = {"W_xh": X.mT @ dA, "W_hh": H.mT @ dA, "b_h": bias_gradient(dA)}
        return dA @ p["W_xh"].mT, (dA @ p["W_hh"].mT,), grads


class LSTMTrace(NamedTuple):
    """Everything that one step of an LSTMCell computed: X (B, D), all others (B, U).

    Taught in: notebooks/07_build_the_output_gate.
    """

    X: np.ndarray
    H: np.ndarray
    C: np.ndarray
    I: np.ndarray  # the slide's letter of the input gate
    F: np.ndarray
    O: np.ndarray  # the slide's letter of the output gate
    C_tilde: np.ndarray
    C_next: np.ndarray
    H_next: np.ndarray


class LSTMCell(Cell):
    """Compute one step of an LSTM: three gates decide what to forget, to store and to show.

    State: (H, C).  Parameters: W_xi, W_hi, b_i (input gate), ..f (forget gate), ..o (output
    gate), ..c (input node); W_x* (D, U), W_h* (U, U), b_* (U,).  The forget bias starts at 1.

    Source: Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000; slide rows 2.10-2.12.
    Taught in: notebooks/07_build_the_output_gate.

    >>> cell = LSTMCell(3, 4, np.random.default_rng(0))
    >>> (H, C), trace = cell.forward(np.ones((2, 3)), cell.initial_state(2))
    >>> H.shape, C.shape, trace.F.shape
    ((2, 4), (2, 4), (2, 4))
    """

    num_states = 2

    def _draw(self, rng):
        for gate in "ifoc":
            self._weights(gate, rng)
        self.params["b_f"] += 1

    def forward(self, X, state):
        """One step.  X (B, D), state (H, C) -> new state (H_next, C_next), trace."""
        X, (H, C) = self._checked(X, state)
        p = self.params
        I = sigmoid(X @ p["W_xi"] + H @ p["W_hi"] + p["b_i"])
        F = sigmoid(X @ p["W_xf"] + H @ p["W_hf"] + p["b_f"])
        O = sigmoid(X @ p["W_xo"] + H @ p["W_ho"] + p["b_o"])
        C_tilde = np.tanh(X @ p["W_xc"] + H @ p["W_hc"] + p["b_c"])
        C_next = F * C + I * C_tilde
        H_next = O * np.tanh(C_next)
        return (H_next, C_next), LSTMTrace(X, H, C, I, F, O, C_tilde, C_next, H_next)

    def backward(self, dstate, trace):
        """One step back.  dstate (dH_next, dC_next) -> dX, dstate (dH, dC), gradients by name.

        Taught in: notebooks/08_train_the_lstm.
        """
        dH_next, dC_next = dstate
        X, H, C, I, F, O, C_tilde, C_next, _ = trace
        tanh_C = np.tanh(C_next)
        dC_next = dC_next + dH_next * O * tanh_derivative(tanh_C)  # two roads into C
        dA = {
            "i": dC_next * C_tilde * sigmoid_derivative(I),
            "f": dC_next * C * sigmoid_derivative(F),
            "o": dH_next * tanh_C * sigmoid_derivative(O),
            "c": dC_next * I * tanh_derivative(C_tilde),
        }
        dX, dH, grads = _through_gates(X, H, dA, self.params)
        return dX, (dH, dC_next * F), grads


def _through_gates(X, H, dA, params):
    """Carry gradients dA {gate: (B, U)} of pre-activations X W_x* + H W_h* + b_* back.

    Returns dX (B, D), dH (B, U) and the gradients of the parameters by name.
    """
    dX, dH, grads = 0, 0, {}
    for gate, dA_gate in dA.items():
        grads[f"W_x{gate}"] = X.mT @ dA_gate
        grads[f"W_h{gate}"] = H.mT @ dA_gate
        grads[f"b_{gate}"] = bias_gradient(dA_gate)
        dX = dX + dA_gate @ params[f"W_x{gate}"].mT
        dH = dH + dA_gate @ params[f"W_h{gate}"].mT
    return dX, dH, grads


class GRUTrace(NamedTuple):
    """Everything that one step of a GRUCell computed: X (B, D), all others (B, U).

    Taught in: notebooks/12_streamline_to_a_gru.
    """

    X: np.ndarray
    H: np.ndarray
    Z: np.ndarray
    R: np.ndarray
    H_tilde: np.ndarray
    H_next: np.ndarray


class GRUCell(Cell):
    """Compute one step of a GRU as on the slides: the reset gate acts before W_hh.

    State: (H,).  Parameters: W_xz, W_hz, b_z (update gate, keeps the old state), ..r (reset
    gate), ..h (candidate).  Equal to Keras `GRU(reset_after=False)`.

    Source: Cho et al. 2014; slide row 2.16.  Taught in: notebooks/12_streamline_to_a_gru.
    """

    def _draw(self, rng):
        for gate in "zrh":
            self._weights(gate, rng)

    def forward(self, X, state):
        """One step.  X (B, D), state (H,) -> new state (H_next,), trace."""
        X, (H,) = self._checked(X, state)
        p = self.params
        Z = sigmoid(X @ p["W_xz"] + H @ p["W_hz"] + p["b_z"])
        R = sigmoid(X @ p["W_xr"] + H @ p["W_hr"] + p["b_r"])
        H_tilde = np.tanh(X @ p["W_xh"] + (R * H) @ p["W_hh"] + p["b_h"])
        H_next = Z * H + (1 - Z) * H_tilde
        return (H_next,), GRUTrace(X, H, Z, R, H_tilde, H_next)

    def backward(self, dstate, trace):
        """One step back.  dstate (dH_next,) -> dX (B, D), dstate (dH,), gradients by name."""
        (dH_next,) = dstate
        X, H, Z, R, H_tilde, _ = trace
        dA_h = dH_next * (1 - Z) * tanh_derivative(H_tilde)
        dX_h, dRH, grads_h = _through_gates(X, R * H, {"h": dA_h}, self.params)
        dA = {
            "z": dH_next * (H - H_tilde) * sigmoid_derivative(Z),
            "r": dRH * H * sigmoid_derivative(R),
        }
        dX, dH, grads = _through_gates(X, H, dA, self.params)
        return dX + dX_h, (dH + dH_next * Z + dRH * R,), grads | grads_h


class GRUResetAfterTrace(NamedTuple):
    """Everything that one step of a GRUResetAfterCell computed; A_h is H W_hh + b_hh (B, U).

    Taught in: notebooks/12_streamline_to_a_gru.
    """

    X: np.ndarray
    H: np.ndarray
    Z: np.ndarray
    R: np.ndarray
    A_h: np.ndarray
    H_tilde: np.ndarray
    H_next: np.ndarray


class GRUResetAfterCell(Cell):
    """Compute one step of the GRU that libraries run: the reset gate acts after W_hh.

    State: (H,).  Parameters: W_xz, W_hz, ..r, ..h as in GRUCell, and two biases per gate: b_xz
    beside X W_xz and b_hz beside H W_hz, and so on.  Equal to Keras `GRU()` and to PyTorch's GRU.

    Source: Keras `GRU(reset_after=True)`.  Taught in: notebooks/12_streamline_to_a_gru.
    """

    def _draw(self, rng):
        for gate in "zrh":
            self._weights(gate, rng)
            self.params[f"b_x{gate}"] = self.params.pop(f"b_{gate}")
            self._bias(f"b_h{gate}")

    def forward(self, X, state):
        """One step.  X (B, D), state (H,) -> new state (H_next,), trace."""
        X, (H,) = self._checked(X, state)
        p = self.params
        Z = sigmoid(X @ p["W_xz"] + p["b_xz"] + H @ p["W_hz"] + p["b_hz"])
        R = sigmoid(X @ p["W_xr"] + p["b_xr"] + H @ p["W_hr"] + p["b_hr"])
        A_h = H @ p["W_hh"] + p["b_hh"]
        H_tilde = np.tanh(X @ p["W_xh"] + p["b_xh"] + R * A_h)
        H_next = Z * H + (1 - Z) * H_tilde
        return (H_next,), GRUResetAfterTrace(X, H, Z, R, A_h, H_tilde, H_next)

    def backward(self, dstate, trace):
        """One step back.  dstate (dH_next,) -> dX (B, D), dstate (dH,), gradients by name."""
        (dH_next,) = dstate
        X, H, Z, R, A_h, H_tilde, _ = trace
        dA_h = dH_next * (1 - Z) * tanh_derivative(H_tilde)
        from_x = {
            "z": dH_next * (H - H_tilde) * sigmoid_derivative(Z),
            "r": dA_h * A_h * sigmoid_derivative(R),
            "h": dA_h,
        }
        from_h = from_x | {"h": dA_h * R}  # the reset gate stands between H W_hh and the candidate
        dX, dH, grads = 0, dH_next * Z, {}
        for gate in "zrh":
            grads[f"W_x{gate}"] = X.mT @ from_x[gate]
            grads[f"W_h{gate}"] = H.mT @ from_h[gate]
            grads[f"b_x{gate}"] = bias_gradient(from_x[gate])
            grads[f"b_h{gate}"] = bias_gradient(from_h[gate])
            dX = dX + from_x[gate] @ self.params[f"W_x{gate}"].mT
            dH = dH + from_h[gate] @ self.params[f"W_h{gate}"].mT
        return dX, (dH,), grads
