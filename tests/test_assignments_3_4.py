"""Assignments 3 and 4: the sources run, their checks teach, their hidden cases tell answers apart.

In this process and light.  What the grader does with the sources is tested in tests/classroom.
"""

import contextlib
import hashlib
import importlib
import io
import json
import re
from functools import cache
from pathlib import Path

import pytest

from course_utils.classroom.answers import collect
from course_utils.classroom.judge import judge_cell

PROJECT = Path(__file__).resolve().parents[1]
SOURCE = PROJECT / "notebooks" / "assignments" / "source"
A3, A4 = "a3_stacked_bidirectional_gru", "a4_open_project"
SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION ?([^\n]*)\n(.*?)^ *### END SOLUTION$", re.M | re.S)
HIDDEN = re.compile(r"^### BEGIN HIDDEN TESTS\n(.*)^### END HIDDEN TESTS\Z", re.M | re.S)
SAYS_RIGHT = "correct so far"


def cells(name):
    """[(cell, grade_id or id, the metadata of nbgrader)] of a source."""
    notebook = json.loads((SOURCE / name / f"{name}.ipynb").read_text(encoding="utf-8"))
    found = []
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
        marks = cell["metadata"].get("nbgrader", {})
        found.append((cell, marks.get("grade_id", cell["id"]), marks))
    return found


def kind(marks):
    graded, answer = marks.get("grade", False), marks.get("solution", False)
    return {(1, 0): "test", (0, 1): "answer", (1, 1): "manual"}.get((graded, answer), "given")


def of_kind(name, wanted):
    return {i: c["source"] for c, i, marks in cells(name) if kind(marks) == wanted}


def stub(source):
    """What a student gets: the words of the region in an error, as the release writes it."""
    return SOLUTION.sub(r'\1raise NotImplementedError("\2")\n', source)


def run(name, student, replaced=None):
    """Run all code cells -> {id: (what it recorded, what it printed)}."""
    names, done = {"__name__": "__main__"}, {}
    for cell, i, _ in cells(name):
        if cell["cell_type"] != "code":
            continue
        source = (replaced or {}).get(i, cell["source"])
        if "student-key" in cell["metadata"].get("tags", []):
            source = f"STUDENT = {student!r}"
        text = io.StringIO()
        with collect() as recorded, contextlib.redirect_stdout(text):
            exec(compile(source, i, "exec"), names)
        done[i] = recorded, text.getvalue().strip()
    return done


@cache
def key(name, student="ada"):
    return run(name, student)


def marks_of(name, submission, student="ada"):
    """{test: marks} of what a run recorded, by the judge of the grader."""
    points, found = full(name), {}
    for i, (cases, _) in key(name, student).items():
        if cases:
            share, _ = judge_cell(cases, submission[i][0])
            found[i] = points[i] * share
    return found


def full(name):
    return {i: m["points"] for _, i, m in cells(name) if kind(m) == "test"}


@cache
def mistakes(name):
    return importlib.import_module(f"mistakes_{name}").MISTAKES


# --------------------------------------------------------------------------- form


@pytest.mark.parametrize("name", [A3])
def test_every_answer_has_a_stub_and_a_test_with_a_hidden_region(name):
    answers, tests = of_kind(name, "answer"), of_kind(name, "test")
    assert [f"{i}-test" for i in answers] == list(tests)
    assert 6 <= len({i.split("-")[0] for i in answers}) <= 10
    for i, source in answers.items():
        regions = SOLUTION.findall(source)
        assert regions, i
        assert all(words for _, words, _ in regions), f"{i}: no words for the stub"
        assert '"""' in source[: source.index("### BEGIN")], f"{i}: no docstring above the answer"
    for i, source in tests.items():
        hidden = HIDDEN.search(source)
        assert hidden, f"{i}: the hidden region does not stand at the end"
        assert "check" in source[: hidden.start()]
        assert "expect(" not in hidden[1]


