"""Languages: Reber's grammar, counting, brackets. Their entropies are computed from the grammar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from course_utils.tasks.base import (
    LN2,
    Batch,
    Task,
    check_rng,
    entropy,
    one_hot,
    real_number,
    whole_number,
)


@dataclass(frozen=True)
class Grammar:
    """Describe a grammar as a machine: in each state two arrows, each taken with chance 1/2.

    symbols: the alphabet as a string of K characters. symbol (S, 2), next_state (S, 2) whole
    numbers; a state with one arrow has it twice. State 0 begins a string; an arrow back to 0 ends
    it. `waiting`: the states in which the outer symbol must come (none in a plain Reber grammar).

    Taught in: notebooks/08_train_the_lstm
    """

    symbols: str
    symbol: np.ndarray
    next_state: np.ndarray
    waiting: tuple[int, ...] = ()

    def stream(
        self, rng: np.random.Generator, B: int, T: int, state: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw B endless streams of strings: tokens (B, T) and the state after each, (B, T).

        state (B,) is where to go on; None begins with a new string.

        Taught in: notebooks/08_train_the_lstm
        """
        check_rng(rng)
        B, T = whole_number("B", B, 1), whole_number("T", T, 1)
        state = np.zeros(B, dtype=np.int64) if state is None else np.asarray(state)
        if state.shape != (B,):
            raise ValueError(f"state has shape {state.shape}; expected (B,) = ({B},)")
        tokens, states = np.empty((B, T), dtype=np.int64), np.empty((B, T), dtype=np.int64)
        arrows = rng.integers(0, 2, size=(T, B))
        for t in range(T):
            tokens[:, t] = self.symbol[state, arrows[t]]
            states[:, t] = state = self.next_state[state, arrows[t]]
        return tokens, states

    def strings(self, rng: np.random.Generator, B: int) -> np.ndarray:
        """Draw B whole strings as tokens (B, longest), -1 after the end of each.

        Taught in: notebooks/08_train_the_lstm
        """
        check_rng(rng)
        B = whole_number("B", B, 1)
        state, running, columns = np.zeros(B, dtype=np.int64), np.ones(B, dtype=bool), []
        while running.any():
            arrow = rng.integers(0, 2, size=B)
            columns.append(np.where(running, self.symbol[state, arrow], -1))
            state = self.next_state[state, arrow]
            running &= state != 0
        return np.stack(columns, axis=1)

    def states(self, tokens: np.ndarray) -> np.ndarray:
        """Find the state after each token of strings or streams that begin in state 0: (B, T).

        From the first -1 (the end of a string) on the answer is -1. Raises ValueError at a token
        that the grammar does not allow there.

        Taught in: notebooks/08_train_the_lstm
        """
        tokens = np.asarray(tokens)
        if tokens.ndim != 2:
            raise ValueError(f"tokens have shape {tokens.shape}; expected 2 axes (B, T)")
        rows, state = np.arange(len(tokens)), np.zeros(len(tokens), dtype=np.int64)
        states = np.empty(tokens.shape, dtype=np.int64)
        for t in range(tokens.shape[1]):
            token = tokens[:, t]
            arrow = np.where(self.symbol[state, 0] == token, 0, 1)
            state = np.where((token < 0) | (state < 0), -1, state)
            wrong = (state >= 0) & (self.symbol[state, arrow] != token)
            if wrong.any():
                row = int(rows[wrong][0])
                raise ValueError(
                    f"tokens: row {row}, step {t} is {self.text(tokens[row])[t]!r}; the grammar "
                    f"does not allow it after {self.text(tokens[row, :t])!r}"
                )
            state = np.where(state >= 0, self.next_state[state, arrow], -1)
            states[:, t] = state
        return states

    def legal(self, tokens: np.ndarray) -> np.ndarray:
        """Find the legal next symbols after each token: (B, T) -> bool (B, T, K).

        After a string's end (-1) nothing is legal.

        Taught in: notebooks/08_train_the_lstm
        """
        states = self.states(tokens)
        allowed = one_hot(self.symbol, len(self.symbols)).any(axis=1)
        return allowed[states] & (states >= 0)[..., np.newaxis]

    def outer_steps(self, tokens: np.ndarray) -> np.ndarray:
        """Find the steps whose *next* symbol is the outer one, shown long before: bool (B, T).

        Taught in: notebooks/08_train_the_lstm
        """
        return np.isin(self.states(tokens), self.waiting)

    def text(self, tokens: np.ndarray) -> str:
        """Write tokens (T,) as letters; -1 is left out.

        Taught in: notebooks/08_train_the_lstm
        """
        return "".join(self.symbols[token] for token in np.asarray(tokens) if token >= 0)

    def visits(self) -> np.ndarray:
        """Compute how often a string visits each state, on average: (S,). The sum is E[length].

        Taught in: notebooks/08_train_the_lstm
        """
        S = len(self.symbol)
        step = np.zeros((S, S))
        for arrow in (0, 1):
            np.add.at(step, (np.arange(S), self.next_state[:, arrow]), 0.5)
        step[:, 0] = 0.0  # the string is over
        return np.linalg.solve((np.eye(S) - step).T, np.eye(S)[0])

    def nats_per_string(self) -> float:
        """Compute the entropy of a whole string in nats: ln 2 at each state with two arrows.

        Taught in: notebooks/08_train_the_lstm
        """
        return float(LN2 * self.visits()[self.symbol[:, 0] != self.symbol[:, 1]].sum())

    def ngram_entropies(self, orders: int) -> list[float]:
        """Compute H(next symbol | last k symbols) of the endless stream, k = 0 .. orders - 1, nats.

        Exact: the chance of every context and, given it, of every state.

        Taught in: notebooks/08_train_the_lstm
        """
        share = self.visits() / self.visits().sum()
        contexts, entropies = [share], []
        for _ in range(orders):
            nats, longer = 0.0, []
            for weight in contexts:
                following = np.zeros((len(self.symbols), len(weight)))
                for arrow in (0, 1):
                    place = (self.symbol[:, arrow], self.next_state[:, arrow])
                    np.add.at(following, place, weight / 2)
                p = following.sum(axis=1)
                nats += p.sum() * entropy(p / p.sum())
                longer += [row for row in following if row.any()]
            contexts = longer
            entropies.append(float(nats))
        return entropies


