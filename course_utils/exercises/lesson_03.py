"""The exercise checks of notebook 03, backpropagate through time."""

import numpy as np

from course_utils.checks import NotYet, call, exercise, expect

PARTS = ("W_xh", "W_hh", "b_h", "X", "H_0")  # what a gradient check of a vanilla RNN looks at
LEAST_GAP = 0.45  # nats per letter that memory has to save in the language of exercise 3.5


@exercise
def check_softmax_gradient(answer):
    """Check a function (logits (B, K), labels (B,)) -> gradient of the mean loss, (B, K).

    Taught in: notebooks/03_backpropagate_through_time, section 1.
    """
    logits = np.array([[1.0, 0.0, -1.0, 0.5], [0.0, 2.0, 0.0, -0.5], [0.3, 0.1, 0.0, 0.2]])
    labels = np.array([2, 1, 0])
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    y = np.eye(4)[labels]
    causes = {
        "This is the gradient of the sum; the loss is the mean over B rows": p - y,
        "The sign is turned around: it is p - y": (y - p) / 3,
        "The one of the right label is not taken off": p / 3,
        "Softmax is missing: these are the scores, not the probabilities": (logits - y) / 3,
        "The probabilities sum to 1 over the wrong axis": (
            np.exp(logits) / np.exp(logits).sum(axis=0) - y
        )
        / 3,
    }
    expect("the gradient", call(answer, logits, labels), (p - y) / 3, causes=causes)


@exercise
def check_slope(answer):
    """Check a function (loss, W, index, step) -> the central difference of loss at W[index].

    Taught in: notebooks/03_backpropagate_through_time, section 5.
    """
    W, index, step = np.array([[0.5, -1.0], [2.0, 0.25]]), (1, 0), 0.1

    def loss(weights):
        return float(np.sum(weights**3) + weights[0, 1] * weights[1, 0])

    def at(nudge, place=index):
        nudged = W.copy()
        nudged[place] += nudge
        return loss(nudged)

    given = W.copy()
    came = answer(loss, given, index, step)
    if came is None or came is ...:
        raise NotYet(f"{answer.__name__} returned {came!r}")
    central = (at(step) - at(-step)) / (2 * step)
    everywhere = (loss(W + step) - loss(W - step)) / (2 * step)
    causes = {
        "This is the one-sided difference: nudge to both sides": (at(step) - at(0)) / step,
        "This is the one-sided difference to the left: nudge to both sides": (at(0) - at(-step))
        / step,
        "The two points lie 2 * step apart, not step": (at(step) - at(-step)) / step,
        "It is not divided by the distance of the two points": at(step) - at(-step),
        "The sign is turned around: the loss above minus the loss below": -central,
        "All weights were nudged, not the one at index": everywhere,
        "W was not set back between the two nudges": (at(step) - at(0)) / (2 * step),
    }
    expect("the slope", came, central, causes=causes)
    if not np.allclose(given, W, rtol=0, atol=1e-12):
        raise NotYet("the slope is right, but W is changed afterwards. Put the old number back")


@exercise
def check_suspects(answer):
    """Check the set of gradients that are wrong in the planted bug of the hunt.

    Taught in: notebooks/03_backpropagate_through_time, section 6.
    """
    if isinstance(answer, str) or not isinstance(answer, (set, list, tuple, frozenset)):
        raise NotYet(f"the answer is {answer!r}; expected a set of names, for example {{'b_h'}}")
    unknown = set(answer) - set(PARTS)
    if unknown:
        raise NotYet(f"{min(map(str, unknown))!r} is none of {', '.join(PARTS)}")
    wrong = {"X"}
    extra = set(answer) - wrong
    if extra:
        raise NotYet(f"the gradient of {min(extra)} agrees with the central difference")
    if not wrong <= set(answer):
        raise NotYet("a wrong gradient is missing from the answer: look at every name")


@exercise
def check_streams(answer):
    """Check a function (tokens, B, T) -> chunks (N, B, T) whose rows go on from chunk to chunk.

    Taught in: notebooks/03_backpropagate_through_time, section 12.
    """
    for count, B, T in ((24, 2, 3), (26, 3, 4)):
        tokens = 10 + np.arange(count)
        N = count // (B * T)
        used = tokens[: N * B * T]
        right = used.reshape(B, N, T).swapaxes(0, 1)
        causes = {
            "Row b of a chunk goes on in row b + 1, not in row b of the next chunk: "
            "no state can be carried": used.reshape(N, B, T),
            "The first axis is the stream; expected the number of the chunk": used.reshape(B, N, T),
            "The text runs down the columns: a row must hold neighbours": used.reshape(
                N, T, B
            ).swapaxes(1, 2),
        }
        came = np.asarray(call(answer, tokens, B, T))
        if came.shape != right.shape:
            for cause, wrong in causes.items():
                if came.shape == wrong.shape and (came == wrong).all():
                    raise NotYet(
                        f"the result has shape {came.shape}; expected {right.shape}. {cause}"
                    )
        expect("the result", came, right, causes=causes)


def language_floors(words):
    """Compute what a stream of random words costs at best: (one letter back, whole past), nats.

    words: each begins with a letter that stands nowhere else, so the past tells where a word
    begins; all words are equally frequent.

    Taught in: notebooks/03_backpropagate_through_time, section 10.

    >>> [round(floor, 4) for floor in language_floors(["ba", "dii", "guuu"])]
    [0.7324, 0.3662]
    """
    letters = sorted(set("".join(words)))
    pairs = np.zeros((len(letters), len(letters)))
    for word in words:
        for following in words:
            text = word + following[0]
            for a, b in zip(text, text[1:]):
                pairs[letters.index(a), letters.index(b)] += 1
    pairs /= pairs.sum()
    share = pairs / pairs.sum(axis=1, keepdims=True)
    one_letter = -np.sum(pairs * np.log(np.where(share > 0, share, 1)))
    return float(one_letter), float(np.log(len(words)) * len(words) / sum(map(len, words)))


@exercise
def check_language(answer):
    """Check three words for which memory saves at least 0.45 nats per letter.

    Taught in: notebooks/03_backpropagate_through_time, section 10.
    """
    words = list(answer) if isinstance(answer, (list, tuple)) else answer
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise NotYet(f"the answer is {answer!r}; expected a list of three words")
    if len(words) != 3 or not all(1 <= len(word) <= 4 for word in words):
        raise NotYet(f"the words are {words}; expected three words of 1 to 4 letters")
    text = "".join(words)
    for word in words:
        if text.count(word[0]) > 1:
            raise NotYet(
                f"the letter {word[0]!r} begins {word!r} and stands elsewhere too. "
                "The first letter of a word must be found nowhere else"
            )
    one_letter, past = language_floors(words)
    if one_letter - past < LEAST_GAP:
        raise NotYet(
            f"one letter back costs {one_letter:.3f}, the whole past {past:.3f} nats per letter: "
            f"memory saves {one_letter - past:.3f}, expected at least {LEAST_GAP}. "
            "Make the letter seen last say less"
        )
