"""The losses once more, in plain loops over Python floats: slow, and easy to believe."""

import itertools
import math

import numpy as np

MASK = np.array([[True, False, True], [False, True, True]])
LOSS_FORMS = [  # shape of the answers, options
    ((3, 4), {}),
    ((2, 3, 4), {}),
    ((2, 3, 4), {"mask": MASK}),
    ((3, 2, 4), {"replicas": 3}),
    ((3, 2, 3, 4), {"replicas": 3, "mask": MASK}),
    ((3, 2, 3, 4), {"mask": MASK}),
]


def squared(y, target):
    return sum((float(a) - float(b)) ** 2 for a, b in zip(y, target, strict=True)) / len(y)


def softmax(logits, label):
    return -math.log(math.exp(logits[label]) / sum(math.exp(z) for z in logits))


def binary(logits, targets):
    total = 0.0
    for z, y in zip(logits, targets, strict=True):
        p = 1 / (1 + math.exp(-z))
        total -= y * math.log(p) + (1 - y) * math.log(1 - p)
    return total / len(logits)


def averaged(one):
    """Make a loss of whole arrays of a loss of one position."""

    def loss(Y, target, mask=None, *, replicas=None):
        if replicas is not None:
            return np.array([loss(Y[r], target[r], mask) for r in range(replicas)])
        positions = itertools.product(*map(range, Y.shape[:-1]))
        counted = [at for at in positions if mask is None or mask[at[-2:]]]
        return sum(one(Y[at], target[at]) for at in counted) / len(counted)

    return loss


SLOW_LOSSES = {
    "mean_squared_error": averaged(squared),
    "softmax_cross_entropy": averaged(softmax),
    "binary_cross_entropy": averaged(binary),
}


def draw_target(name, rng, shape):
    if name == "softmax_cross_entropy":
        return rng.integers(0, shape[-1], shape[:-1])
    return rng.random(shape) if name == "binary_cross_entropy" else rng.normal(size=shape)


def loss_gradient_error(slow, Y, target, dY, options):
    """The largest difference of dY from a central difference of the slow loss, over its size."""
    worst = 0.0
    for index in itertools.islice(itertools.product(*map(range, Y.shape)), 0, None, 5):
        step = np.zeros_like(Y)
        step[index] = 1e-5
        above, below = slow(Y + step, target, **options), slow(Y - step, target, **options)
        worst = max(worst, abs(np.sum(above - below) / 2e-5 - dY[index]))
    return worst / np.abs(dY).max()
