"""Tasks that need a memory: remember, hold, order, add, multiply, copy, toggle.

All are drawn for many sequences at once. The sources stand at each task.
"""

from __future__ import annotations

import itertools

import numpy as np

from course_utils.tasks.base import (
    LN2,
    Batch,
    Task,
    best_guess,
    entropy,
    one_hot,
    real_number,
    whole_number,
)

UNIFORM_VARIANCE = 1 / 12  # of U[0, 1]; of U[-1, 1] it is 1/3
SIGNED_VARIANCE = 1 / 3
EVENTS = "ABcdef"  # two events and four distractors
LETTERS = "bdgaiu"
WORDS = ("ba", "dii", "guuu")


# ---------------------------------------------------------------- order


def two_event_order(T: int = 10) -> Task:
    """Make the task "which two events came, and in which order?" (classes AA, AB, BA, BB).

    Two steps at random places show an event, A or B; all others show a distractor c, d, e, f. X (B,
    T, 6) one-hot, target (B,) 0 to 3. Softmax cross-entropy in nats. A bag of words (the counts of
    the symbols) cannot tell AB from BA, so it is right in 75 % of the cases at most.

    Taught in: notebooks/01_see_why_order_matters
    """
    T = whole_number("T", T, 2)

    def places(rng, B):
        first = rng.integers(0, T, size=B)
        second = (first + rng.integers(1, T, size=B)) % T
        return np.minimum(first, second), np.maximum(first, second)

    return _order_task("two-event order", T, places)


def temporal_order(T: int = 50) -> Task:
    """Make the temporal-order task: two events, A or B, early on; name both at the end.

    The events stand at random places in [T/10, 2T/10] and [4T/10, 5T/10], so the gap to the answer
    grows with T. X (B, T, 6) one-hot, target (B,) classes AA, AB, BA, BB. Softmax cross-entropy in
    nats. Source: Pascanu, Mikolov & Bengio 2013 (arXiv 1211.5063), after Hochreiter & Schmidhuber
    1997, experiment 6a.

    Taught in: notebooks/04_watch_gradients_vanish
    """
    T = whole_number("T", T, 10)
    return _order_task("temporal order", T, _windows(T, (0.1, 0.2), (0.4, 0.5)))


def temporal_order_1997(T: int = 110) -> Task:
    """Make the temporal-order task with the eight symbols of Hochreiter & Schmidhuber 1997.

    The first symbol is always E, the last always B; X or Y stands at two random places, for T = 110
    in [10, 20] and [50, 60], scaled with T. Symbols X Y a b c d B E, one-hot (B, T, 8); target (B,)
    classes XX, XY, YX, YY. Here all sequences have the same length. Source: Neural Computation
    9(8), experiment 6a.

    Taught in: notebooks/04_watch_gradients_vanish
    """
    T = whole_number("T", T, 11)
    window = _windows(T, (10 / 110, 20 / 110), (50 / 110, 60 / 110))
    return _order_task("temporal order (1997)", T, window, frame=(7, 6))


def _windows(T, *spans):
    def places(rng, B):
        return tuple(
            rng.integers(round(T * low), max(round(T * low), round(T * high)) + 1, size=B)
            for low, high in spans
        )

    return places


def _order_task(name, T, places, frame=None):
    symbols = len(EVENTS) + (2 if frame else 0)

    def sample(rng, B):
        tokens = rng.integers(2, len(EVENTS), size=(B, T))
        if frame:
            tokens[:, 0], tokens[:, -1] = frame
        events = rng.integers(0, 2, size=(B, 2))
        rows = np.arange(B)
        for k, place in enumerate(places(rng, B)):
            tokens[rows, place] = events[:, k]
        return Batch(one_hot(tokens, symbols), 2 * events[:, 0] + events[:, 1])

    pairs = [(a, b) for a in (0, 1) for b in (0, 1)]
    known = {"one event": np.array([[a == first for a, _ in pairs] for first in (0, 1)])}
    known["bag of words"] = np.array([[a + b == ones for a, b in pairs] for ones in (0, 1, 2)])
    limits = {what: best_guess(joint) for what, joint in known.items()}
    return Task(
        name,
        sample,
        baseline=float(np.log(len(pairs))),
        optimum=0.0,
        unit="nats per sequence",
        levels={what: nats for what, (nats, _) in limits.items()},
        accuracies={
            "guess": 1 / len(pairs),
            **{what: share for what, (_, share) in limits.items()},
            "best": 1.0,
        },
        num_inputs=symbols,
        num_outputs=len(pairs),
    )


