"""Assignments 1 and 2: the key runs for every student, checks teach, mistakes cost their marks."""

import ast
import functools
import importlib
import json
from pathlib import Path

import numpy as np
import pytest

from course_utils.cells import LSTMCell
from course_utils.classroom.answers import collect
from course_utils.classroom.judge import judge_cell
from course_utils.exercises import assignment_1, assignment_2
from course_utils.recurrent import scan

PROJECT = Path(__file__).parents[1]
NAMES = {"a1": "a1_rnn_and_bptt", "a2": "a2_lstm"}
KEYS = ("ada", "bob", "cleo")
ONLY_PRINTS = ("q7-run",)  # given cells that define nothing


@functools.cache
def source(short):
    name = NAMES[short]
    path = PROJECT / "notebooks" / "assignments" / "source" / name / f"{name}.ipynb"
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def grader_of(cell):
    return cell["metadata"].get("nbgrader", {})


def run(short, student, changes=None, tests=None):
    """Run a source notebook in this process -> {test cell: its records}.

    changes: {answer cell: other source}; tests: the test cells to run, None for all.
    """
    names, records = {"__name__": "__main__"}, {}
    for cell in source(short):
        if cell["cell_type"] != "code":
            continue
        text = "".join(cell["source"])
        if "student-key" in cell["metadata"].get("tags", []):
            text = f"STUDENT = {student!r}"
        grade_id = grader_of(cell).get("grade_id")
        left_out = grader_of(cell).get("grade") and grade_id not in (tests or [])
        if tests is not None and (left_out or grade_id in ONLY_PRINTS):
            continue
        text = (changes or {}).get(grade_id, text)
        with collect() as got:
            exec(compile(text, cell["id"], "exec"), names)
        if grader_of(cell).get("grade"):
            records[grade_id] = got
    return records


@functools.cache
def key(short, student):
    return run(short, student)


def share(came, expected):
    """What a recorded case is worth to the grader, from 0 to 1."""
    return judge_cell([expected], [came])[0]


def marks(short, student, changes):
    """{test cell: marks} with some answers changed; the cells of all other questions have theirs.

    `test_a_question_is_marked_on_its_own` says why these need not run again.
    """
    touched = {f"{grade_id}-test" for grade_id in changes} or set(maxima(short))
    came, result = run(short, student, changes, touched), dict(maxima(short))
    for grade_id in touched:
        result[grade_id] *= judge_cell(key(short, student)[grade_id], came[grade_id])[0]
    return result


def maxima(short):
    return {
        grader_of(cell)["grade_id"]: grader_of(cell)["points"]
        for cell in source(short)
        if grader_of(cell).get("locked") and grader_of(cell).get("grade")
    }


@functools.cache
def mistakes(short):
    module = importlib.import_module(f"mistakes_{NAMES[short]}")
    assert set(module.SAYS) == set(module.MISTAKES)
    return module.MISTAKES, module.SAYS


ALL_MISTAKES = [(short, name) for short in NAMES for name in mistakes(short)[0]]


# ------------------------------------------------------------------ the form


@pytest.mark.parametrize("short", NAMES)
def test_the_form_of_the_source(short):
    cells = source(short)
    ids = [grader_of(cell)["grade_id"] for cell in cells if grader_of(cell)]
    assert len(set(ids)) == len(ids)
    assert len({cell["id"] for cell in cells}) == len(cells)
    assert sum("student-key" in cell["metadata"].get("tags", []) for cell in cells) == 1
    answers = [
        cell for cell in cells if grader_of(cell).get("solution") and cell["cell_type"] == "code"
    ]
    assert 6 <= len(maxima(short)) <= 10
    assert len(answers) == len(maxima(short))
    for cell in answers:
        text = "".join(cell["source"])
        assert f"{grader_of(cell)['grade_id']}-test" in maxima(short)
        begin, end = text.index("### BEGIN SOLUTION write "), text.index("### END SOLUTION")
        assert text[begin:end].count("\n") <= 26, "at most about 25 lines to write"
    for cell in cells:
        assert not cell.get("outputs")
        if grader_of(cell).get("grade") and cell["cell_type"] == "code":
            text = "".join(cell["source"]).rstrip()
            assert text.endswith("### END HIDDEN TESTS")
            visible = text[: text.index("### BEGIN HIDDEN TESTS")]
            assert "check." in visible
            assert "attempt(" not in visible


