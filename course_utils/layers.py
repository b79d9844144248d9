"""Layers that work on whole sequences, and the ways to compose them.

Every layer keeps one contract:

    layer.forward(X, mask=None) -> Y       X (B, T, D), mask (B, T) of bool, True = a real step
    layer.backward(dY) -> dX               fills layer.grads, the same names as layer.params
    layer.mask_after(mask) -> mask         the mask that belongs to Y

With R replicas X is (R, B, T, D), and the mask stays (B, T).
"""

import copy

import numpy as np

from course_utils import require
from course_utils.functions import bias_gradient, glorot_uniform


def _checked(X, mask, axes, **sizes):
    """Return X as an array after checking it, and the mask that came with it."""
    X = require.real_array("X", X)
    require.layout("X", X, axes, **sizes)
    require.no_nan("X", X)
    if mask is not None and "T" not in axes:
        raise ValueError(f"mask has shape {np.shape(mask)}; expected None: X has no steps")
    if mask is not None:
        require.sequence_mask("mask", mask, X.shape[axes.index("B")], X.shape[axes.index("T")])
    return X


def _checked_steps(X, mask):
    """Check X and the mask for a layer that takes (B, T, D) and (R, B, T, D) alike."""
    return _checked(X, mask, "RBTD" if np.ndim(X) == 4 else "BTD")


class Layer:
    """Hold the parts of the contract that are the same in most layers.

    Taught in: notebooks/02_run_a_vanilla_rnn.
    """

    replicas = None
    _saved = None

    def __init__(self):
        self.params = {}
        self.grads = {}

    def mask_after(self, mask):
        """Give the mask that belongs to the output: here, the same."""
        return mask

    def _remembered(self):
        """Return what forward kept for backward; RuntimeError when forward has not run."""
        if self._saved is None:
            raise RuntimeError(f"{type(self).__name__}.backward was called before forward")
        return self._saved

    def replica(self, r):
        """Give the r-th of R models as a layer of its own."""
        return copy.copy(self)


class _WithWeights(Layer):
    """Hold a layer of own weights: `lead` is () or (R,), the first axes of every weight matrix."""

    def __init__(self, num_inputs, units, rng, *, replicas=None, dtype=np.float64):
        super().__init__()
        self.num_inputs = require.positive_integer("num_inputs", num_inputs)
        self.units = require.positive_integer("units", units)
        self.replicas = None if replicas is None else require.positive_integer("replicas", replicas)
        self.dtype = require.floating_dtype("dtype", dtype)
        self.lead = () if replicas is None else (self.replicas,)
        require.generator("rng", rng)
        shape = (*self.lead, self.num_inputs, self.units)
        self.params = {"W": glorot_uniform(rng, shape).astype(self.dtype)}

    def replica(self, r):
        """Give the r-th model of R replicas as a layer of its own, with copied parameters."""
        if self.replicas is None:
            raise ValueError("this layer has no replicas; expected one made with replicas=R")
        one = type(self)(self.num_inputs, self.units, np.random.default_rng(0), dtype=self.dtype)
        for name, p in self.params.items():
            one.params[name] = p[r].reshape(one.params[name].shape).copy()
        return one


class Dense(_WithWeights):
    """Map the last axis by a matrix: Y = X W + b, the output layer of a network.

    X (..., D) -> Y (..., U): one answer per step from (B, T, D), one per sequence from (B, D).
    Parameters: W (D, U) Glorot uniform, b (U,) zeros.  Errors as in `cells.Cell`.

    Source: slide row 1.3.  Taught in: notebooks/02_run_a_vanilla_rnn.

    >>> Dense(4, 2, np.random.default_rng(0)).forward(np.ones((3, 5, 4))).shape
    (3, 5, 2)
    """

    def __init__(self, num_inputs, units, rng, *, replicas=None, dtype=np.float64):
        super().__init__(num_inputs, units, rng, replicas=replicas, dtype=dtype)
        bias_shape = (*self.lead, 1, self.units) if self.lead else (self.units,)
        self.params["b"] = np.zeros(bias_shape, self.dtype)

    def forward(self, X, mask=None):
        """X (B, T, D) or (B, D) -> Y with U in place of D; the mask is not used."""
        lead = dict(zip("R", self.lead))
        axes = "BD" if np.ndim(X) == 2 + len(lead) else "BTD"
        X = _checked(X, mask, "".join(lead) + axes, **lead, D=self.num_inputs)
        self._saved = X = X.astype(self.dtype, copy=False)
        flat = X.reshape(*self.lead, -1, self.num_inputs)  # every step is one row
        Y = flat @ self.params["W"]
        Y += self.params["b"]
        return Y.reshape(*X.shape[:-1], self.units)

    def backward(self, dY):
        """dY, shaped as Y, -> dX, shaped as X."""
        X = self._remembered()
        dY = require.same_shape("dY", dY, (*X.shape[:-1], self.units), "Y")
        flat_X = X.reshape(*self.lead, -1, self.num_inputs)
        flat_dY = dY.reshape(*self.lead, -1, self.units)
        self.grads = {"W": flat_X.mT @ flat_dY, "b": bias_gradient(flat_dY)}
        return (flat_dY @ self.params["W"].mT).reshape(X.shape)