def _reber_grammars():
    letters = "BTPSXVE"
    # Reber 1967: state -> its arrows (symbol, next state). None stands for "the string is over".
    inner = {
        0: [("B", 1)],
        1: [("T", 2), ("P", 3)],
        2: [("S", 2), ("X", 4)],
        3: [("T", 3), ("V", 5)],
        4: [("X", 3), ("S", 6)],
        5: [("P", 4), ("V", 6)],
        6: [("E", None)],
    }
    outer = {"start": [("B", "choose")], "choose": [("T", ("T", 0)), ("P", ("P", 0))]}
    for side in "TP":
        for state, arrows in inner.items():
            outer[side, state] = [(s, (side, "wait" if n is None else n)) for s, n in arrows]
        outer[side, "wait"] = [(side, "close")]
    outer["close"] = [("E", None)]

    def grammar(table):
        number = {state: i for i, state in enumerate(table)}
        both = [arrows * 2 if len(arrows) == 1 else arrows for arrows in table.values()]
        symbol = np.array([[letters.index(s) for s, _ in arrows] for arrows in both])
        target = np.array([[0 if n is None else number[n] for _, n in arrows] for arrows in both])
        waiting = tuple(
            number[state] for state in table if isinstance(state, tuple) and state[1] == "wait"
        )
        return Grammar(letters, symbol, target, waiting)

    return grammar(inner), grammar(outer)


REBER, EMBEDDED_REBER = _reber_grammars()


def reber() -> Task:
    """Make the Reber task: predict each next symbol of a string of Reber's grammar.

    X (B, T, 7) one-hot, target (B, T) the next symbol, mask (B, T): strings differ in length, T is
    the longest of the batch. Softmax cross-entropy in nats per symbol. `REBER` is the grammar.
    Source: Reber 1967; Cleeremans, Servan-Schreiber & McClelland 1989, Neural Computation
    1:372-381.

    Taught in: notebooks/08_train_the_lstm
    """
    return _string_task("Reber", REBER, {})


def embedded_reber() -> Task:
    """Make the embedded Reber task: the last symbol but one repeats the second one.

    Between them stands a whole Reber string. X (B, T, 7) one-hot, target (B, T), mask (B, T), T the
    longest of the batch; nets start anew with each string. Softmax cross-entropy in nats per
    symbol. The long memory is worth little on average: look at `EMBEDDED_REBER.outer_steps(tokens)`
    too, with tokens = X.argmax(-1). Source: Hochreiter & Schmidhuber 1997, experiment 1.

    Taught in: notebooks/08_train_the_lstm
    """
    predictions = EMBEDDED_REBER.visits().sum() - 1
    unknown = (EMBEDDED_REBER.nats_per_string() + LN2) / predictions
    return _string_task("embedded Reber", EMBEDDED_REBER, {"outer symbol unknown": float(unknown)})


