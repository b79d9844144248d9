"""The two containers that every task uses, and a few exact sums.

Letters: B batch, T time steps, D inputs per step, K classes or tokens, R replicas.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

LN2 = float(np.log(2))


class Batch(NamedTuple):
    """Hold one batch: inputs, targets and, for sequences of unequal length, a mask.

    X (B, T, D) numbers or (B, T) whole numbers (tokens); target (B, ...); mask (B, T) of bool, True
    where a step counts, or None when all of them do. With replicas X and target have R in front.

    Taught in: notebooks/01_see_why_order_matters
    """

    X: np.ndarray
    target: np.ndarray
    mask: np.ndarray | None = None


@dataclass(frozen=True)
class Task:
    """Describe a task: how to draw it, what guessing costs, and what the best possible costs.

    sample(rng, B) gives a Batch of fresh data. `baseline` is the loss of the trivial predictor,
    `optimum` the smallest loss that any predictor can reach, both in `unit`. `levels` names losses
    in between, each the best loss with a certain part of the information. `accuracies` does the
    same in shares of right answers, where that is the better scale. Every number is computed.

    Raises TypeError if `rng` is not a numpy Generator, ValueError if B < 1.

    Taught in: notebooks/01_see_why_order_matters
    """

    name: str
    sample: Callable[[np.random.Generator, int], Batch]
    baseline: float
    optimum: float
    unit: str
    levels: Mapping[str, float] = field(default_factory=dict)
    accuracies: Mapping[str, float] = field(default_factory=dict)
    num_inputs: int | None = None
    num_outputs: int | None = None

    def __post_init__(self):
        draw = self.sample

        @functools.wraps(draw)
        def sample(rng: np.random.Generator, B: int) -> Batch:
            check_rng(rng)
            return draw(rng, whole_number("B", B, 1))

        object.__setattr__(self, "sample", sample)
        for name in ("baseline", "optimum"):
            object.__setattr__(self, name, float(getattr(self, name)))
        for name in ("levels", "accuracies"):
            numbers = {what: float(number) for what, number in getattr(self, name).items()}
            object.__setattr__(self, name, numbers)

    def batches(
        self, rng: np.random.Generator, B: int, replicas: int | None = None
    ) -> Iterator[Batch]:
        """Yield fresh batches without end; with replicas=R every array has R in front.

        Each replica gets data of its own. The exception: a task with a mask (sequences of unequal
        length) gives all replicas the same sequences, because one mask (B, T) serves them all.

        Taught in: notebooks/03_backpropagate_through_time
        """
        check_rng(rng)
        B = whole_number("B", B, 1)
        if replicas is None:
            return self._endless(rng, B)
        return self._endless_replicas(rng, B, whole_number("replicas", replicas, 1))

    def _endless(self, rng, B):
        while True:
            yield self.sample(rng, B)

    def _endless_replicas(self, rng, B, R):
        masked = False
        while True:
            X, target, mask = self.sample(rng, B if masked else R * B)
            masked = mask is not None
            if masked:
                X, target = (np.repeat(a[np.newaxis, :B], R, axis=0) for a in (X, target))
                mask = mask[:B]
            else:
                X, target = (a.reshape(R, B, *a.shape[1:]) for a in (X, target))
            yield Batch(X, target, mask)


def check_rng(rng: object) -> None:
    """Raise TypeError if `rng` is not a numpy Generator (a seed, for example).

    Taught in: notebooks/01_see_why_order_matters
    """
    if not isinstance(rng, np.random.Generator):
        raise TypeError(
            f"rng is {rng!r} of type {type(rng).__name__}; "
            "expected a generator, np.random.default_rng(seed)"
        )


def whole_number(name: str, value: object, least: int, most: int | None = None) -> int:
    """Return `value` as int; raise an error that names the argument when it is out of range.

    Raises TypeError if it is not a whole number, ValueError if it is below `least` or above `most`.

    Taught in: notebooks/01_see_why_order_matters
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} is {value!r}; expected a whole number")
    if value < least or (most is not None and value > most):
        limit = f">= {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"{name} is {value}; expected a whole number {limit}")
    return int(value)


def real_number(name: str, value: object, low: float, high: float) -> float:
    """Return `value` as float; raise an error that names it when it is not in [low, high].

    Raises TypeError if it is not a number, ValueError if it is outside (NaN included).

    Taught in: notebooks/01_see_why_order_matters
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{name} is {value!r}; expected a number")
    if not low <= value <= high:
        raise ValueError(f"{name} is {value}; expected a number from {low:g} to {high:g}")
    return float(value)


def one_hot(tokens: np.ndarray, num_tokens: int) -> np.ndarray:
    """Turn tokens (...) into rows with a single one, (..., K) float64.

    Raises ValueError if a token is not one of 0 .. K-1, TypeError if they are not whole numbers.

    Taught in: notebooks/01_see_why_order_matters
    """
    tokens = np.asarray(tokens)
    if tokens.dtype.kind not in "iu":
        raise TypeError(f"tokens have dtype {tokens.dtype}; expected whole numbers")
    if tokens.size and (tokens.min() < 0 or tokens.max() >= num_tokens):
        raise ValueError(
            f"tokens run from {tokens.min()} to {tokens.max()}; expected 0 to {num_tokens - 1}"
        )
    return np.eye(num_tokens).take(tokens, axis=0)


def entropy(p: np.ndarray, axis: int = -1) -> np.ndarray:
    """Compute the entropy -sum p ln p in nats along an axis; p sums to one along it.

    Taught in: notebooks/03_backpropagate_through_time
    """
    p = np.asarray(p, dtype=float)
    return -(p * np.log(np.where(p > 0, p, 1.0))).sum(axis=axis)


def best_guess(joint: np.ndarray) -> tuple[float, float]:
    """Compute what is the best possible when one feature of the input is known.

    joint (F, K): weights of (feature value, class), any positive scale. Returns the smallest cross
    entropy in nats, H(class | feature), and the largest share of right answers.

    Taught in: notebooks/01_see_why_order_matters
    """
    joint = np.asarray(joint, dtype=float)
    joint = joint / joint.sum()
    nats = entropy(joint.ravel()) - entropy(joint.sum(axis=1))
    return float(nats), float(joint.max(axis=1).sum())
