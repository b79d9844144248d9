"""Checks of the exercises in notebook 00."""

import numpy as np

from course_utils.checks import call, exercise, expect

WORDS = ["the", "dog", "bit", "the", "other", "dog"]
VOCABULARY = ["bit", "cat", "dog", "other", "the"]
COUNTS = np.array([1, 0, 2, 1, 2])


@exercise
def check_count_words(answer):
    """Check a function (words, vocabulary) -> counts (K,), one per word of the vocabulary.

    Taught in: notebooks/00_start_here, section 4.
    """
    came = call(answer, WORDS, VOCABULARY)
    causes = {
        "It notes which words occur, not how often": COUNTS > 0,
        "These are shares; the counts sum to the number of words": COUNTS / COUNTS.sum(),
        "These are the counts in the order of the sentence, not of the vocabulary": [2, 2, 1, 1],
        "Every word of the vocabulary has one count more: start at 0": COUNTS + 1,
    }
    expect("counts", came, COUNTS, causes=causes)
    other = call(answer, [*WORDS, "cat"], VOCABULARY[::-1])
    expect("counts for another vocabulary", other, (COUNTS + [0, 1, 0, 0, 0])[::-1])