def _string_task(name, grammar, levels):
    K = len(grammar.symbols)

    def sample(rng, B):
        tokens = grammar.strings(rng, B)
        mask = tokens[:, 1:] >= 0
        X = one_hot(np.maximum(tokens[:, :-1], 0), K) * mask[..., np.newaxis]
        return Batch(X, np.where(mask, tokens[:, 1:], 0), mask)

    visits = grammar.visits()
    visits[0] -= 1  # the first symbol is given
    counts = np.zeros(K)
    for arrow in (0, 1):
        np.add.at(counts, grammar.symbol[:, arrow], visits / 2)
    return Task(
        name,
        sample,
        baseline=float(entropy(counts / counts.sum())),
        optimum=grammar.nats_per_string() / float(visits.sum()),
        unit="nats per symbol",
        levels=levels,
        num_inputs=K,
        num_outputs=K,
    )


def embedded_reber_stream(T: int = 100) -> Task:
    """Make the endless task: embedded Reber strings one after the other, no sign where one ends.

    X (B, T, 7) one-hot, target (B, T) the next symbol; each sample begins with a new string.
    Softmax cross-entropy in nats per symbol; `optimum` is that of the long run.
    `embedded_reber_chunks` gives pieces that follow each other. Source: Gers, Schmidhuber & Cummins
    2000, Neural Computation 12(10):2451-2471.

    Taught in: notebooks/08_train_the_lstm
    """
    T = whole_number("T", T, 1)
    K = len(EMBEDDED_REBER.symbols)

    def sample(rng, B):
        tokens, _ = EMBEDDED_REBER.stream(rng, B, T + 1)
        return Batch(one_hot(tokens[:, :-1], K), tokens[:, 1:])

    ngrams = EMBEDDED_REBER.ngram_entropies(4)
    length = EMBEDDED_REBER.visits().sum()
    nats = EMBEDDED_REBER.nats_per_string()
    return Task(
        "endless embedded Reber",
        sample,
        baseline=ngrams[0],
        optimum=float(nats / length),
        unit="nats per symbol",
        levels={
            **{f"last {k} symbols": ngrams[k] for k in (1, 2, 3)},
            "outer symbol unknown": float((nats + LN2) / length),
        },
        num_inputs=K,
        num_outputs=K,
    )


def embedded_reber_chunks(
    rng: np.random.Generator, B: int, T: int, replicas: int | None = None
) -> Iterator[Batch]:
    """Yield pieces of B endless streams in order, without end, so that a state can be carried.

    X (B, T, 7), target (B, T); with replicas=R each replica has streams of its own, R in front.

    Taught in: notebooks/08_train_the_lstm
    """
    check_rng(rng)
    B, T = whole_number("B", B, 1), whole_number("T", T, 1)
    front = (B,) if replicas is None else (whole_number("replicas", replicas, 1), B)
    return _reber_chunks(rng, front, T)


def _reber_chunks(rng, front, T):
    K, B = len(EMBEDDED_REBER.symbols), int(np.prod(front))
    last, states = EMBEDDED_REBER.stream(rng, B, 1)
    while True:
        tokens, states = EMBEDDED_REBER.stream(rng, B, T, states[:, -1])
        tokens = np.concatenate([last, tokens], axis=1)
        last = tokens[:, -1:]
        tokens = tokens.reshape(*front, T + 1)
        yield Batch(one_hot(tokens[..., :-1], K), tokens[..., 1:])


# ---------------------------------------------------------------- counting

COUNTING_SYMBOLS = "ab."  # the point ends a string


def counting_string(n: int) -> tuple[Batch, Batch]:
    """Write a^n b^n once, as the two tasks `counting` and `counting_next_symbol` give it: B = 1.

    Taught in: notebooks/12_streamline_to_a_gru
    """
    n = whole_number("n", n, 1)
    return _counting_batch(np.array([n]), 2 * n, True), _counting_batch(np.array([n]), 2 * n, False)


def _counting_batch(n, T, legal):
    """The strings a^n b^n for n (B,): each next symbol, or the set of legal next symbols."""
    n, t = n[:, np.newaxis], np.arange(T)
    mask = t < 2 * n
    X = np.stack([t < n, (t >= n) & mask], axis=-1).astype(float)
    in_a, last = t < n, t == 2 * n - 1
    if legal:  # after an a: a or b; after a b: b until the count is reached, then the end
        target = np.stack([in_a, mask & ~last, last], axis=-1).astype(float)
    else:
        target = np.where(t + 1 < n, 0, np.where(last, 2, 1)) * mask
    return Batch(X, target, mask)


