"""Sentences as in radiology reports: which findings are there, and which are negated?

All sentences are made from templates; no text of a patient is in here. The idea of the task:
Cornegruta et al. 2016 (arXiv 1609.08409), slide row 2.15.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from course_utils.tasks.base import Batch, Task, best_guess, check_rng, whole_number

FINDINGS = (
    "pneumothorax",
    "pleural effusion",
    "consolidation",
    "cardiomegaly",
    "atelectasis",
    "pulmonary oedema",
    "pneumonia",
    "lung nodule",
    "rib fracture",
    "emphysema",
    "fibrosis",
    "pleural thickening",
    "hilar enlargement",
    "lymphadenopathy",
    "hiatus hernia",
    "aortic aneurysm",
    "pericardial effusion",
    "scoliosis",
    "osteoporosis",
    "bronchiectasis",
    "cavitation",
    "calcification",
    "granuloma",
    "lung collapse",
    "haemorrhage",
    "abscess",
    "metastasis",
    "mass",
    "infiltrate",
    "embolism",
    "scarring",
    "hyperinflation",
    "subcutaneous emphysema",
    "tracheal deviation",
)
SIDES = ("affirmed", "before", "after", "pseudo")
AFFIRMED, BEFORE, AFTER, PSEUDO = range(len(SIDES))

# A slot holds one to three findings: {n:...} negated, {p:...} present; "and" or "or" joins them.
# {is}, {was} and {has} agree with the slot before. Each family is equally likely.
_FAMILIES = (
    # the trigger stands before the finding
    (
        BEFORE,
        "no {n:or}",
        "no evidence of {n:or}",
        "there is no {n:or}",
        "no sign of {n:or} is seen",
        "the lungs are free of {n:or}",
        "without {n:or}",
        "negative for {n:or} on this film",
    ),
    # the trigger stands after the finding
    (
        AFTER,
        "{n:and} {is} excluded",
        "{n:and} {is} not seen",
        "{n:and} {is} absent",
        "{n:and} {was} ruled out",
        "{n:and} {has} not been found on this film",
        "the film was taken again and {n:and} {is} not present",
    ),
    # no trigger
    (
        AFFIRMED,
        "{p:and} {is} confirmed",
        "{p:and} {is} seen",
        "{p:and} {is} present",
        "{p:and} {was} found on the left",
        "{p:and} {has} been known for years",
        "the film was taken again and {p:and} {is} now clear",
    ),
    (
        AFFIRMED,
        "there is {p:and}",
        "evidence of {p:and} on the right",
        "the film shows {p:and}",
        "signs of {p:and} are seen",
        "the lungs show {p:and}",
    ),
    # words of negation that negate no finding
    (
        PSEUDO,
        "no change in {p:and}",
        "no increase of {p:and} is seen",
        "{p:and} {is} not excluded",
        "{p:and} {is} not smaller",
        "not only {p:and} but also {p:and} {is} seen",
    ),
    # two parts
    (
        None,
        "there is {p:and} but no {n:or}",
        "no {n:or} but {p:and} {is} seen",
        "{p:and} {is} seen without {n:or}",
        "{n:and} {is} excluded but {p:and} {is} present",
    ),
)
_AGREE = {"is": ("is", "are"), "was": ("was", "were"), "has": ("has", "have")}
_LENGTHS = (1, 2, 3)
_NEGATIONS = {"no", "not", "without", "free", "negative", "excluded", "absent", "ruled"}
_FINDING = None  # stands for any finding in a structure


class _Structure(NamedTuple):
    words: tuple  # a word, or _FINDING
    negated: tuple  # one bool per finding
    sides: tuple  # one of SIDES per finding
    chance: float


def _structures():
    structures = []
    for side, *templates in _FAMILIES:
        for template in templates:
            slots = template.count("{n:") + template.count("{p:")
            share = 1 / len(_FAMILIES) / len(templates) / len(_LENGTHS) ** slots
            for lengths in itertools.product(_LENGTHS, repeat=slots):
                structures.append(_structure(side, template, lengths, share))
    return structures


def _structure(side, template, lengths, share):
    words, negated, sides, lengths = [], [], [], iter(lengths)
    parts = template.split()
    for place, part in enumerate(parts):
        if part[1:3] in ("n:", "p:"):
            count = next(lengths)
            for i in range(count):
                if i:
                    words.append(part[3:-1] if i == count - 1 else ",")
                words.append(_FINDING)
            negative = part[1] == "n"
            here = side
            if side is None:  # a template of two parts
                before = place > 0 and parts[place - 1] in _NEGATIONS
                here = (BEFORE if before else AFTER) if negative else AFFIRMED
            negated += [negative] * count
            sides += [here] * count
        elif part[0] == "{":
            words.append(_AGREE[part[1:-1]][count > 1])
        else:
            words.append(part)
    return _Structure((*words, "."), tuple(negated), tuple(sides), share)


_STRUCTURES = _structures()
REPORT_WORDS = (
    "",  # padding
    *sorted(
        {word for structure in _STRUCTURES for word in structure.words if word is not _FINDING}
        | {word for finding in FINDINGS for word in finding.split()}
    ),
)


class Reports(NamedTuple):
    """Hold B reports: words (B, T), numbers of `REPORT_WORDS`, and what each word belongs to.

    finding, negated (B, T) of bool; side (B, T) numbers of `SIDES`: does the trigger that decides
    stand before or after the finding, is there none, or only a pseudo-trigger. False and 0 where no
    finding.

    Taught in: notebooks/11_read_in_both_directions
    """

    words: np.ndarray
    finding: np.ndarray
    negated: np.ndarray
    side: np.ndarray


def radiology_reports(rng: np.random.Generator, B: int, sentences: int = 3) -> Reports:
    """Make B reports of some sentences each; shorter ones are padded with word 0.

    Taught in: notebooks/11_read_in_both_directions
    """
    check_rng(rng)
    B, sentences = whole_number("B", B, 1), whole_number("sentences", sentences, 1)
    number = {word: i for i, word in enumerate(REPORT_WORDS)}
    findings = [[number[word] for word in finding.split()] for finding in FINDINGS]
    chances = np.array([structure.chance for structure in _STRUCTURES])
    chosen = rng.choice(len(_STRUCTURES), size=(B, sentences), p=chances / chances.sum())
    rows = []
    for b in range(B):
        row = []
        for i in chosen[b]:
            structure, k = _STRUCTURES[i], 0
            order = rng.permutation(len(FINDINGS))
            for word in structure.words:
                if word is _FINDING:
                    mark = (1, int(structure.negated[k]), structure.sides[k])
                    row += [(w, *mark) for w in findings[order[k]]]
                    k += 1
                else:
                    row.append((number[word], 0, 0, 0))
        rows.append(row)
    table = np.zeros((B, max(map(len, rows)), 4), dtype=np.int64)
    for b, row in enumerate(rows):
        table[b, : len(row)] = row
    words, finding, negated, side = np.moveaxis(table, -1, 0)
    return Reports(words, finding.astype(bool), negated.astype(bool), side)


def report_text(words: np.ndarray) -> str:
    """Write the words (T,) of a report as text.

    Taught in: notebooks/11_read_in_both_directions
    """
    return " ".join(REPORT_WORDS[word] for word in words if word)


def negation_rule(words: np.ndarray) -> np.ndarray:
    """Decide by rule for each word of (B, T) reports: is there a word of negation in its clause?

    A clause ends at "." and at "but". Returns bool (B, T). Words like no, not, without, excluded
    count, on either side. The rule knows no pseudo-negation. Simpler than NegEx (Chapman et al.
    2001, Journal of Biomedical Informatics 34:301-310), but of the same kind.

    Taught in: notebooks/11_read_in_both_directions
    """
    words = np.asarray(words)
    if words.ndim != 2:
        raise ValueError(f"words have shape {words.shape}; expected 2 axes (B, T)")
    ends = np.isin(words, [REPORT_WORDS.index("."), REPORT_WORDS.index("but")])
    clause = np.cumsum(ends, axis=1) - ends  # the end belongs to the clause that it ends
    negation = np.isin(words, [REPORT_WORDS.index(word) for word in _NEGATIONS])
    counts = np.zeros((len(words), clause.max() + 1), dtype=np.int64)
    np.add.at(counts, (np.arange(len(words))[:, np.newaxis], clause), negation)
    return np.take_along_axis(counts, clause, axis=1) > 0


def _limits():
    """The best for whoever sees the past only; how often the rule is right; the share negated."""
    past, rule, negated, total = {}, 0.0, 0.0, 0.0
    for structure in _STRUCTURES:
        places = [i for i, word in enumerate(structure.words) if word is _FINDING]
        tokens = [[0 if word is _FINDING else REPORT_WORDS.index(word) for word in structure.words]]
        guess = negation_rule(np.array(tokens))[0]
        for place, negative in zip(places, structure.negated, strict=True):
            weights = past.setdefault(structure.words[: place + 1], [0.0, 0.0])
            weights[negative] += structure.chance
            rule += structure.chance * (guess[place] == negative)
            negated += structure.chance * negative
            total += structure.chance
    return best_guess(np.array(list(past.values()))), rule / total, negated / total


def radiology(sentences: int = 3) -> Task:
    """Make the negation task: is this finding negated? Asked at each word of each finding.

    X (B, T) words as numbers of `REPORT_WORDS` (0 pads), target (B, T): 1 negated, 0 present; mask
    (B, T): the words of findings. Softmax cross-entropy in nats per word of a finding. "past only"
    is exact: the best that can be said from the words up to the finding. The whole sentence always
    decides. `radiology_reports` gives the same reports with the side of the trigger.

    Taught in: notebooks/11_read_in_both_directions
    """
    sentences = whole_number("sentences", sentences, 1)

    def sample(rng, B):
        reports = radiology_reports(rng, B, sentences)
        return Batch(reports.words, reports.negated.astype(np.int64), reports.finding)

    (past_nats, past_share), rule, negated = _limits()
    return Task(
        "negated findings",
        sample,
        baseline=best_guess(np.array([[negated, 1 - negated]]))[0],
        optimum=0.0,
        unit="nats per word of a finding",
        levels={"past only": past_nats},
        accuracies={
            "guess": max(negated, 1 - negated),
            "past only": past_share,
            "rule": rule,
            "best": 1.0,
        },
        num_inputs=len(REPORT_WORDS),
        num_outputs=2,
    )