@pytest.mark.parametrize("short", NAMES)
def test_points_and_minutes_of_the_table_are_those_of_the_questions(short):
    cells = source(short)
    table = [
        line.strip(" |\n").split(" | ") for line in cells[0]["source"] if line.startswith("| ")
    ]
    rows = [row for row in table if row[0].isdigit()]
    text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    for number, _, points, minutes in rows:
        (head,) = [line for line in text.splitlines() if line.startswith(f"## Question {number}:")]
        assert f"({points} points, {minutes} minutes" in head
    graded = [grader_of(cell)["points"] for cell in cells if grader_of(cell).get("grade")]
    assert graded == [int(points) for _, _, points, _ in rows]
    total = sum(int(minutes) for *_, minutes in rows)
    assert 60 <= total <= 120
    assert f"About {total} minutes, {sum(graded)} points" in "".join(cells[0]["source"])


@pytest.mark.parametrize("short", NAMES)
def test_a_question_is_marked_on_its_own(short):
    """No hidden case of a question uses what another answer cell defines."""
    defined, used = {}, {}
    for cell in source(short):
        grade_id, text = grader_of(cell).get("grade_id"), "".join(cell["source"])
        if grader_of(cell).get("solution") and cell["cell_type"] == "code":
            (function,) = ast.parse(text).body
            defined[f"{grade_id}-test"] = function.name
        elif grade_id in maxima(short):
            hidden = text[text.index("### BEGIN HIDDEN TESTS") :]
            used[grade_id] = {n.id for n in ast.walk(ast.parse(hidden)) if isinstance(n, ast.Name)}
    assert defined.keys() == used.keys()
    for grade_id, names in used.items():
        assert names & set(defined.values()) == {defined[grade_id]}


# ------------------------------------------------------------------ the key


@pytest.mark.parametrize("short", NAMES)
@pytest.mark.parametrize("student", KEYS)
def test_the_key_runs_for_every_student_and_records_plain_answers(short, student):
    records = key(short, student)
    assert set(records) == set(maxima(short))
    for grade_id, got in records.items():
        assert got, grade_id
        cases = [record["case"] for record in got]
        assert len(set(cases)) == len(cases), grade_id
        assert [record for record in got if "value" not in record] == []
        assert "NaN" not in "".join(record["value"] for record in got)
    assert marks(short, student, {}) == pytest.approx(maxima(short))


@pytest.mark.parametrize("short", NAMES)
def test_every_visible_check_praises_the_solution(short, capsys):
    run(short, "dan")
    said = capsys.readouterr().out
    assert said.count("correct so far") == len(maxima(short))
    assert "not yet" not in said


@pytest.mark.parametrize("short", NAMES)
def test_no_visible_check_praises_an_empty_answer(short, capsys):
    stubs = {}
    for cell in source(short):
        if grader_of(cell).get("solution") and cell["cell_type"] == "code":
            text = "".join(cell["source"])
            head = text[: text.index("### BEGIN SOLUTION")]
            stubs[grader_of(cell)["grade_id"]] = f'{head}raise NotImplementedError("write it")\n'
    records = run(short, "dan", stubs)
    said = capsys.readouterr().out
    assert "correct so far" not in said
    assert said.count("raised NotImplementedError: write it") == len(maxima(short))
    assert all("error" in record for got in records.values() for record in got)


@functools.cache
def solutions(short):
    """The names of a source notebook when none of its test cells has run."""
    names = {"__name__": "__main__"}
    for cell in source(short):
        if cell["cell_type"] == "code" and not grader_of(cell).get("grade"):
            exec(compile("".join(cell["source"]), cell["id"], "exec"), names)
    return names


def near(came, shown, digits=2):
    """Is `shown` what a text prints of `came`?"""
    return np.allclose(np.asarray(came, dtype=float), shown, rtol=0, atol=0.5001 * 10.0**-digits)


