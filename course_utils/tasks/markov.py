"""Tasks whose answer depends on the past and the future, with the exact line for each view."""

from __future__ import annotations

import numpy as np

from course_utils.tasks.base import Batch, Task, entropy, real_number, whole_number


def hidden_markov(T: int = 100, stay: float = 0.97, emission: float = 0.8) -> Task:
    """Make the hidden-label task: a state that seldom changes, seen through noise; name it.

    A label, 0 or 1, stays with chance `stay`; at each step it shows itself as -1 or 1, the right
    one with chance `emission`. X (B, T, 1), target (B, T). Softmax cross-entropy in nats per step.
    The baseline knows the present symbol only, "past only" is the filter, the optimum the smoother
    (forward-backward); "2 steps late" may look two steps ahead, and so on. All exact, T steps long.
    `hidden_markov_posterior` gives the same lines on any sequences.

    Taught in: notebooks/11_read_in_both_directions
    """
    T = whole_number("T", T, 1)
    _check_hidden_markov(stay, emission)

    def sample(rng, B):
        changes = rng.random((B, T)) >= stay
        changes[:, 0] = rng.random(B) < 0.5
        label = np.cumsum(changes, axis=1) % 2
        right = rng.random((B, T)) < emission
        X = np.where(right, 2.0 * label - 1, 1 - 2.0 * label)
        return Batch(X[..., np.newaxis], label)

    delays = {"past only": 0, **{f"{d} steps late": d for d in (1, 2, 4, 8, 16)}, "best": T - 1}
    limits = _hidden_markov_limits(T, stay, emission, delays.values())
    nats = {name: limit[0] for name, limit in zip(delays, limits, strict=True)}
    shares = {name: 1 - limit[1] for name, limit in zip(delays, limits, strict=True)}
    return Task(
        "hidden Markov labels",
        sample,
        baseline=float(entropy(np.array([emission, 1 - emission]))),
        optimum=nats.pop("best"),
        unit="nats per step",
        levels=nats,
        accuracies={"present symbol only": emission, **shares},
        num_inputs=1,
        num_outputs=2,
    )


def hidden_markov_posterior(
    X: np.ndarray, delay: int | None = None, stay: float = 0.97, emission: float = 0.8
) -> np.ndarray:
    """Compute P(label_t = 1 | x_0 .. x_{t + delay}) for every step: X (B, T, 1) -> (B, T).

    delay 0 is the filter, None (look at all) the smoother. Source: Rabiner 1989, Proceedings of the
    IEEE 77:257-286, the forward-backward algorithm, here in log-odds.

    Taught in: notebooks/11_read_in_both_directions
    """
    _check_hidden_markov(stay, emission)
    X = np.asarray(X, dtype=float)
    if X.ndim != 3 or X.shape[-1] != 1 or not np.isin(X, (-1, 1)).all():
        raise ValueError(f"X has shape {X.shape}; expected (B, T, 1) with values -1 and 1")
    T = X.shape[1]
    delay = T - 1 if delay is None else min(whole_number("delay", delay, 0), T - 1)
    evidence = X[..., 0] * np.log(emission / (1 - emission))
    forward, log_odds = np.empty(evidence.shape), np.zeros(len(X))
    for t in range(T):
        forward[:, t] = log_odds = _one_step(log_odds, stay) + evidence[:, t]
    backward = np.zeros(evidence.shape)  # from the next `delay` symbols
    for _ in range(delay):
        backward[:, :-1] = _one_step(evidence[:, 1:] + backward[:, 1:], stay)
    return 1 / (1 + np.exp(-(forward + backward)))


def _check_hidden_markov(stay, emission):
    real_number("stay", stay, 0.5, 0.999)
    real_number("emission", emission, 0.501, 0.999)


