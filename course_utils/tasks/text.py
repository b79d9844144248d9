"""Text as sequences: where to get it, how to cut it, and what simple predictors reach on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from course_utils.tasks.base import Batch, check_rng, one_hot, whole_number


def pydoc_text() -> str:
    """Return Python's own reference text, about 465,000 characters of English prose.

    The topics of `pydoc_data.topics` in alphabetical order, one blank line between them. The text
    differs a little between Python versions. Every Python has it, so nothing is downloaded.

    Taught in: notebooks/03_backpropagate_through_time
    """
    from pydoc_data.topics import topics

    return "\n\n".join(topics[name].strip() for name in sorted(topics)) + "\n"


def standard_library_files() -> list[Path]:
    """List the top-level source files of the standard library in alphabetical order.

    Raises FileNotFoundError if this Python came without them.

    Taught in: notebooks/11_read_in_both_directions
    """
    import os

    folder = Path(os.__file__).parent
    files = sorted(path for path in folder.glob("*.py") if not path.name.startswith("__"))
    if not files:
        raise FileNotFoundError(
            f"no source files in {folder}; this Python came without the source of its library"
        )
    return files


def standard_library_source(num_characters: int | None = None) -> str:
    """Return the source of the standard library's top-level modules, files in alphabetical order.

    About 4.7 million characters; with `num_characters` only the first ones, whole files, until
    there are at least so many.

    Taught in: notebooks/09_use_lstm_layers_in_keras
    """
    if num_characters is not None:
        num_characters = whole_number("num_characters", num_characters, 1)
    parts, total = [], 0
    for path in standard_library_files():
        parts.append(path.read_text(encoding="utf-8"))
        total += len(parts[-1])
        if num_characters is not None and total >= num_characters:
            break
    return "".join(parts)


class Vocabulary:
    """Number the characters of a text: `encode` makes tokens of a text, `decode` a text of tokens.

    Characters are numbered in the order of their code points. `characters` is the list as one
    string, `len(vocabulary)` is K. Raises TypeError if the text is no string, ValueError if it is
    empty.

    >>> vocabulary = Vocabulary("abracadabra")
    >>> vocabulary.characters, vocabulary.encode("cab"), vocabulary.decode([2, 0, 1])
    ('abcdr', array([2, 0, 1]), 'cab')

    Taught in: notebooks/03_backpropagate_through_time
    """

    def __init__(self, text: str):
        if not isinstance(text, str):
            raise TypeError(f"text is of type {type(text).__name__}; expected a string")
        if not text:
            raise ValueError("text is empty; expected at least one character")
        self.characters = "".join(sorted(set(text)))
        self._numbers = {character: i for i, character in enumerate(self.characters)}

    def __len__(self) -> int:
        return len(self.characters)

    def __repr__(self) -> str:
        return f"Vocabulary of {len(self)} characters: {self.characters!r}"

    def encode(self, text: str) -> np.ndarray:
        """Turn a text of T characters into tokens, (T,) whole numbers.

        Raises ValueError that names the first unknown character and its place.
        """
        try:
            return np.array([self._numbers[character] for character in text], dtype=np.int64)
        except KeyError as error:
            unknown = error.args[0]
            raise ValueError(
                f"character {unknown!r} (place {text.index(unknown)}) is not in the vocabulary; it "
                f"has {self.characters!r}. Make the vocabulary from the whole text, or leave the "
                "character out"
            ) from None

    def decode(self, tokens: np.ndarray) -> str:
        """Turn tokens (T,) into a text. Raises ValueError if a token is not one of 0 .. K-1."""
        tokens = np.asarray(tokens)
        if tokens.size and (tokens.min() < 0 or tokens.max() >= len(self)):
            raise ValueError(
                f"tokens run from {tokens.min()} to {tokens.max()}; expected 0 to {len(self) - 1}"
            )
        return "".join(self.characters[token] for token in tokens)


def text_chunks(
    tokens: np.ndarray,
    B: int,
    T: int,
    *,
    num_tokens: int | None = None,
    replicas: int | None = None,
) -> Iterator[Batch]:
    """Cut a text into B parallel streams and yield them T characters at a time, in order.

    Row b of each batch goes on where row b of the batch before stopped, so a state can be carried
    from batch to batch (truncated backpropagation through time). One pass; at its end the carried
    state must be set back. X (B, T) tokens, or (B, T, K) one-hot with num_tokens=K; target (B, T)
    the next character. With replicas=R all replicas read the same streams. What is left over at the
    end is dropped. Raises ValueError if the text is too short for one batch.

    Taught in: notebooks/03_backpropagate_through_time
    """
    tokens = _tokens(tokens)
    B, T = whole_number("B", B, 1), whole_number("T", T, 1)
    length = (len(tokens) - 1) // B // T * T
    if length == 0:
        raise ValueError(
            f"tokens are {len(tokens)} long; expected more than B * T = {B * T} for one batch"
        )
    X = tokens[: B * length].reshape(B, length)
    target = tokens[1 : B * length + 1].reshape(B, length)
    if replicas is not None:
        R = whole_number("replicas", replicas, 1)
        X, target = (np.repeat(a[np.newaxis], R, axis=0) for a in (X, target))
    return _chunks(X, target, T, num_tokens)


def _chunks(X, target, T, num_tokens):
    for start in range(0, X.shape[-1], T):
        part = X[..., start : start + T]
        part = part if num_tokens is None else one_hot(part, num_tokens)
        yield Batch(part, target[..., start : start + T])


def text_crops(
    tokens: np.ndarray,
    rng: np.random.Generator,
    B: int,
    T: int,
    *,
    num_tokens: int | None = None,
    replicas: int | None = None,
) -> Iterator[Batch]:
    """Yield B random pieces of T characters, without end; each replica gets pieces of its own.

    X (B, T) tokens, or (B, T, K) one-hot with num_tokens=K; target (B, T) the next character.
    Pieces do not follow each other, so no state may be carried. Raises ValueError if the text is
    too short.

    Taught in: notebooks/03_backpropagate_through_time
    """
    check_rng(rng)
    tokens = _tokens(tokens)
    B, T = whole_number("B", B, 1), whole_number("T", T, 1)
    if len(tokens) <= T:
        raise ValueError(f"tokens are {len(tokens)} long; expected more than T = {T}")
    front = () if replicas is None else (whole_number("replicas", replicas, 1),)
    return _crops(tokens, rng, (*front, B), T, num_tokens)


def _crops(tokens, rng, shape, T, num_tokens):
    while True:
        start = rng.integers(0, len(tokens) - T, size=shape)
        piece = tokens[start[..., np.newaxis] + np.arange(T + 1)]
        X = piece[..., :-1]
        yield Batch(X if num_tokens is None else one_hot(X, num_tokens), piece[..., 1:])


def _tokens(tokens):
    tokens = np.asarray(tokens)
    if tokens.ndim != 1 or tokens.dtype.kind not in "iu":
        raise ValueError(
            f"tokens have shape {tokens.shape} and dtype {tokens.dtype}; expected (N,) whole "
            "numbers, as Vocabulary.encode makes them"
        )
    return tokens.astype(np.int64, copy=False)


def ngram_bits(train: np.ndarray, test: np.ndarray, num_tokens: int, order: int) -> np.ndarray:
    """Compute the code length in bits, (N,), that an n-gram model gives to each token of `test`.

    The model counts in `train` only and predicts from the last `order - 1` tokens: order 1 is the
    unigram, order 0 gives all K tokens the same chance. Orders are mixed by Witten and Bell's rule
    (1991, IEEE Transactions on Information Theory 37:1085-1094): after the context h,

        p(c | h) = (n(hc) + d(h) p(c | shorter h)) / (n(h) + d(h)),

    n counts, d(h) the number of different tokens seen after h. So every token keeps a chance above
    0, and the chances sum to one. The first tokens of `test` have the context they have there.

    Taught in: notebooks/03_backpropagate_through_time
    """
    train, test = _tokens(train), _tokens(test)
    num_tokens = whole_number("num_tokens", num_tokens, 1)
    order = whole_number("order", order, 0, int(62 / max(1.0, np.log2(num_tokens + 1))))
    for name, tokens in (("train", train), ("test", test)):
        if not len(tokens) or tokens.min() < 0 or tokens.max() >= num_tokens:
            raise ValueError(f"{name} must hold at least one token, all from 0 to {num_tokens - 1}")
    p = np.full(len(test), 1.0 / num_tokens)
    for n in range(1, order + 1):
        grams, counts = np.unique(_codes(train, n, num_tokens), return_counts=True)
        if not len(grams):
            break
        contexts, starts = np.unique(grams // num_tokens, return_index=True)
        totals = np.add.reduceat(counts, starts)
        kinds = np.diff(np.append(starts, len(grams)))
        seen = _codes(test, n, num_tokens)
        n_hc = _look_up(grams, counts, seen)
        n_h = _look_up(contexts, totals, seen // num_tokens)
        d_h = _look_up(contexts, kinds, seen // num_tokens)
        tail = p[n - 1 :]
        known = n_h > 0
        tail[known] = (n_hc + d_h * tail)[known] / (n_h + d_h)[known]
    return -np.log2(p)


def _codes(tokens, n, K):
    """Number every run of n tokens: (N - n + 1,)."""
    code = np.zeros(max(0, len(tokens) - n + 1), dtype=np.int64)
    for i in range(n):
        code = code * K + tokens[i : i + len(code)]
    return code


def _look_up(keys, values, wanted):
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0)


def compressed_bits(text: str, split: int, method: str) -> float:
    """Compute what a compressor pays for text[split:] after text[:split], in bits per character.

    The size of the whole minus the size of the first part, over the characters of the rest.
    method is "zlib", "bz2" or "lzma", each at its best setting.

    Taught in: notebooks/03_backpropagate_through_time
    """
    import bz2
    import lzma
    import zlib

    compressors = {
        "zlib": lambda data: zlib.compress(data, 9),
        "bz2": lambda data: bz2.compress(data, 9),
        "lzma": lambda data: lzma.compress(data, preset=9 | lzma.PRESET_EXTREME),
    }
    if method not in compressors:
        raise ValueError(f"method is {method!r}; expected one of {', '.join(compressors)}")
    split = whole_number("split", split, 1, len(text) - 1)
    size = [len(compressors[method](part.encode("utf-8"))) for part in (text[:split], text)]
    return 8 * (size[1] - size[0]) / (len(text) - split)


def text_baselines(text: str, *, split: int | None = None, order: int = 6) -> dict[str, float]:
    """Compute what simple predictors pay for text[split:], in bits per character.

    Keys: "uniform", "unigram", "2-gram" .. f"{order}-gram", "zlib", "bz2", "lzma"; split is the
    middle when None. The n-grams learn from the first part only; the compressors go on learning.

    Taught in: notebooks/03_backpropagate_through_time
    """
    vocabulary = Vocabulary(text)
    tokens = vocabulary.encode(text)
    split = len(text) // 2 if split is None else whole_number("split", split, 1, len(text) - 1)
    bits = {}
    for n in range(order + 1):
        name = {0: "uniform", 1: "unigram"}.get(n, f"{n}-gram")
        bits[name] = float(ngram_bits(tokens[:split], tokens[split:], len(vocabulary), n).mean())
    for method in ("zlib", "bz2", "lzma"):
        bits[method] = compressed_bits(text, split, method)
    return bits
