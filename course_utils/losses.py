"""Losses: one number to make small, and its gradient.

Each function returns (loss, dY), dY shaped as its first argument.  A mask (B, T) of bool leaves
out the steps where it is False.  With `replicas=R` the first axis holds R models: the loss is then
an array (R,), each model's own mean, and dY the gradient of each model's own loss.
"""

import numpy as np

from course_utils import require
from course_utils.functions import log_softmax, sigmoid


def mean_squared_error(Y, target, mask=None, *, replicas=None):
    """Average the squared distance between Y (..., K) and target (..., K).

    Raises ValueError for shapes that differ, for a mask of another shape or with no True in it.

    Taught in: notebooks/03_backpropagate_through_time.

    >>> mean_squared_error(np.array([[1.0, 3.0]]), np.array([[1.0, 1.0]]))[0]
    2.0
    """
    Y = _scores("Y", Y)
    target = require.no_nan("target", require.same_shape("target", target, Y.shape, "Y"))
    weight = _position_weights(Y.shape[:-1], mask, replicas)[..., None] / Y.shape[-1]
    error = Y - target
    return _total(weight * error**2, replicas), (2 * weight * error).astype(Y.dtype)


def softmax_cross_entropy(logits, labels, mask=None, *, replicas=None):
    """Average -log softmax(logits)[label], in nats: logits (..., K), labels (...) in 0 .. K-1.

    An untrained network with equal scores has the loss ln K.

    Raises ValueError or TypeError for labels of another shape, not whole, or out of range.

    Taught in: notebooks/03_backpropagate_through_time.

    >>> round(softmax_cross_entropy(np.zeros((1, 4)), np.array([2]))[0], 4)
    1.3863
    """
    logits = _scores("logits", logits)
    labels = np.asarray(labels)
    classes = logits.shape[-1]
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels hold {labels.dtype}; expected whole numbers 0 to {classes - 1}")
    if labels.shape != logits.shape[:-1]:
        raise ValueError(f"labels have shape {labels.shape}; expected {logits.shape[:-1]}")
    if labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"labels go from {labels.min()} to {labels.max()}; expected 0 to {classes - 1}"
        )
    log_p = np.ascontiguousarray(log_softmax(logits))  # so that `rows` is a view
    weight = _position_weights(labels.shape, mask, replicas)
    rows, right = log_p.reshape(labels.size, classes), (np.arange(labels.size), labels.ravel())
    picked = rows[right]
    dlogits = np.exp(log_p, out=log_p)  # and so are the rows
    rows[right] = np.exp(picked) - 1
    np.multiply(dlogits, weight[..., None], out=dlogits, casting="same_kind")
    return _total(-weight * picked.reshape(labels.shape), replicas), dlogits


def binary_cross_entropy(logits, targets, mask=None, *, replicas=None):
    """Average the cross-entropy of yes-or-no answers, in nats: logits and targets (..., K).

    targets lie between 0 and 1.  Raises ValueError as `mean_squared_error`.

    Taught in: notebooks/12_streamline_to_a_gru.

    >>> round(binary_cross_entropy(np.zeros((1, 1)), np.ones((1, 1)))[0], 4)
    0.6931
    """
    logits = _scores("logits", logits)
    targets = require.same_shape("targets", targets, logits.shape, "logits")
    if not (0 <= targets.min() and targets.max() <= 1):
        raise ValueError(f"targets go from {targets.min()} to {targets.max()}; expected 0 to 1")
    weight = _position_weights(logits.shape[:-1], mask, replicas)[..., None] / logits.shape[-1]
    # log(1 + exp(z)) - z y, written so that exp never overflows
    nats = np.maximum(logits, 0) - logits * targets + np.log1p(np.exp(-np.abs(logits)))
    dlogits = weight * (sigmoid(logits) - targets)
    return _total(weight * nats, replicas), dlogits.astype(logits.dtype)


def _scores(name, Y):
    """Return what a network answered as a floating array (..., K) that is not empty."""
    Y = require.real_array(name, Y)
    if Y.ndim == 0 or Y.size == 0:
        raise ValueError(f"{name} has shape {Y.shape}; expected (..., K), no axis empty")
    return Y if Y.dtype.kind == "f" else Y.astype(float)


def _position_weights(shape, mask, replicas):
    """Give each position the weight with which it enters its model's mean; they sum to 1."""
    if replicas is not None and (not shape or shape[0] != replicas):
        raise ValueError(f"replicas is {replicas}; expected the first axis of (R, B, ...) {shape}")
    lead = shape[:0] if replicas is None else shape[:1]
    positions = shape[len(lead) :]
    if mask is None:
        return np.asarray(1 / np.prod(positions))
    if len(positions) < 2:
        raise ValueError(f"mask has shape {np.shape(mask)}; expected None: there are no steps")
    mask = require.sequence_mask("mask", mask, *positions[-2:])
    if not mask.any():
        raise ValueError("mask is False everywhere; expected at least one step that counts")
    return mask / (mask.sum() * np.prod(positions[:-2]))


def _total(weighted, replicas):
    """Sum to one float, or to one number for each replica."""
    if replicas is None:
        return float(weighted.sum())
    return weighted.reshape(replicas, -1).sum(axis=1)