@pytest.mark.parametrize("name", [A3])
def test_minutes_and_points_of_the_text_agree_with_the_cells(name):
    text = "\n".join(c["source"] for c, _, _ in cells(name) if c["cell_type"] == "markdown")
    rows = re.findall(r"^\| (\d+) [^|]+\| (\d+) \| (\d+) \|$", text, re.M)
    (minutes, points), *_ = re.findall(r"^\| together \| (\d+) \| (\d+) \|$", text, re.M)
    assert sum(int(m) for _, m, _ in rows) == int(minutes)
    assert 60 <= int(minutes) <= 120
    assert f"{minutes} minutes" in text
    titles = re.findall(r"^## Question (\d+):.*\*\((\d+) minutes, (\d+) points\)\*$", text, re.M)
    assert titles == rows
    of_question = {}
    for i, worth in full(name).items():
        number = re.match(r"q(\d+)", i)[1]
        of_question[number] = of_question.get(number, 0) + worth
    assert of_question == {number: int(worth) for number, _, worth in rows}
    assert sum(of_question.values()) == int(points)


def test_the_checks_hold_no_ready_answer():
    """The students get the checks: no line of a solution may stand in them."""
    module = (PROJECT / "course_utils" / "exercises" / "assignment_3.py").read_text("utf-8")
    known = {" ".join(line.split()) for line in module.splitlines()}
    for i, source in of_kind(A3, "answer").items():
        for _, _, code in SOLUTION.findall(source):
            lines = [" ".join(line.split("#")[0].split()) for line in code.splitlines()]
            copied = [line for line in lines if len(line) > 30 and line in known]
            assert copied == [], i


# --------------------------------------------------------------------------- the source


@pytest.mark.parametrize("student", ["ada", "Zoe.K", "4711"])
def test_the_source_answers_its_own_questions(student):
    done = run(A3, student)
    for i in of_kind(A3, "test"):
        recorded, text = done[i]
        assert text == SAYS_RIGHT, i
        assert len(recorded) >= 3
        assert len({r["case"] for r in recorded}) == len(recorded), i
        assert all("value" in r for r in recorded), i
    assert marks_of(A3, done, student) == full(A3)


def test_two_students_get_different_data():
    """In at least half of the graded cells the answers of one are wrong for the other."""
    ada, bob = key(A3, "ada"), key(A3, "bob")
    differ = []
    for i, (cases, _) in ada.items():
        pairs = zip(cases, bob[i][0], strict=True)
        if any(a["value"] != b["value"] for a, b in pairs):
            differ.append(i)
    assert len(differ) >= len(full(A3)) / 2
    copied = marks_of(A3, {**ada}, "bob")
    assert sum(copied.values()) < 0.5 * sum(full(A3).values())


def test_the_same_student_gets_the_same_data_again():
    values = [
        [c.get("value") for cases, _ in run(A3, who).values() for c in cases]
        for who in ("ada", " Ada ")
    ]
    assert values[0] == values[1]


def test_an_empty_notebook_says_not_yet_and_raises_nowhere():
    empty = {i: stub(source) for i, source in of_kind(A3, "answer").items()}
    assert all("NotImplementedError" in source for source in empty.values())
    done = run(A3, "ada", empty)
    for i in of_kind(A3, "test"):
        assert done[i][1].startswith("not yet: "), i
        assert "\n" not in done[i][1]
    said = "\n".join(text for _, text in done.values())
    for i, source in of_kind(A3, "answer").items():
        for _, words, _ in SOLUTION.findall(source):
            assert words in said, f"{i}: the words of a stub are never seen"
    assert sum(marks_of(A3, done).values()) == 0


# --------------------------------------------------------------------------- mistakes


def test_there_are_mistakes_for_every_question():
    touched = {cell for mistake in mistakes(A3).values() for cell in mistake["cells"]}
    assert touched >= set(of_kind(A3, "answer")) - {"q5-highway"}
    assert len(mistakes(A3)) >= 10