def _one_step(log_odds, stay):
    """The log-odds of the label one step away."""
    return np.logaddexp(np.log(stay) + log_odds, np.log(1 - stay)) - np.logaddexp(
        np.log(1 - stay) + log_odds, np.log(stay)
    )


def _hidden_markov_limits(T, stay, emission, delays):
    """Smallest cross-entropy and error, [(nats, error)], when d further symbols may be seen.

    We follow the distribution of the posterior log-odds, given that the label is 1, on a fine grid
    (for label 0 it is the mirror image). Past and future are independent given the label, so their
    log-odds add and their distributions are convolved.
    """
    jump = np.log(emission / (1 - emission))
    per_jump = max(1, round(jump / 0.01))
    step = jump / per_jump
    half = int(np.ceil((np.log(stay / (1 - stay)) + jump) / step)) + 1
    grid = step * np.arange(-half, half + 1)
    place = _one_step(grid, stay) / step + half
    low = np.floor(place).astype(int)
    high_share = place - low

    def moved(p):  # to the next step, whose label is 1 as well with chance `stay`
        p = stay * p + (1 - stay) * p[::-1]
        new = np.bincount(low, p * (1 - high_share), len(grid))
        return new + np.bincount(low + 1, p * high_share, len(grid) + 1)[: len(grid)]

    def seen(p):  # one more symbol: right with chance `emission`
        new = np.zeros(len(grid))
        new[per_jump:] += emission * p[: len(grid) - per_jump]
        new[: len(grid) - per_jump] += (1 - emission) * p[per_jump:]
        return new

    nothing = (np.arange(len(grid)) == half).astype(float)
    past, future = [seen(nothing)], [nothing]
    for _ in range(T - 1):
        future.append(moved(past[-1]))
        past.append(seen(future[-1]))
    total = step * np.arange(-2 * half, 2 * half + 1)
    nats, error = np.logaddexp(0, -total), 1 / (1 + np.exp(np.abs(total)))
    limits = []
    for delay in delays:
        pairs = [(t, min(delay, T - 1 - t)) for t in range(T)]
        p = sum(np.convolve(past[t], future[d]) for t, d in pairs) / T
        limits.append((float(p @ nats), float(p @ error)))
    return limits


def two_sided_average(T: int = 50) -> Task:
    """Make the task of Schuster & Paliwal: a weighted average of 10 past and 20 coming numbers.

    y_t = sum_{k=1..10} (1 - k/10) x_{t-k} / 10 + sum_{k=0..19} (1 - k/20) x_{t+k} / 20, x ~ U[0,
    1]; numbers outside the sequence count as 1/2. X (B, T, 1), target (B, T, 1). Mean squared
    error. Source: Schuster & Paliwal 1997, IEEE Transactions on Signal Processing 45:2673-2681.

    Taught in: notebooks/11_read_in_both_directions
    """
    T = whole_number("T", T, 1)
    offsets = np.arange(-10, 20)
    weights = np.where(offsets < 0, (1 - np.abs(offsets) / 10) / 10, (1 - offsets / 20) / 20)

    def sample(rng, B):
        x = rng.random((B, T))
        wide = np.pad(x, ((0, 0), (10, 19)), constant_values=0.5)
        windows = np.lib.stride_tricks.sliding_window_view(wide, len(offsets), axis=1)
        return Batch(x[..., np.newaxis], (windows @ weights)[..., np.newaxis])

    when = np.arange(T)[:, np.newaxis] + offsets
    inside = (when >= 0) & (when < T)

    def error(delay):  # the variance of what lies more than `delay` steps ahead
        unknown = inside & (offsets > delay)
        return float((unknown * weights**2).sum(axis=1).mean() / 12)

    return Task(
        "two-sided average",
        sample,
        baseline=error(-11),
        optimum=0.0,
        unit="mean squared error",
        levels={"past only": error(0), **{f"{d} steps late": error(d) for d in (2, 5, 10)}},
        num_inputs=1,
        num_outputs=1,
    )