def test_the_worked_examples_of_assignment_1():
    do = solutions("a1")
    p = {name: np.array([[w]]) for name, w in (("W_xh", 2.0), ("W_hh", 1.0), ("W_gh", 0.5))}
    p["b_h"] = np.array([-1.0])
    x, h, g = (np.array([[number]]) for number in (1.0, 0.5, -1.0))
    H_next, G_next = do["two_step"](x, h, g, p)
    assert near(H_next, 0.76)
    assert near(G_next, 0.5)

    def rule(x, h, g):
        return x + 2 * h - g, h

    X, state = np.array([[[1.0], [0], [2]]]), (np.array([[1.0]]), np.array([[0.0]]))
    assert do["run"](rule, X, state)[0].ravel().tolist() == [3, 5, 9]
    mask = np.array([[True, False, True]])
    assert do["run"](rule, X, state, mask)[0].ravel().tolist() == [3, 3, 7]

    one, quarter = np.array([[1.0]]), np.array([[0.25]])
    dX, dH, dG, _ = do["two_step_back"](one, quarter, x, h, g, H_next, p)
    assert near([dX, dH, dG], [[[0.84]], [[0.67]], [[0.21]]])

    turn = np.array([[0, 0.5], [-0.5, 0]])
    assert np.allclose(do["decay"](turn, np.array([[3.0, 4.0]]), 0.1), (0.5, 1, 4))
    grads = {"W_xh": np.array([[3.0, 4.0]]), "b_h": np.array([12.0, 0.0])}
    for limit, factor in ((6.5, 0.5), (20.0, 1.0)):
        clipped, norms = do["clip_groups"](grads, [(("W_xh", "b_h"), limit)])
        assert norms == [13]
        assert all(np.allclose(clipped[name], factor * grads[name]) for name in grads)
    assert near(do["floors"](["ab", "c"], np.array([0.25, 0.75])), (0.95, 0.45, 0.45))
    line = {"W_xh": [[0.01]], "W_hh": [[1.0]], "b_h": [0.0], "W": [[1.0, 1.0]]}
    y, _ = assignment_1.run_memory(line, [[1.0, -1.0, 0.0], [-1.0, 1.0, 0.0]])
    assert np.allclose(y, 0, atol=1e-5)  # (1, -1) looks like (-1, 1)


def test_the_worked_examples_of_assignment_2():
    do = solutions("a2")
    p = {f"W_{kind}{g}": np.zeros((1, 1)) for kind in "xh" for g in "ifoc"}
    p |= {f"b_{g}": np.zeros(1) for g in "ifoc"} | {f"p_{g}": np.zeros(1) for g in "if"}
    p["p_o"] = np.array([3.0])
    zero, C = np.zeros((1, 1)), np.array([[2.0]])
    H_next, C_next, gates = do["peephole_step"](zero, zero, C, p)
    assert near([gates["i"], gates["f"], gates["c"], C_next], [[[0.5]], [[0.5]], [[0]], [[1]]])
    assert near([gates["o"], H_next], [[[0.95]], [[0.73]]])
    dA, dC, _ = do["peephole_back"](zero + 1, zero, C, C_next, gates, p)
    assert near(dA["o"], 0.034, digits=3)
    assert near(gates["o"] * (1 - np.tanh(1) ** 2), 0.40)
    assert near(3 * dA["o"], 0.10)
    assert near(dC, 0.25)

    kernel, _, bias = do["from_file"](
        np.array([[1], [2], [3], [4]]), np.zeros((4, 1)), np.array([1, 2, 3, 4, 0, 0, 5, 0])
    )
    assert kernel.tolist() == [[1, 3, 4, 2]]
    assert bias.tolist() == [1, 8, 4, 2]
    F = np.array([[0.8, 0.9], [0.8, 0.9], [0.7, 0.9], [1.0, 0.9]])[None]
    assert do["steps_to_half"](F).tolist() == [[3, -1]]
    assert near(do["spread_biases"](3, 1, 100)[0], (0, 2.63, 4.97))

    cell = LSTMCell(1, 1, np.random.default_rng(0))
    _, _, tape = scan(cell, np.ones((1, 2, 1)))
    tape = [trace._replace(F=np.array([[f]])) for trace, f in zip(tape, (0.5, 0.8))]
    assert np.allclose(do["roads"](cell, tape, np.ones((1, 1)), ""), 0.4)

    F = np.array([[0.95, 0.02, 0.5, 0.99], [0.97, 0.5, 0.5, 0.5]])[..., None]
    mask = np.array([[True] * 4, [True, False, False, False]])
    assert np.allclose(do["saturation"](F, mask), [[0.2, 0.6]])
    steps = (
        (0.5, 1, 0, 0),
        (0.7, 0, 0, 0),
        (0.25, 1, 0, 0),
        (0, 0, 0, 1),
        (0.1, 1, 1, 0),
        (0, 0, 0, 1),
    )
    rows = do["till"](list(assignment_2.COLUMNS))
    answers = assignment_2.run_till(rows, np.array([steps]), assignment_2.COLUMNS)
    assert near(answers, [[0, 0, 0, 0.75, 0, 0.1]])