def test_a_mask_that_starts_late_hears_that_the_first_real_step_runs(capsys):
    from course_utils.exercises import assignment_3

    def late(mask, k):
        import numpy as np

        return mask & (np.cumsum(mask, axis=1) % k == 0)

    assignment_3.check_every_kth(late)
    assert "first real step of each sequence is one that runs" in capsys.readouterr().out


@pytest.mark.parametrize("mistake", mistakes(A3))
def test_a_mistake_hears_its_cause_and_loses_its_marks(mistake):
    planted = mistakes(A3)[mistake]
    done = run(A3, "ada", planted["cells"])
    for cell in planted["cells"]:
        text = done[f"{cell}-test"][1]
        assert text.startswith("not yet: ")
        assert planted["says"] in text
    expected = full(A3) | planted["points"]
    assert marks_of(A3, done) == pytest.approx(expected)
    assert sum(expected.values()) < sum(full(A3).values())


def test_the_hints_tell_the_marks_that_the_mistakes_keep():
    page = (SOURCE.parent / "hints" / f"{A3}.md").read_text("utf-8")
    rows = re.findall(r"^\| \d+ [^|]+\|.*\|([^|]+)\|$", page, re.M)
    told = [
        float(n)
        for row in rows
        for n in re.findall(r"\((\d[\d.]*)(?: points| of 5|, right[^)]*)?\)", row)
    ]
    kept = {marks for mistake in mistakes(A3).values() for marks in mistake["points"].values()}
    assert len(rows) == 10
    assert len(told) >= 15
    assert set(told) <= kept


# --------------------------------------------------------------------------- the open project

QUICK = {  # so that a test takes no time: one short run, no picture
    "a4-run": "results = {'a': np.ones(SEEDS), 'b': np.zeros(SEEDS)}",
    "a4-figure": "pass",
}
SERIES = {
    "el_nino.csv": "sea_surface_temperature",
    "co2.csv": "co2",
}


def with_file(name, column=..., **lines):
    """The cells of a project with other data, and lines in place of others."""
    source = {i: cell["source"] for cell, i, _ in cells(A4)}
    given = source["a4-file"].replace("my_file = ...", f"my_file = {name!r}")
    if column is not ...:
        given = given.replace("my_column = ...", f"my_column = {column!r}")
    changed = QUICK | {"a4-file": given}
    for i, (old, new) in lines.items():
        i = i.replace("_", "-")
        assert source[i].count(old) == 1, old
        changed[i] = source[i].replace(old, new)
    return changed


def test_the_table_of_the_project_agrees_with_its_cells():
    text = "\n".join(c["source"] for c, _, _ in cells(A4) if c["cell_type"] == "markdown")
    rows = re.findall(r"^\| (\d+) ([^|]+) \| (\d+) \| (\d+) \| by (hand|program) \|$", text, re.M)
    (minutes, points), *_ = re.findall(r"^\| together \| (\d+) \| (\d+) \|", text, re.M)
    assert 6 <= len(rows) <= 10
    assert sum(int(row[2]) for row in rows) == int(minutes) <= 120
    graded = [(i, m) for _, i, m in cells(A4) if m.get("grade")]
    found = [
        (re.match(r"step(\d+)-", i)[1], str(m["points"]), "hand" if m["solution"] else "program")
        for i, m in graded
    ]
    assert found == [(number, worth, who) for number, _, _, worth, who in rows]
    assert sum(m["points"] for _, m in graded) == int(points)
    titles = re.findall(r"^## Step (\d+): .*\*\((\d+) minutes, (\d+) points\)\*$", text, re.M)
    assert titles == [(number, time, worth) for number, _, time, worth, _ in rows]


def test_what_is_marked_by_hand_has_a_mark_scheme_that_adds_up():
    for cell, i, marks in cells(A4):
        if kind(marks) != "manual":
            continue
        assert cell["cell_type"] == "markdown"
        assert cell["source"].startswith("### BEGIN SOLUTION"), i
        assert cell["source"].endswith("### END SOLUTION"), f"{i}: the scheme is not removed"
        scheme = re.search(r"### BEGIN MARK SCHEME\n(.*)### END MARK SCHEME", cell["source"], re.S)
        worth = re.findall(r"^- (\d) ", scheme[1], re.M)
        assert sum(map(int, worth)) == marks["points"], i


