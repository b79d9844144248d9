"""A small assignment for the tests of the grader, built by code: three answers, three tests."""

import copy

import nbformat
from nbformat import v4

NAME = "toy"
POINTS = {"q1-step-test": 2.0, "q2-run-test": 3.0, "q3-latch-test": 2.0}

SETUP = """\
import numpy as np

from course_utils.classroom.answers import attempt, record, student_rng

rng = student_rng(STUDENT, "toy")
W = rng.normal(size=(3, 3)) / 2
X = rng.normal(size=(5, 3))
"""
STEP = '''\
def step(x, h):
    """Return tanh(x + h W)."""
    ### BEGIN SOLUTION return tanh(x + h W)
    return np.tanh(x + h @ W)
    ### END SOLUTION
'''
STEP_TEST = """\
assert step(X[0], np.zeros(3)).shape == (3,), "step should return an array of 3 numbers"
### BEGIN HIDDEN TESTS
secret_rng = student_rng(STUDENT, "toy, hidden")
secret_X = secret_rng.normal(size=(4, 3))
attempt("zero state", step, secret_X[0], np.zeros(3))
attempt("any state", step, secret_X[1], secret_X[2])
### END HIDDEN TESTS
"""
RUN = '''\
def run(X):
    """Return the states of all steps, shape (T, 3), from a zero state on."""
    ### BEGIN SOLUTION return the states of all steps
    h, states = np.zeros(3), []
    for x in X:
        h = np.tanh(x + h @ W)
        states.append(h)
    return np.array(states)
    ### END SOLUTION
'''
RUN_TEST = """\
print("shape of the result:", np.shape(run(X)))
### BEGIN HIDDEN TESTS
secret_rng = student_rng(STUDENT, "toy, hidden run")
attempt("a short sequence", run, secret_rng.normal(size=(2, 3)))
attempt("a long sequence", run, secret_rng.normal(size=(40, 3)), points=2)
### END HIDDEN TESTS
"""
LATCH = '''\
def latch():
    """Return (w, a) such that h = tanh(w x + a h) keeps the sign of the first input."""
    ### BEGIN SOLUTION return the pair (w, a)
    return 2.0, 3.0
    ### END SOLUTION
'''
LATCH_TEST = """\
print("w and a:", latch())
### BEGIN HIDDEN TESTS
def latch_holds(weights):
    w, a = weights
    good = []
    for first in (1.0, -1.0):
        h = np.tanh(w * first)
        for _ in range(20):
            h = np.tanh(a * h)
        good.append(np.sign(h) == first and abs(h) > 0.5)
    return np.mean(good)

attempt("both signs are kept", latch, judge=latch_holds)
### END HIDDEN TESTS
"""


def known(text, grade_id, **settings):
    """A code cell that nbgrader knows."""
    cell = v4.new_code_cell(text, id=grade_id)
    cell.metadata["nbgrader"] = {
        "grade": False,
        "solution": False,
        "locked": False,
        "task": False,
        "grade_id": grade_id,
        "schema_version": 3,
        **settings,
    }
    return cell


def answer(text, grade_id):
    """An answer cell."""
    return known(text, grade_id, solution=True)


def graded(text, grade_id):
    """A test cell."""
    return known(text, grade_id, grade=True, locked=True, points=POINTS[grade_id])


def source_notebook():
    """The source of the assignment, with solutions and hidden tests."""
    key = v4.new_code_cell('STUDENT = "your id"', id="key")
    key.metadata["tags"] = ["student-key"]
    cells = [
        v4.new_markdown_cell("# Toy\n\nThree questions.", id="title"),
        key,
        known(SETUP, "setup", locked=True),
        answer(STEP, "q1-step"),
        graded(STEP_TEST, "q1-step-test"),
        answer(RUN, "q2-run"),
        graded(RUN_TEST, "q2-run-test"),
        answer(LATCH, "q3-latch"),
        graded(LATCH_TEST, "q3-latch-test"),
    ]
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def write_source(root):
    """Write the source below `root`, as notebooks/assignments has it."""
    folder = root / "source" / NAME
    folder.mkdir(parents=True)
    nbformat.write(source_notebook(), folder / f"{NAME}.ipynb")
    (folder / "numbers.txt").write_text("1 2 3\n")
    return root


def solved(released, source, changes=None):
    """The released notebook with its solutions, except for `changes` {grade_id: text}."""
    notebook = copy.deepcopy(released)
    texts = {
        c.metadata.nbgrader.grade_id: c.source for c in source.cells if "nbgrader" in c.metadata
    }
    for cell in notebook.cells:
        known_as = cell.metadata.get("nbgrader", {})
        if known_as.get("solution"):
            grade_id = known_as["grade_id"]
            cell.source = (changes or {}).get(grade_id, texts[grade_id])
    return notebook
