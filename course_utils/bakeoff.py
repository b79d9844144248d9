"""Compare networks fairly: pairs of seeds and the sign test.

Taught in: notebooks/13_choose_a_network.
"""

from math import comb
from typing import NamedTuple

import numpy as np


class Pairs(NamedTuple):
    """Hold the outcome of a paired comparison: wins, losses, ties, and the p-value.

    Taught in: notebooks/13_choose_a_network, section 2
    """

    wins: int
    losses: int
    ties: int
    p: float


def sign_test(ours, theirs, *, lower_is_better=True):
    """Compare two networks seed by seed; ask how often coins would give so clear a result.

    ours, theirs (R,): a score for each seed; entry r of both has seen the same data.  NaN is worse
    than any number.  Ties are left out.  p is two-sided: the chance that R fair coins fall at least
    as unevenly.

    Raises ValueError when the shapes differ or are not (R,).

    Source: Arbuthnot 1710.  Taught in: notebooks/13_choose_a_network, section 2

    >>> sign_test([1.0, 2.0, 3.0, 4.0], [2.0, 3.0, 4.0, 4.0])
    Pairs(wins=3, losses=0, ties=1, p=0.25)
    """
    ours, theirs = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    if ours.ndim != 1 or ours.shape != theirs.shape or not ours.size:
        raise ValueError(f"ours has shape {ours.shape}, theirs {theirs.shape}; expected (R,) both")
    worst = np.inf if lower_is_better else -np.inf
    ours, theirs = (np.where(np.isnan(scores), worst, scores) for scores in (ours, theirs))
    better, worse = ours < theirs, theirs < ours
    if not lower_is_better:
        better, worse = worse, better
    wins, losses = int(better.sum()), int(worse.sum())
    return Pairs(wins, losses, ours.size - wins - losses, sign_test_p(wins, losses))


def sign_test_p(wins, losses):
    """Compute the chance that wins + losses fair coins fall at least as unevenly.

    Raises ValueError for counts below zero.

    Taught in: notebooks/13_choose_a_network, section 2

    >>> sign_test_p(10, 0), sign_test_p(5, 5)
    (0.001953125, 1.0)
    """
    if wins < 0 or losses < 0:
        raise ValueError(f"wins is {wins}, losses is {losses}; expected counts of 0 or more")
    n, few = wins + losses, min(wins, losses)
    tail = sum(comb(n, k) for k in range(few + 1)) / 2**n
    return min(1.0, 2 * tail)
