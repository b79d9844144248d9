"""The check of notebook 00: the right answer passes, wrong ones hear their likely cause."""

import numpy as np
import pytest

from course_utils.exercises import lesson_00


def said(answer, capsys):
    lesson_00.check_count_words(answer)
    return capsys.readouterr().out.strip()


def crash(*_):
    raise ZeroDivisionError("oops")


def nothing(*_):
    return None


@pytest.mark.parametrize("answer", [..., None, nothing, crash, "text", 3.5])
def test_an_empty_or_broken_answer_is_not_yet_right(answer, capsys):
    assert said(answer, capsys).startswith("not yet: ")


def count(words, vocabulary):
    return np.array([words.count(word) for word in vocabulary])


def count_in_a_loop(words, vocabulary):
    counts = [0] * len(vocabulary)
    for word in words:
        counts[vocabulary.index(word)] += 1
    return counts


@pytest.mark.parametrize("answer", [count, count_in_a_loop])
def test_right(answer, capsys):
    assert said(answer, capsys) == "correct"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda w, v: np.array([word in w for word in v]), "not how often"),
        (lambda w, v: count(w, v) / len(w), "These are shares"),
        (lambda w, v: [w.count(word) for word in dict.fromkeys(w)], "shape (4,); expected (5,)"),
        (lambda w, v: count(w, v) + 1, "start at 0"),
        (lambda w, v: count(w, sorted(v)), "another vocabulary"),
        (lambda w, v: np.zeros(len(v)), "counts[0] is 0; expected 1"),
    ],
)
def test_wrong_answers_hear_their_cause(answer, words, capsys):
    told = said(answer, capsys)
    assert told.startswith("not yet: ")
    assert words in told


def test_the_answer_cannot_spoil_the_words(capsys):
    def greedy(words, vocabulary):
        counts = count(words, vocabulary)
        words.clear()
        return counts

    assert said(greedy, capsys) == said(greedy, capsys) == "correct"