@pytest.mark.parametrize("short", NAMES)
def test_two_students_get_different_data(short):
    ada, bob = key(short, "ada"), key(short, "bob")
    differ = [
        grade_id
        for grade_id in ada
        if [record["value"] for record in ada[grade_id]]
        != [record["value"] for record in bob[grade_id]]
    ]
    assert len(differ) >= 0.8 * len(ada)


@pytest.mark.parametrize("short", NAMES)
def test_answers_of_a_neighbour_do_not_pass(short):
    """The numbers of one student, handed in by another, lose nearly all marks."""
    ada, bob = key(short, "ada"), key(short, "bob")
    for grade_id in ada:
        judged = any(record["judge"] for record in ada[grade_id])
        copied = [share(a, b) for a, b in zip(ada[grade_id], bob[grade_id], strict=True)]
        if not judged:
            assert np.mean(copied) < 0.5, grade_id


def test_the_till_of_a_neighbour_does_not_pass():
    """Weights by hand are judged, and the order of the inputs is the student's own."""
    mine, other = (key("a2", student)["q10-till-test"] for student in ("ada", "bob"))
    assert all(share(record, record) == 1 for record in mine)
    assert np.mean([share(a, b) for a, b in zip(mine, other, strict=True)]) < 0.5


# ------------------------------------------------------------------ the mistakes


@pytest.mark.parametrize(("short", "name"), ALL_MISTAKES)
def test_a_mistake_costs_its_marks_and_its_check_names_the_cause(short, name, capsys):
    mistake, says = (part[name] for part in mistakes(short))
    student = KEYS[len(name) % len(KEYS)]
    key(short, student)
    capsys.readouterr()
    came = marks(short, student, mistake["cells"])
    assert mistake["points"]
    assert all(points < maxima(short)[grade_id] for grade_id, points in mistake["points"].items())
    assert came == pytest.approx(maxima(short) | mistake["points"])
    said = capsys.readouterr().out
    assert says in said
    assert ("not yet: " in said) == (says != "correct so far")


@pytest.mark.parametrize("short", NAMES)
def test_there_are_enough_mistakes_and_each_question_has_one(short):
    spoiled = {
        grade_id for mistake in mistakes(short)[0].values() for grade_id in mistake["points"]
    }
    assert len(mistakes(short)[0]) >= 10
    assert spoiled == set(maxima(short))


# ------------------------------------------------------------------ more than one right answer


def memory_with(W_hh, T, small=0.01):
    """Two units with this matrix, and the read-out that undoes it."""
    powers = [np.linalg.matrix_power(W_hh, T - step) for step in (1, 2)]
    W_xh = np.full((1, 2), small)
    ends = np.concatenate([W_xh @ power for power in powers])  # of x_1 = 1 and of x_2 = 1
    return {"W_xh": W_xh, "W_hh": W_hh, "b_h": np.zeros(2), "W": np.linalg.inv(ends)}


ROTATION = np.array([[0.8, 0.6], [-0.6, 0.8]])


@pytest.mark.parametrize("W_hh", [np.diag([1.0, -1.0]), ROTATION, ROTATION @ ROTATION])
@pytest.mark.parametrize("T", [40, 57, 80])
def test_other_right_memories_pass(W_hh, T, capsys):
    assignment_1.check_memory(lambda T: memory_with(W_hh, T), T)
    assert capsys.readouterr().out == "correct so far\n"


def test_a_memory_that_nearly_merges_two_numbers_is_told_so(capsys):
    assignment_1.check_memory(lambda T: memory_with(np.diag([1.0, 0.97]), T), 40)
    assert "hard to tell apart" in capsys.readouterr().out


def test_a_till_of_other_numbers_passes(capsys):
    def till(columns):
        rows = {
            "i": {"w": 50, "x": 0, "bias": -20},
            "f": {"r": -80, "bias": 30},
            "o": {"q": 60, "bias": -35},
            "c": {"x": -0.001},
        }
        table = {g: [row.get(name, 0) for name in [*columns, "bias"]] for g, row in rows.items()}
        return table | {"y": -1000}

    for columns in (["x", "w", "r", "q"], ["q", "x", "r", "w"]):
        assignment_2.check_till(till, columns)
    assert capsys.readouterr().out == "correct so far\n" * 2


def test_a_till_without_all_rows_hears_which_one_is_missing(capsys):
    assignment_2.check_till(lambda columns: {"i": [0] * 5}, assignment_2.COLUMNS)
    assert "'f' is missing" in capsys.readouterr().out