class Embedding(_WithWeights):
    """Look up a row of numbers for each token: tokens (B, T) of whole numbers -> (B, T, U).

    The same as a one-hot vector times W, without the zeros.  Parameters: W (num_tokens, U).
    Raises TypeError for tokens that are not whole numbers, ValueError outside 0 .. num_tokens-1.

    Taught in: notebooks/03_backpropagate_through_time.
    """

    def __init__(self, num_tokens, units, rng, *, replicas=None, dtype=np.float64):
        require.positive_integer("num_tokens", num_tokens)
        super().__init__(num_tokens, units, rng, replicas=replicas, dtype=dtype)

    def forward(self, X, mask=None):
        """Tokens (B, T), with replicas (R, B, T), -> (B, T, U) or (R, B, T, U)."""
        X = np.asarray(X)
        if X.dtype.kind not in "iu":
            raise TypeError(f"X holds {X.dtype}; expected whole numbers, one token per step")
        _checked(X, mask, "RBT" if self.lead else "BT", **dict(zip("R", self.lead)))
        if X.min() < 0 or X.max() >= self.num_inputs:
            raise ValueError(
                f"X holds tokens from {X.min()} to {X.max()}; expected 0 to {self.num_inputs - 1}"
            )
        self._saved = self._rows(X)
        return self.params["W"][self._saved]

    def _rows(self, X):
        """Give the index of each token's row in W."""
        if not self.lead:
            return (X,)
        return (np.arange(self.replicas)[:, None, None], X)

    def backward(self, dY):
        """dY (B, T, U) -> None: a token has no gradient."""
        rows = self._remembered()
        dY = require.same_shape("dY", dY, (*rows[-1].shape, self.units), "Y")
        dW = np.zeros(self.params["W"].shape, self.dtype)
        # `at` is quick on flat arrays; `dW.ravel()` is a view of the new array
        places = np.arange(dW.size).reshape(dW.shape)[rows]
        np.add.at(dW.ravel(), places.ravel(), dY.ravel())
        self.grads = {"W": dW}


class Flip(Layer):
    """Turn the time axis around: (B, T, D) -> (B, T, D), last step first.

    Taught in: notebooks/11_read_in_both_directions.
    """

    def forward(self, X, mask=None):
        """X (B, T, D) -> the same steps from last to first."""
        return _checked_steps(X, mask)[..., ::-1, :]

    def backward(self, dY):
        """dY (B, T, D) -> dX, turned around as well."""
        return dY[..., ::-1, :]

    def mask_after(self, mask):
        """Give the mask, turned around."""
        return None if mask is None else np.asarray(mask)[:, ::-1]


class Last(Layer):
    """Keep the last step only: (B, T, U) -> (B, U).

    After a recurrent layer this is also right for padded sequences with a mask: the state is
    carried through the padding unchanged.

    Taught in: notebooks/02_run_a_vanilla_rnn.
    """

    def forward(self, X, mask=None):
        """X (B, T, U) -> X at the last step (B, U)."""
        X = _checked_steps(X, mask)
        self._saved = X.shape
        return X[..., -1, :]

    def backward(self, dY):
        """dY (B, U) -> dX (B, T, U): zero but for the last step."""
        shape = self._remembered()
        dY = require.same_shape("dY", dY, (*shape[:-2], shape[-1]), "Y")
        dX = np.zeros(shape, dY.dtype)
        dX[..., -1, :] = dY
        return dX

    def mask_after(self, mask):
        """Give None: there are no steps left to mask."""
        return None


class Same(Layer):
    """Hand on what comes in: a way beside other layers, for `Concat`.

    Taught in: notebooks/07_build_the_output_gate.

    >>> read_out = Concat(Dense(3, 2, np.random.default_rng(0)), Same())
    >>> read_out.forward(np.ones((4, 5, 3))).shape
    (4, 5, 5)
    """

    def forward(self, X, mask=None):
        """X (B, T, D) -> X."""
        X = _checked_steps(X, mask)
        self._saved = X.shape
        return X

    def backward(self, dY):
        """dY (B, T, D) -> dX, the same."""
        return require.same_shape("dY", dY, self._remembered(), "Y")


