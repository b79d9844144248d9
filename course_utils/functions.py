"""The functions that every cell needs: squashing functions, softmax, and starting weights."""

import numpy as np

from course_utils import require


def sigmoid(z):
    """Squash any number into the interval from 0 to 1: 1 / (1 + exp(-z)), without overflow.

    Any shape, same shape out.  Through tanh the formula is safe for every float: the form with
    `exp(-z)` overflows below about -710.

    Source: slide row 2.7.  Taught in: notebooks/05_build_the_forget_gate, section 1.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    return 0.5 * np.tanh(0.5 * np.asarray(z)) + 0.5


def sigmoid_derivative(s):
    """Give the slope of the sigmoid from its *value* `s`: s (1 - s).  Any shape.

    Source: slide row 2.7.  Taught in: notebooks/05_build_the_forget_gate, section 1.

    >>> float(sigmoid_derivative(sigmoid(0.0)))
    0.25
    """
    return s * (1 - s)


def tanh_derivative(h):
    """Give the slope of tanh from its *value* `h`: 1 - h^2.  Any shape.

    Source: slide row 2.8.  Taught in: notebooks/05_build_the_forget_gate, section 1.

    >>> float(tanh_derivative(np.tanh(0.0)))
    1.0
    """
    return 1 - h**2


def log_softmax(logits):
    """Turn scores (..., K) into log probabilities (..., K), without overflow.

    Taught in: notebooks/03_backpropagate_through_time.
    """
    # The classes go first for a moment: the largest of a few numbers, row by row, is slow.
    largest = np.moveaxis(logits, -1, 0).copy().max(axis=0)[..., np.newaxis]
    shifted = logits - largest
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def softmax(logits):
    """Turn scores (..., K) into probabilities (..., K) that sum to 1 over the last axis.

    Taught in: notebooks/03_backpropagate_through_time.

    >>> softmax(np.array([1000.0, 1000.0])).tolist()
    [0.5, 0.5]
    """
    return np.exp(log_softmax(logits))


def bias_gradient(dA):
    """Add up a gradient over the batch: (B, U) -> (U,), and with replicas (R, B, U) -> (R, 1, U).

    Every row of the batch uses the same bias, so its gradient is the sum over the rows.

    Taught in: notebooks/03_backpropagate_through_time.
    """
    return dA.sum(axis=-2, keepdims=dA.ndim > 2)


def glorot_uniform(rng, shape):
    """Draw weights (..., D, U) from U[-a, a] with a = sqrt(6 / (D + U)); leading axes are replicas.

    Source: Glorot & Bengio 2010; the default of Keras for input weights.
    """
    require.generator("rng", rng)
    limit = np.sqrt(6 / (shape[-2] + shape[-1]))
    return rng.uniform(-limit, limit, shape)


def orthogonal(rng, shape):
    """Draw orthogonal weights (..., U, U): their product with a vector keeps its length.

    Source: Saxe, McClelland & Ganguli 2014; the default of Keras for recurrent weights.
    Taught in: notebooks/04_watch_gradients_vanish.
    """
    require.generator("rng", rng)
    if shape[-1] != shape[-2]:
        raise ValueError(f"shape is {tuple(shape)}; expected two equal last axes (U, U)")
    q, r = np.linalg.qr(rng.normal(size=shape))
    # The signs of R's diagonal make the draw uniform over all orthogonal matrices.
    return q * np.sign(np.diagonal(r, axis1=-2, axis2=-1))[..., None, :]


def chrono_bias(rng, shape, longest):
    """Draw forget biases log u with u ~ U[1, longest - 1]: memory lengths 1 + u spread evenly.

    sigmoid(log u) = u / (1 + u), which keeps a value for about 1 + u steps.
    `longest` is the longest time lag of the task, at least 3.

    This is one half of the published start.  The other half is b_i = -b_f for the input gate, so
    that I = 1 - F at rest and the cell state does not fill up.  This function draws b_f alone and
    sets nothing; notebook 08 sets both halves, and measures b_f alone (b_i = 0) beside them.

    Source: Tallec & Ollivier 2018.  Taught in: notebooks/08_train_the_lstm, section 3.
    """
    require.generator("rng", rng)
    if longest < 3:
        raise ValueError(f"longest is {longest}; expected a time lag of at least 3 steps")
    return np.log(rng.uniform(1, longest - 1, shape))