def counting(N: int = 20) -> Task:
    """Make the counting task: read a^n b^n, n uniform in 1 .. N, and name all legal next symbols.

    X (B, 2N, 2) one-hot a, b. target (B, 2N, 3) of 0 and 1: are a, b, the end "." legal next? After
    an a, both a and b; after a b, b until there are as many as a, then the end. mask (B, 2N).
    Binary cross-entropy in nats, mean over the three answers. Source: Gers & Schmidhuber 2001, IEEE
    Transactions on Neural Networks 12:1333-1340.

    Taught in: notebooks/12_streamline_to_a_gru
    """
    N = whole_number("N", N, 1)

    def sample(rng, B):
        return _counting_batch(rng.integers(1, N + 1, size=B), 2 * N, legal=True)

    n = np.arange(1, N + 1)
    steps = 2 * n.sum()
    in_a, end = n.sum() / steps, N / steps
    answers = np.array([in_a, 1 - end, end])  # how often a, b and the end are legal
    in_b = 1 - in_a
    after_b = np.array([1 - end / in_b, end / in_b])
    return Task(
        "counting a^n b^n",
        sample,
        baseline=float(entropy(np.stack([answers, 1 - answers], axis=-1)).mean()),
        optimum=0.0,
        unit="nats per answer",
        levels={"present symbol only": float(in_b * 2 * entropy(after_b) / 3)},
        num_inputs=2,
        num_outputs=3,
    )


def counting_next_symbol(N: int = 20) -> Task:
    """Make the counting task with one answer: predict the next symbol of a^n b^n.

    X (B, 2N, 2) one-hot a, b; target (B, 2N): 0 a, 1 b, 2 the end; mask (B, 2N). Softmax
    cross-entropy in nats per symbol. All that cannot be known is n, ln N nats in a string of N + 1
    symbols on average.

    Taught in: notebooks/12_streamline_to_a_gru
    """
    N = whole_number("N", N, 1)

    def sample(rng, B):
        return _counting_batch(rng.integers(1, N + 1, size=B), 2 * N, legal=False)

    n = np.arange(1, N + 1)
    counts = np.array([(n - 1).sum(), n.sum(), N])
    return Task(
        "next symbol of a^n b^n",
        sample,
        baseline=float(entropy(counts / counts.sum())),
        optimum=float(np.log(N) / (2 * n.mean())),
        unit="nats per symbol",
        num_inputs=2,
        num_outputs=3,
    )


# ---------------------------------------------------------------- brackets


def dyck(kinds: int = 1, depth: int = 8, T: int = 50, opening: float = 0.5) -> Task:
    """Make the bracket task: predict the next symbol of well-nested brackets of some kinds.

    With nothing open a bracket must open, at `depth` it must close; else it opens with chance
    `opening`, every kind alike. X (B, T, 2 kinds) one-hot, opening brackets first; target (B, T).
    Softmax cross-entropy in nats per symbol. What closes follows from what is open.

    Taught in: notebooks/13_choose_a_network
    """
    kinds, depth = whole_number("kinds", kinds, 1), whole_number("depth", depth, 1)
    T, opening = whole_number("T", T, 1), real_number("opening", opening, 0.0, 1.0)

    def sample(rng, B):
        rows, level = np.arange(B), np.zeros(B, dtype=np.int64)
        open_kinds = np.zeros((B, depth + 1), dtype=np.int64)
        tokens = np.empty((B, T + 1), dtype=np.int64)
        chance, kind = rng.random((T + 1, B)), rng.integers(0, kinds, size=(T + 1, B))
        for t in range(T + 1):
            opens = (level == 0) | ((level < depth) & (chance[t] < opening))
            closing = open_kinds[rows, np.maximum(level - 1, 0)]
            tokens[:, t] = np.where(opens, kind[t], kinds + closing)
            open_kinds[rows[opens], level[opens]] = kind[t][opens]
            level = level + np.where(opens, 1, -1)
        return Batch(one_hot(tokens[:, :-1], 2 * kinds), tokens[:, 1:])

    # The chance of each level after t symbols; `goes_up` is the chance that a bracket opens there.
    goes_up = np.full(depth + 1, opening)
    goes_up[0], goes_up[-1] = 1.0, 0.0
    per_level = entropy(np.stack([goes_up, 1 - goes_up], axis=-1)) + goes_up * np.log(kinds)
    level, best, up = np.eye(depth + 1)[0], [], []
    for _ in range(T):
        rising, falling = level * goes_up, level * (1 - goes_up)
        level = np.append(0.0, rising[:-1]) + np.append(falling[1:], 0.0)
        best.append(level @ per_level)
        up.append(level @ goes_up)
    share = float(np.mean(up))
    unknown = {"kind unknown": np.mean(best) + (1 - share) * np.log(kinds)}
    return Task(
        f"brackets of {kinds} kind(s), depth {depth}",
        sample,
        baseline=float(entropy(np.array([share, 1 - share])) + np.log(kinds)),
        optimum=float(np.mean(best)),
        unit="nats per symbol",
        levels=unknown if kinds > 1 else {},
        num_inputs=2 * kinds,
        num_outputs=2 * kinds,
    )