# ---------------------------------------------------------------- Elman 1990


def elman_xor(T: int = 30) -> Task:
    """Make Elman's "XOR in time": every third bit is the XOR of the two bits before it.

    Sequences begin with the first bit of a triple. X (B, T, 1) bits, target (B, T, 1) the next bit.
    Binary cross-entropy in nats per bit; two bits of three cannot be known. Source: Elman 1990,
    Cognitive Science 14:179-211.

    Taught in: notebooks/03_backpropagate_through_time
    """
    T = whole_number("T", T, 1)

    def sample(rng, B):
        bits = rng.integers(0, 2, size=(B, T // 3 + 1, 3))
        bits[:, :, 2] = bits[:, :, 0] ^ bits[:, :, 1]
        bits = bits.reshape(B, -1)[:, : T + 1, np.newaxis].astype(float)
        return Batch(bits[:, :-1], bits[:, 1:])

    random_bits = sum(t % 3 != 2 for t in range(1, T + 1))
    return Task(
        "Elman's XOR in time",
        sample,
        baseline=LN2,
        optimum=LN2 * random_bits / T,
        unit="nats per bit",
        accuracies={"guess": 0.5, "best": (random_bits / 2 + T - random_bits) / T},
        num_inputs=1,
        num_outputs=1,
    )


def elman_letters(T: int = 30) -> Task:
    """Make Elman's letters: name the next letter in a random stream of ba, dii and guuu.

    Sequences begin with a whole word. Letters b d g a i u, X one-hot (B, T, 6), target (B, T).
    Softmax cross-entropy in nats per letter: the consonants are random, the vowels follow from
    them. Source: Elman 1990, Cognitive Science 14:179-211. (He codes the letters by their
    features.)

    Taught in: notebooks/03_backpropagate_through_time
    """
    T = whole_number("T", T, 1)
    longest = max(map(len, WORDS))
    spelling = np.full((len(WORDS), longest), -1)
    for i, word in enumerate(WORDS):
        spelling[i, : len(word)] = [LETTERS.index(letter) for letter in word]

    def sample(rng, B):
        words = rng.integers(0, len(WORDS), size=(B, T // min(map(len, WORDS)) + 1))
        letters = spelling[words].reshape(B, -1)
        there = letters >= 0
        keep = there & (np.cumsum(there, axis=1) <= T + 1)
        tokens = letters[keep].reshape(B, T + 1)
        return Batch(one_hot(tokens[:, :-1], len(LETTERS)), tokens[:, 1:])

    begins = np.zeros(T + 1)  # the chance that a word begins at letter t
    begins[0] = 1.0
    for t in range(1, T + 1):
        begins[t] = sum(begins[t - len(word)] for word in WORDS if t >= len(word)) / len(WORDS)
    # How often each letter follows each, in letters 0 .. T: a word begins, then its letters come.
    pairs = np.zeros((len(LETTERS), len(LETTERS)))
    for t, word in itertools.product(range(T), WORDS):
        letters = [LETTERS.index(letter) for letter in word]
        for i, letter in enumerate(letters[: T - t]):
            if i + 1 < len(letters):
                pairs[letter, letters[i + 1]] += begins[t] / len(WORDS)
            else:
                first = [LETTERS.index(following[0]) for following in WORDS]
                pairs[letter, first] += begins[t] / len(WORDS) ** 2
    return Task(
        "Elman's letters",
        sample,
        baseline=entropy(pairs.sum(axis=0) / pairs.sum()),
        optimum=np.log(len(WORDS)) * begins[1:].mean(),
        unit="nats per letter",
        levels={"one letter back": best_guess(pairs)[0]},
        num_inputs=len(LETTERS),
        num_outputs=len(LETTERS),
    )


# ---------------------------------------------------------------- adding, multiplying, copying


def adding(T: int = 50) -> Task:
    """Make the adding problem: the sum of the two marked numbers among T.

    X (B, T, 2): a number from U[0, 1] and a mark; one mark in each half. target (B, 1) the sum.
    Mean squared error. The best constant is 1, with error 1/6. Source: Hochreiter & Schmidhuber
    1997, experiment 4, in the form of Le, Jaitly & Hinton 2015 (arXiv 1504.00941).

    Taught in: notebooks/04_watch_gradients_vanish
    """
    task, sample = _marked_pair("adding", T, lambda a, b: a + b)
    return task(
        sample,
        baseline=2 * UNIFORM_VARIANCE,
        levels={"one number known": UNIFORM_VARIANCE},
    )


def adding_1997(T: int = 100) -> Task:
    """Make the adding problem in the units of 1997: numbers from U[-1, 1], target .5 + (a + b) / 4.

    Shapes as in `adding`. Source: Hochreiter & Schmidhuber 1997, experiment 4 (without the marks at
    the first and last step, and with one length).

    Taught in: notebooks/08_train_the_lstm
    """
    task, sample = _marked_pair("adding (1997)", T, lambda a, b: 0.5 + (a + b) / 4, low=-1.0)
    one = SIGNED_VARIANCE / 4**2
    return task(sample, baseline=2 * one, levels={"one number known": one})


def multiplication(T: int = 50) -> Task:
    """Make the multiplication problem: the product of the two marked numbers among T.

    Shapes as in `adding`; mean squared error. Source: Hochreiter & Schmidhuber 1997, experiment 5.

    Taught in: notebooks/13_choose_a_network
    """
    task, sample = _marked_pair("multiplication", T, lambda a, b: a * b)
    mean, square = 1 / 2, 1 / 3  # E[x] and E[x^2] for U[0, 1]
    return task(
        sample,
        baseline=square**2 - mean**4,
        levels={"one number known": square * UNIFORM_VARIANCE},
    )


def _marked_pair(name, T, combine, low=0.0):
    T = whole_number("T", T, 2)

    def sample(rng, B):
        numbers = rng.uniform(low, 1.0, size=(B, T))
        rows = np.arange(B)
        first = rng.integers(0, T // 2, size=B)
        second = rng.integers(T // 2, T, size=B)
        marks = np.zeros((B, T))
        marks[rows, first] = marks[rows, second] = 1.0
        target = combine(numbers[rows, first], numbers[rows, second])
        return Batch(np.stack([numbers, marks], axis=-1), target[:, np.newaxis])

    def task(sample, **levels):
        return Task(
            name,
            sample,
            optimum=0.0,
            unit="mean squared error",
            num_inputs=2,
            num_outputs=1,
            **levels,
        )

    return task, sample


def copying(T: int = 20, length: int = 10, symbols: int = 8) -> Task:
    """Make the copying problem: repeat `length` symbols after T blank steps.

    X one-hot (B, T + 2 length, symbols + 2): the symbols, T blanks of which the last is the signal
    "go", then `length` blanks. target (B, T + 2 length): blank (the number `symbols`) until the
    end, then the symbols. Softmax cross-entropy in nats per step. Source: Hochreiter & Schmidhuber
    1997, in the form of Arjovsky, Shah & Bengio 2016 (arXiv 1511.06464).

    Taught in: notebooks/13_choose_a_network
    """
    T, length = whole_number("T", T, 1), whole_number("length", length, 1)
    symbols = whole_number("symbols", symbols, 2)
    blank, go, steps = symbols, symbols + 1, T + 2 * length

    def sample(rng, B):
        word = rng.integers(0, symbols, size=(B, length))
        tokens = np.full((B, steps), blank)
        tokens[:, :length] = word
        tokens[:, length + T - 1] = go
        target = np.full((B, steps), blank)
        target[:, -length:] = word
        return Batch(one_hot(tokens, symbols + 2), target)

    return Task(
        "copying",
        sample,
        baseline=float(length * np.log(symbols) / steps),
        optimum=0.0,
        unit="nats per step",
        levels={"half of the symbols known": float(length * np.log(symbols) / steps / 2)},
        num_inputs=symbols + 2,
        num_outputs=symbols + 1,
    )


# ---------------------------------------------------------------- holding a value


def latch(T: int = 100, noise: float = 0.5) -> Task:
    """Make the latch: a sign at t = 0 must be known after T noisy steps.

    X (B, T + 1, 1): -1 or 1 first, then T draws from N(0, noise^2). target (B, 1): 1 if the sign
    was plus, else 0. Binary cross-entropy in nats. Source: Bengio, Simard & Frasconi 1994, IEEE
    Transactions on Neural Networks 5:157-166.

    Taught in: notebooks/08_train_the_lstm
    """
    T = whole_number("T", T, 1)
    noise = real_number("noise", noise, 0.0, 1e3)

    def sample(rng, B):
        sign = rng.integers(0, 2, size=(B, 1))
        X = noise * rng.standard_normal((B, T + 1, 1))
        X[:, 0] = 2.0 * sign - 1
        return Batch(X, sign.astype(float))

    return _sign_task("latch", sample, num_inputs=1)


def latch_among_distractors(T: int = 50) -> Task:
    """Make the latch among distractors: hold the sign under the flag, ignore all others.

    X (B, T, 2): -1 or 1 at every step, and a flag that is 1 at one step in the first fifth. target
    (B, 1): 1 if the sign under the flag was plus, else 0. Binary cross-entropy in nats.

    Taught in: notebooks/06_build_the_input_gate
    """
    T = whole_number("T", T, 2)

    def sample(rng, B):
        X = np.zeros((B, T, 2))
        X[:, :, 0] = 2.0 * rng.integers(0, 2, size=(B, T)) - 1
        rows, when = np.arange(B), rng.integers(0, max(1, T // 5), size=B)
        X[rows, when, 1] = 1.0
        return Batch(X, (X[rows, when, :1] > 0).astype(float))

    return _sign_task("latch among distractors", sample, num_inputs=2)


def _sign_task(name, sample, num_inputs):
    return Task(
        name,
        sample,
        baseline=LN2,
        optimum=0.0,
        unit="nats per sequence",
        accuracies={"guess": 0.5, "best": 1.0},
        num_inputs=num_inputs,
        num_outputs=1,
    )


def average_until_cue(
    T: int = 50, memory: float = 0.9, cue: float = 0.05, noise: float = 0.1
) -> Task:
    """Make the task "follow a running average, and clear it when the cue comes".

    X (B, T, 2): x ~ N(0, 1) and a cue, 1 with probability `cue`. The average is c_t = memory
    c_{t-1} (1 - cue_t) + x_t, times sqrt(1 - memory^2), which makes its variance 1 where no cue
    comes. target (B, T, 1): the average plus N(0, noise^2), so that the best possible error is
    noise^2 and not 0. Mean squared error. A cell with nothing but a forget gate can do it.

    Taught in: notebooks/05_build_the_forget_gate
    """
    T = whole_number("T", T, 1)
    memory = real_number("memory", memory, 0.0, 0.9999)
    cue = real_number("cue", cue, 0.0, 1.0)
    noise = real_number("noise", noise, 0.0, 1e3)
    scale = np.sqrt(1 - memory**2)

    def sample(rng, B):
        x = rng.standard_normal((B, T))
        cues = (rng.random((B, T)) < cue).astype(float)
        kept, average = memory * (1 - cues.T), x.T.copy()  # (T, B): a step is in one piece
        for t in range(1, T):
            average[t] += kept[t] * average[t - 1]
        target = scale * average.T + noise * rng.standard_normal((B, T))
        return Batch(np.stack([x, cues], axis=-1), target[..., np.newaxis])

    variance, variances = 0.0, []
    for _ in range(T):
        variance = memory**2 * (1 - cue) * variance + scale**2
        variances.append(variance)
    return Task(
        "average until cue",
        sample,
        baseline=float(np.mean(variances)) + noise**2,
        optimum=noise**2,
        unit="mean squared error",
        levels={"present input only": float(np.mean(variances) - scale**2 + noise**2)},
        num_inputs=2,
        num_outputs=1,
    )


def hold_among_distractors(T: int = 50, write: float = 0.1, noise: float = 0.1) -> Task:
    """Make the task "hold the value that came under the flag, while other values pass by".

    X (B, T, 2): x ~ U[-1, 1] and a flag, 1 at t = 0 and then with probability `write`. target
    (B, T, 1): the x of the last flagged step plus N(0, noise^2), so that the best possible error is
    noise^2 and not 0. Mean squared error. A cell with nothing but a forget gate cannot do it.

    Taught in: notebooks/05_build_the_forget_gate
    """
    T = whole_number("T", T, 1)
    write = real_number("write", write, 0.0, 1.0)
    noise = real_number("noise", noise, 0.0, 1e3)

    def sample(rng, B):
        x = rng.uniform(-1, 1, size=(B, T))
        flags = rng.random((B, T)) < write
        flags[:, 0] = True
        held = np.take_along_axis(x, _last_true(flags), axis=1)
        target = held + noise * rng.standard_normal((B, T))
        return Batch(np.stack([x, flags.astype(float)], axis=-1), target[..., np.newaxis])

    unflagged = (1 - write) * (T - 1) / T
    return Task(
        "hold among distractors",
        sample,
        baseline=SIGNED_VARIANCE + noise**2,
        optimum=noise**2,
        unit="mean squared error",
        levels={"present input only": SIGNED_VARIANCE * unflagged + noise**2},
        num_inputs=2,
        num_outputs=1,
    )


def _last_true(flags):
    """Index of the last True at or before each step, (B, T); the first step must be True."""
    steps = np.arange(flags.shape[1])
    return np.maximum.accumulate(np.where(flags, steps, 0), axis=1)


def register(
    T: int = 30,
    write: float = 0.1,
    query: float = 0.2,
    spikes: float = 0.0,
    spike_size: float = 30.0,
) -> Task:
    """Make the register: write a number when told so, hold it, show it only when asked.

    X (B, T, 3) = (x, w, q): x ~ U[-1, 1] at every step, so unwritten numbers distract; the query
    flag q is 1 with probability `query`, the write flag w with probability `write` where q is 0; at
    t = 0 w = 1 and q = 0. target (B, T, 1): the last written x where q = 1, else 0. Mean squared
    error over all steps. With `spikes` > 0, x is -spike_size or spike_size at that share of the
    steps without w.

    Taught in: notebooks/07_build_the_output_gate
    """
    T = whole_number("T", T, 1)
    write, query = real_number("write", write, 0.0, 1.0), real_number("query", query, 0.0, 1.0)
    spikes = real_number("spikes", spikes, 0.0, 1.0)
    spike_size = real_number("spike_size", spike_size, 0.0, 1e6)

    def sample(rng, B):
        x = rng.uniform(-1, 1, size=(B, T))
        q = rng.random((B, T)) < query
        w = (rng.random((B, T)) < write) & ~q
        q[:, 0], w[:, 0] = False, True
        if spikes:
            spike = (rng.random((B, T)) < spikes) & ~w
            x = np.where(spike, spike_size * np.sign(x), x)
        target = np.where(q, np.take_along_axis(x, _last_true(w), axis=1), 0.0)
        return Batch(np.stack([x, w, q], axis=-1).astype(float), target[..., np.newaxis])

    return Task(
        "register",
        sample,
        baseline=query * (T - 1) / T * SIGNED_VARIANCE,
        optimum=0.0,
        unit="mean squared error",
        num_inputs=3,
        num_outputs=1,
    )


# ---------------------------------------------------------------- counting and toggling


def sign_of_running_sum(T: int = 30) -> Task:
    """Make the task "is the sum so far below, at or above zero?".

    X (B, T, 1): -1 or 1. target (B, T, 1): the running sum, clipped to [-1, 1]. Mean squared error.
    The state must count far, the output must not: that is what the last tanh is for.

    Taught in: notebooks/07_build_the_output_gate
    """
    T = whole_number("T", T, 1)

    def sample(rng, B):
        X = 2.0 * rng.integers(0, 2, size=(B, T, 1)) - 1
        return Batch(X, np.clip(np.cumsum(X, axis=1), -1, 1))

    # Walk the chances of every sum; `rising` are those sums that were reached by a step of +1.
    sums = np.arange(-T - 1, T + 2)
    chance = (sums == 0).astype(float)
    square, explained = [], []
    for _ in range(T):
        rising, falling = np.roll(chance, 1) / 2, np.roll(chance, -1) / 2
        chance = rising + falling
        square.append(chance @ np.sign(sums) ** 2)
        explained.append((rising @ np.sign(sums) / 0.5) ** 2)  # E[y | x = 1]^2; x = -1 mirrors it
    return Task(
        "sign of the running sum",
        sample,
        baseline=float(np.mean(square)),
        optimum=0.0,
        unit="mean squared error",
        levels={"present input only": float(np.mean(square) - np.mean(explained))},
        num_inputs=1,
        num_outputs=1,
    )


def running_parity(T: int = 20) -> Task:
    """Make the running parity: is the number of ones so far odd?

    X (B, T, 1) bits, target (B, T, 1) the parity. Binary cross-entropy in nats per step. No proper
    subset of the bits so far tells anything about it.

    Taught in: notebooks/13_choose_a_network
    """
    T = whole_number("T", T, 1)

    def sample(rng, B):
        X = rng.integers(0, 2, size=(B, T, 1))
        return Batch(X.astype(float), np.cumsum(X, axis=1) % 2 * 1.0)

    return Task(
        "running parity",
        sample,
        baseline=LN2,
        optimum=0.0,
        unit="nats per step",
        accuracies={"guess": 0.5, "best": 1.0},
        num_inputs=1,
        num_outputs=1,
    )


def neighbour_xor(T: int = 20) -> Task:
    """Make the task y_t = x_{t-1} XOR x_{t+1}, which needs the past and the future.

    X (B, T, 1) bits, target (B, T, 1). The bits before the first and after the last step exist, but
    are not shown: these two answers cannot be known. Binary cross-entropy in nats per step. Whoever
    reads forward only stays at ln 2 at every step.

    Taught in: notebooks/11_read_in_both_directions
    """
    T = whole_number("T", T, 2)

    def sample(rng, B):
        bits = rng.integers(0, 2, size=(B, T + 2, 1))
        return Batch(bits[:, 1:-1].astype(float), (bits[:, :-2] ^ bits[:, 2:]).astype(float))

    return Task(
        "XOR of the neighbours",
        sample,
        baseline=LN2,
        optimum=2 * LN2 / T,
        unit="nats per step",
        levels={"past only": LN2},
        accuracies={"guess": 0.5, "past only": 0.5, "best": 1 - 1 / T},
        num_inputs=1,
        num_outputs=1,
    )


def random_digits(T: int = 30, digits: int = 10) -> Task:
    """Make the control task "name the next of these random digits", which nobody can do.

    X one-hot (B, T, digits), target (B, T). Softmax cross-entropy in nats per step. Baseline and
    optimum are both ln 10: a smaller loss on held-out data is a leak.

    Taught in: notebooks/11_read_in_both_directions
    """
    T, digits = whole_number("T", T, 1), whole_number("digits", digits, 2)

    def sample(rng, B):
        tokens = rng.integers(0, digits, size=(B, T + 1))
        return Batch(one_hot(tokens[:, :-1], digits), tokens[:, 1:])

    nats = float(np.log(digits))
    return Task(
        "random digits",
        sample,
        baseline=nats,
        optimum=nats,
        unit="nats per step",
        accuracies={"guess": 1 / digits, "best": 1 / digits},
        num_inputs=digits,
        num_outputs=digits,
    )


def digits_of_pi(count: int = 10_000) -> np.ndarray:
    """Compute the first `count` decimal digits of pi, 3 1 4 1 5 ..., as whole numbers (count,).

    Machin 1706: pi = 16 arctan(1/5) - 4 arctan(1/239), in whole-number arithmetic.

    Taught in: notebooks/11_read_in_both_directions
    """
    count = whole_number("count", count, 1)
    one = 10 ** (count + 10)

    def arctan_inverse(x):
        term = total = one // x
        n, sign = 3, -1
        while term:
            term //= x * x
            total += sign * (term // n)
            n, sign = n + 2, -sign
        return total

    pi = (16 * arctan_inverse(5) - 4 * arctan_inverse(239)) // 10**11

    def decimals(number, width):  # halves, because Python refuses to print very long numbers
        if width <= 1000:
            return str(number).zfill(width)
        half = width // 2
        high, low = divmod(number, 10**half)
        return decimals(high, width - half) + decimals(low, half)

    return np.array(list(decimals(pi, count)), dtype=np.int64)
