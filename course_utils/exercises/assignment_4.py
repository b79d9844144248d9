"""What the open project starts from: reading a text or a series, parts, batches, lines, checks."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from course_utils import tasks
from course_utils.checks import NotYet, check_no_future, exercise

DEFAULT = "course_text.txt"
PARTS = ("train", "valid", "test")


class Data(NamedTuple):
    """Hold a project's data: name, kind, values, K.

    kind: "text" or "series"; values (N,): tokens 0 .. K - 1, or floats as they came; K: how many
    characters there are, None for a series; vocabulary: turns tokens into text, None for a series.
    """

    name: str
    kind: str
    values: np.ndarray
    K: int | None
    vocabulary: tasks.Vocabulary | None


def load(my_file=..., my_column=...):
    """Read a `.txt` or a `.csv` file beside the notebook or in data/; `...` is the course's text.

    my_column: the column of a `.csv` file.  Gaps are filled with a straight line.

    Raises FileNotFoundError or ValueError that name the file and the way to mend it.
    """
    name = DEFAULT if my_file is ... else str(my_file)
    if Path(name).suffix.lower() == ".csv":
        if my_column is ...:
            raise ValueError(f"my_column is ...; expected the name of a column of {name}")
        series = tasks.read_series(name, my_column, gaps_allowed=True)
        return Data(name, "series", tasks.fill_gaps(series).values, None, None)
    text = tasks.read_text(name)
    vocabulary = tasks.Vocabulary(text)
    return Data(name, "text", vocabulary.encode(text), len(vocabulary), vocabulary)


def split(values, train=0.8, valid=0.1, gap=0):
    """Cut a sequence in order: {"train": (start, stop), "valid": ..., "test": ...}.

    gap: how many steps are left out between two parts.

    >>> split(np.arange(100), gap=5)
    {'train': (0, 80), 'valid': (85, 90), 'test': (95, 100)}
    """
    first, second, N = int(train * len(values)), int((train + valid) * len(values)), len(values)
    return {"train": (0, first), "valid": (first + gap, second), "test": (second + gap, N)}


def standardised(data, parts):
    """Give values with the mean and the spread of the *training part* taken out; tokens stay."""
    if data.kind == "text":
        return data.values
    train = data.values[slice(*parts["train"])]
    return (data.values - train.mean()) / train.std()


def crops(values, part, rng, B, T, replicas=None):
    """Yield random pieces of T steps of one part, without end; the target is the next step.

    values: tokens, or standardised floats; part: (start, stop).  Text: X and target (B, T) of
    tokens; series: both (B, T, 1).  With replicas=R an R comes first, and each has its own pieces.
    """
    inside = values[slice(*part)]
    if len(inside) < T + 2:
        raise ValueError(f"the part {part} has {len(inside)} steps; expected at least {T + 2}")
    if values.dtype.kind in "iu":
        yield from tasks.text_crops(inside, rng, B, T, replicas=replicas)
    lead = (B,) if replicas is None else (replicas, B)
    while True:
        start = rng.integers(0, len(inside) - T, size=lead)
        piece = inside[start[..., None] + np.arange(T + 1)][..., None]
        yield tasks.Batch(piece[..., :-1, :], piece[..., 1:, :])


def untrained_level(data, target):
    """Give what a network should pay before it has learned: ln K, or the mean square of targets."""
    return float(np.log(data.K) if data.kind == "text" else np.mean(target**2))


def lines(data, values, parts):
    """Compute what simple predictors pay on the test part, per step.

    Text, in nats: uniform, unigram, 2-gram to 5-gram from the training part.  Series, mean squared
    error in standardised units: the mean of the training part, the last value, a straight line
    from the last value fitted on the training part.
    """
    train, test = (values[slice(*parts[name])] for name in ("train", "test"))
    if data.kind == "text":
        names = ("uniform", "unigram", "2-gram", "3-gram", "4-gram", "5-gram")
        bits = [tasks.ngram_bits(train, test, data.K, order).mean() for order in range(6)]
        return {name: float(b * np.log(2)) for name, b in zip(names, bits, strict=True)}
    slope, level = np.polyfit(train[:-1], train[1:], 1)
    guesses = {
        "mean": np.zeros(len(test) - 1),
        "last value": test[:-1],
        "line": slope * test[:-1] + level,
    }
    return {name: float(np.mean((test[1:] - g) ** 2)) for name, g in guesses.items()}


# --------------------------------------------------------------------------- visible checks


@exercise(done="correct so far")
def check_parts(parts, values):
    """Check that three parts follow each other and are large enough."""
    if not isinstance(parts, dict) or set(parts) != set(PARTS):
        raise NotYet(f"parts has the names {list(parts)}; expected {list(PARTS)}")
    before = 0
    for name in PARTS:
        start, stop = parts[name]
        if not before <= start < stop <= len(values):
            raise NotYet(
                f"{name} goes from {start} to {stop}; expected a piece behind {before}, "
                f"up to {len(values)} at most: parts follow each other and share no step"
            )
        before = stop
    sizes = [stop - start for start, stop in (parts[name] for name in PARTS)]
    if sizes[0] < sum(sizes) / 2:
        raise NotYet(f"the training part has {sizes[0]} of {sum(sizes)} steps; expected half")
    if sizes[2] < 30:
        raise NotYet(f"the test part has {sizes[2]} steps; expected at least 30")
    values = np.asarray(values)
    train = values[slice(*parts["train"])].astype(float)
    if values.dtype.kind == "f" and not (abs(train.mean()) < 0.01 and abs(train.std() - 1) < 0.01):
        raise NotYet(
            "the values are not standardised by the mean and the spread of the training part"
        )
    if values.ndim != 1 or not np.isfinite(values.astype(float)).all():
        raise NotYet(f"values have shape {values.shape}; expected (N,), all finite")


def check_first_loss(first, level, kind):
    """Check that an untrained network pays what nobody can avoid who knows nothing."""
    room = 1.35 if kind == "text" else np.e  # an untrained output of a series is not quite zero

    @exercise(done="correct so far")
    def check(first):
        words = f"the first loss is {first:.3f}, and knowing nothing costs {level:.3f}"
        if not np.isfinite(first):
            raise NotYet(words)
        if first < level / room:
            raise NotYet(f"{words}: does the input hold the answer?")
        if first > level * room:
            raise NotYet(f"{words}: are the targets shifted, is softmax applied twice?")

    check(first)


@exercise(done="correct so far")
def check_no_leak(model, X):
    """Check that answers do not move when later steps change, and that X is not too short."""
    moves = check_no_future(model, np.asarray(X), np.random.default_rng(4))
    if (moves > 1e-5).any():
        t = int(np.argmax(moves > 1e-5))
        raise NotYet(f"answers up to step {t} move when later steps change: they use the future")