def test_the_project_runs_as_it_is_handed_out():
    done = run(A4, "ada", QUICK)
    for i in of_kind(A4, "test"):
        assert done[i][1] == SAYS_RIGHT, i
    reference = key_of_project()
    for i, (cases, _) in done.items():
        if cases:
            assert judge_cell(reference[i][0], cases)[0] == 1, i


@cache
def key_of_project():
    return run(A4, "bob", QUICK)


def lost_with(changed):
    """{test: the share of its marks} where a changed project loses some, and all that is said."""
    done, reference = run(A4, "ada", changed), key_of_project()
    shares = {i: judge_cell(cases, done[i][0])[0] for i, (cases, _) in reference.items() if cases}
    return {i: s for i, s in shares.items() if s < 1}, "\n".join(text for _, text in done.values())


@pytest.mark.parametrize("name", SERIES)
def test_a_series_can_be_the_project(name):
    assert lost_with(with_file(name, SERIES[name]))[0] == {}


@pytest.mark.parametrize(
    ("lines", "lost", "says"),
    [
        (
            {"a4_parts": ("parts = project.split(data.values, train=0.8, valid=0.1, gap=T)",
                          "N = len(data.values)\n"
                          "parts = {'train': (0, N), 'valid': (N // 2, N), 'test': (N // 2, N)}")},
            {"step2-parts"},
            "share no step",
        ),
        (
            {"a4_parts": ("values = project.standardised(data, parts)", "values = data.values")},
            {"step2-parts"},
            "not standardised",
        ),
        (
            {"a4_model": ("return project.crops(values, parts[part], rng, B, T, replicas)",
                          "pieces = project.crops(values, parts[part], rng, B, T, replicas)\n"
                          "    return (type(b)(b.X, b.X) for b in pieces)")},
            {"step5-first-loss"},
            "",
        ),
        (
            {"a4_model": ("parts[part]", "(0, len(values))")},
            {"step6-no-leak"},
            "",
        ),
    ],
    ids=["parts overlap", "not standardised", "target is the input", "pieces of everything"],
)  # fmt: skip
def test_what_the_sanity_cells_of_the_project_catch(lines, lost, says):
    missing, said = lost_with(with_file("el_nino.csv", SERIES["el_nino.csv"], **lines))
    assert set(missing) == lost
    assert says in said


def test_a_reader_of_both_sides_is_caught():
    """Next-step prediction with a two-sided network: the answer stands in the input."""
    source = {i: cell["source"] for cell, i, _ in cells(A4)}["a4-model"]
    two_sided = (
        "from course_utils.cells import RNNCell\n"
        "from course_utils.layers import Dense, Embedding, Sequential\n"
        "from course_utils.recurrent import bidirectional\n\n"
        "def make_model(rng, units=4, replicas=None):\n"
        "    both = bidirectional(RNNCell(4, units, rng), RNNCell(4, units, rng))\n"
        "    last = Dense(2 * units, data.K, rng)\n"
        "    return Sequential(Embedding(data.K, 4, rng), both, last)\n"
    )
    missing, said = lost_with(QUICK | {"a4-model": f"{source}\n\n{two_sided}"})
    assert missing == {"step6-no-leak": pytest.approx(1 / 3)}
    assert "they use the future" in said


def test_the_text_is_what_its_page_says():
    page = (PROJECT / "data" / "README.md").read_text("utf-8")
    content = (PROJECT / "data" / "course_text.txt").read_bytes().replace(b"\r\n", b"\n")
    text = content.decode("utf-8")
    assert hashlib.sha256(content).hexdigest() in page
    assert f"{len(text):,} characters of {len(set(text))} kinds" in page
    card = {i: c["source"] for c, i, _ in cells(A4)}["step1-card"]
    assert f"{len(text):,} characters of {len(set(text))} kinds" in card