class Dropout(Layer):
    """Set a share `rate` of the inputs to zero at random, and scale the others by 1 / (1 - rate).

    For training only: a second composition of the same layers without the Dropout is the network
    to evaluate with.  Raises ValueError for a rate outside [0, 1).

    Source: Srivastava et al. 2014.  Taught in: notebooks/10_stack_lstm_layers.
    """

    def __init__(self, rate, rng):
        super().__init__()
        if not 0 <= rate < 1:
            raise ValueError(f"rate is {rate}; expected a number from 0 up to, but not, 1")
        self.rate = rate
        self.rng = require.generator("rng", rng)

    def forward(self, X, mask=None):
        """X (B, T, D) or (B, D) -> the same shape; a new draw at every call."""
        X = _checked(X, mask, "BD") if np.ndim(X) == 2 else _checked_steps(X, mask)
        X = X if X.dtype.kind == "f" else X.astype(float)
        keep = self.rng.random(X.shape) >= self.rate
        self._saved = (keep / (1 - self.rate)).astype(X.dtype)
        return X * self._saved

    def backward(self, dY):
        """dY -> dX through the same draw as the last forward."""
        scale = self._remembered()
        return require.same_shape("dY", dY, scale.shape, "Y") * scale


class _Composite(Layer):
    """Hold several layers; a parameter is named by the index of its part: "0.W_xh"."""

    def __init__(self, *parts):
        if not parts:
            raise ValueError(f"{type(self).__name__} got no layers; expected at least one")
        for i, part in enumerate(parts):
            if not all(hasattr(part, name) for name in ("forward", "backward", "params")):
                raise TypeError(
                    f"part {i} is {type(part).__name__}; expected a layer "
                    "with forward, backward and params"
                )
            if hasattr(part, "initial_state") and not hasattr(part, "mask_after"):
                raise TypeError(
                    f"part {i} is a cell, {type(part).__name__}; expected a layer: Recurrent(cell)"
                )
            if any(part is other for other in parts[:i]):
                raise ValueError(
                    f"part {i} stands in an earlier place as well; expected a layer of its own, "
                    "because a layer remembers one forward pass"
                )
        counts = [part.replicas for part in parts if part.params]
        if len(set(counts)) > 1:
            raise ValueError(f"parts have replicas {counts}; expected the same for all")
        self.parts = parts

    def _named(self, attribute):
        """Collect `params` or `grads` of all parts under their full names."""
        return {
            f"{i}.{name}": array
            for i, part in enumerate(self.parts)
            for name, array in getattr(part, attribute).items()
        }

    @property
    def params(self):
        """All parameters by name; the arrays themselves, not copies."""
        return self._named("params")

    @property
    def grads(self):
        """All gradients of the last backward, by the names of `params`."""
        return self._named("grads")

    @property
    def replicas(self):
        """R, or None when the parts have no replica axis."""
        return next((p.replicas for p in self.parts if p.replicas is not None), None)

    def replica(self, r):
        """Give the r-th model of R replicas as a composition of its own."""
        return type(self)(*(part.replica(r) for part in self.parts))


class Sequential(_Composite):
    """Chain layers: each one reads what the one before wrote.

    Raises TypeError when a part is not a layer (a cell needs `Recurrent(cell)`).

    Taught in: notebooks/02_run_a_vanilla_rnn.
    """

    def forward(self, X, mask=None):
        """X -> Y of the last layer; the mask goes along."""
        for part in self.parts:
            X, mask = part.forward(X, mask), part.mask_after(mask)
        return X

    def backward(self, dY):
        """dY -> dX of the first layer."""
        for part in reversed(self.parts):
            dY = part.backward(dY)
        return dY

    def mask_after(self, mask):
        """Give the mask after the last layer."""
        for part in self.parts:
            mask = part.mask_after(mask)
        return mask


class Concat(_Composite):
    """Put layers side by side: all read X, their outputs are joined along the last axis.

    Taught in: notebooks/11_read_in_both_directions.
    """

    def forward(self, X, mask=None):
        """X (B, T, D) -> (B, T, U_1 + U_2 + ...)."""
        outputs = [part.forward(X, mask) for part in self.parts]
        Y = np.concatenate(outputs, axis=-1)
        self._saved = np.cumsum([part.shape[-1] for part in outputs])[:-1], Y.shape
        return Y

    def backward(self, dY):
        """dY -> dX, the sum over the parts."""
        cuts, shape = self._remembered()
        pieces = np.split(require.same_shape("dY", dY, shape, "Y"), cuts, axis=-1)
        return sum(part.backward(d) for part, d in zip(self.parts, pieces, strict=True))

    def mask_after(self, mask):
        """Give the mask after the parts, which agree on it."""
        return self.parts[0].mask_after(mask)
