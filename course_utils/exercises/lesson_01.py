"""Checks of the exercises in notebook 01."""

from collections import Counter

import numpy as np

from course_utils.checks import NotYet, call, exercise, expect
from course_utils.tasks import pendulum

GOOD = {"good", "charming", "elegant", "beautiful", "loved"}
BAD = {"bad", "dull", "careless", "hated"}


@exercise
def check_same_bag(answer):
    """Check a pair of sentences: the same words equally often, in another order.

    Taught in: notebooks/01_see_why_order_matters, section 2.
    """
    if not isinstance(answer, (tuple, list)) or len(answer) != 2:
        raise NotYet(f"the answer is {answer!r}; expected two sentences, (first, second)")
    if not all(isinstance(sentence, str) and sentence.strip() for sentence in answer):
        raise NotYet(f"the answer is {answer!r}; expected two texts that are not empty")
    first, second = (sentence.lower().split() for sentence in answer)
    extra = Counter(first) - Counter(second), Counter(second) - Counter(first)
    for number, other, words in (("first", "second", extra[0]), ("second", "first", extra[1])):
        if words:
            word = next(iter(words))
            raise NotYet(f"{word!r} stands more often in the {number} than in the {other} sentence")
    if first == second:
        raise NotYet("both sentences are the same; change the order of the words")


@exercise
def check_bag_limit(answer):
    """Check a function n -> the best accuracy of a bag of words on the order of n events.

    Taught in: notebooks/01_see_why_order_matters, section 3.
    """
    for n in (2, 3, 6, 1):
        causes = {
            "That is guessing: the bag still tells how many events were A": 0.5**n,
            "That is one half in every case; see what a bag leaves open for n events": 0.5,
            "That is the answer for two events; n is an argument": 0.75,
            "That is the number of bags; divide by the number of classes": n + 1,
        }
        expect(f"limit({n})", call(answer, n), (n + 1) / 2**n, causes=causes)


@exercise
def check_accuracy(answer):
    """Check a function (Y, labels) -> share of right answers, with Y (B, K) scores.

    Taught in: notebooks/01_see_why_order_matters, section 3.
    """
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, 200)
    oracle = 9.0 * np.eye(4)[labels]
    half_right = np.concatenate([oracle[:100], -oracle[100:]])
    constant = np.tile([0.0, 1.0, 0.0, 0.0], (200, 1))
    counts = np.bincount(labels, minlength=4)
    causes = {
        "That compares a probability with the number of a class": 0.0,
        "That is the number of right answers; divide by the number of all": 200.0,
        "That is a share in percent; expected a number from 0 to 1": 100.0,
    }
    expect("accuracy of an oracle", call(answer, oracle, labels), 1.0, causes=causes)
    expect("accuracy of the opposite of an oracle", call(answer, -oracle, labels), 0.0)
    expect("accuracy of half an oracle", call(answer, half_right, labels), 0.5)
    expect("accuracy of 'always class 1'", call(answer, constant, labels), counts[1] / 200)
    for name, Y, right in (("nonsense", -oracle, 0.0), ("an oracle", oracle, 1.0)):
        expect(f"accuracy of {name}, 7 sequences", call(answer, Y[:7], labels[:7]), right)


@exercise
def check_window(answer):
    """Check a function system -> the smallest window that is within 2 % of the Kalman filter.

    Taught in: notebooks/01_see_why_order_matters, section 5.
    """
    for name, system in (
        ("the pendulum", pendulum()),
        ("a quicker one", pendulum(period=10.0)),
        ("one that is measured better", pendulum(noise=0.2)),
    ):
        k = smallest_window(system, 0.02)
        causes = {
            "One less is not enough, so it stops one step too early": k - 1,
            "A smaller window is enough, so it stops one step too late": k + 1,
            "That is 2 % below the variance, not 2 % above the Kalman filter": 1,
        }
        expect(f"the window for {name}", call(answer, system), k, causes=causes)


def smallest_window(system, share):
    """Find the smallest k whose exact error is at most (1 + share) times the Kalman filter's."""
    limit = (1 + share) * system.kalman_error()
    return next(k for k in range(1, 1000) if system.best_error(k) <= limit)


REVIEWS = (
    "charming and elegant and beautiful but dull",
    "charming but dull and careless and hated but elegant",
    "dull and careless but charming",
    "dull but charming",
    "charming but dull",
    "beautiful cover but dull story but charming and elegant end",
    "charming and charming but careless and dull",
    "a beautiful and elegant book",
    "but good",
    "loved it but",
    "a book",
)


@exercise
def check_verdict(answer):
    """Check a function (words, good, bad) -> score, where every "but" clears the score.

    Taught in: notebooks/01_see_why_order_matters, section 7.
    """
    for review in REVIEWS:
        words = review.split()
        causes = {
            "It counts the words before 'but' as well: that is a bag of words": _score(words),
            "It stops at 'but'; what comes after it decides": _score(_until(words)),
            "It goes back to the first 'but'; the last one decides": _score(_after_first(words)),
        }
        right = _score(_after_last(words))
        expect(f"score of {review!r}", call(answer, words, GOOD, BAD), right, causes=causes)


def _score(words):
    return sum((word in GOOD) - (word in BAD) for word in words)


def _until(words):
    return words[: words.index("but")] if "but" in words else words


def _after_first(words):
    return words[words.index("but") + 1 :] if "but" in words else words


def _after_last(words):
    backwards = words[::-1]
    return backwards[: backwards.index("but")][::-1] if "but" in words else words
