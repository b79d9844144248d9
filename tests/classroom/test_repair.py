"""A submitted notebook comes back into the order of its source."""

import copy

import pytest
import toy
from nbformat import v4

from course_utils.classroom.repair import repair, run_cells
from course_utils.classroom.source import (
    AssignmentError,
    check_form,
    find_source,
    settings,
    split_hidden,
)


@pytest.fixture
def source(tmp_path):
    return find_source("toy", toy.write_source(tmp_path))


@pytest.fixture
def notebook(source):
    """What a student hands in: no hidden tests, solved."""
    notebook = copy.deepcopy(source.notebook)
    for cell in notebook.cells:
        cell.source = split_hidden(cell.source)[0]
    return notebook


def ids(notebook):
    return [settings(cell).get("grade_id") for cell in notebook.cells]


def test_hidden_tests_come_back(source, notebook):
    done = repair(notebook, source, "ada")
    assert ids(done.notebook) == ids(source.notebook)
    tests = [c.source for c in done.notebook.cells if settings(c).get("grade")]
    assert tests == [c.source for c in source.graded.values()]
    assert done.notes == ["the cell with the student id was not filled in"]
    assert done.notebook.cells[1].source == "STUDENT = 'ada'"


def test_outputs_metadata_and_ids_are_ours(source, notebook):
    for cell in notebook.cells:
        cell.metadata["tags"] = ["raises-exception", "skip-execution"]
        cell.id = "same"
    done = repair(notebook, source, "ada")
    assert all("tags" not in cell.metadata for cell in done.notebook.cells)
    assert len({cell.id for cell in done.notebook.cells}) == len(done.notebook.cells)


@pytest.mark.parametrize("name", ["setup", "q1-step-test", "q2-run-test", "q3-latch-test"])
def test_missing_cells_return_to_their_place(source, notebook, name):
    notebook.cells = [c for c in notebook.cells if settings(c).get("grade_id") != name]
    done = repair(notebook, source, "ada")
    assert ids(done.notebook) == ids(source.notebook)
    assert f"{name} was missing and was put back" in done.notes


def test_everything_missing_returns_but_answers(source):
    done = repair(v4.new_notebook(), source, "ada")
    assert ids(done.notebook) == [None, "setup", "q1-step-test", "q2-run-test", "q3-latch-test"]
    assert done.notebook.cells[0].source == "STUDENT = 'ada'"


def test_a_missing_answer_is_not_put_over_another_one(source, notebook):
    place = ids(notebook).index("q1-step")
    notebook.cells[place] = v4.new_code_cell("def step(x, h): return 7")
    done = repair(notebook, source, "ada")
    assert "q1-step" not in ids(done.notebook)
    assert done.notebook.cells[place].source.endswith("return 7")


def test_the_original_of_two_copies_counts(source, notebook):
    place = ids(notebook).index("q1-step")
    other = copy.deepcopy(notebook.cells[place])
    other.id, other.source = "other", "def step(x, h): return 7"
    notebook.cells.insert(place, other)
    done = repair(notebook, source, "ada")
    assert ids(done.notebook).count("q1-step") == 1
    assert settings(done.notebook.cells[place]) == {}
    assert settings(done.notebook.cells[place + 1])["grade_id"] == "q1-step"


def test_the_type_of_a_cell_comes_back(source, notebook):
    for cell in notebook.cells:
        cell.cell_type = "markdown"
    done = repair(notebook, source, "ada")
    known = [cell.cell_type for cell in done.notebook.cells if settings(cell)]
    assert set(known) == {"code"}


def test_a_student_cannot_write_code_by_the_name(source, notebook):
    done = repair(notebook, source, "a'; import os #")
    assert done.notebook.cells[1].source == '''STUDENT = "a'; import os #"'''


def test_key_of_another_student_is_told(source, notebook):
    notebook.cells[1].source = "STUDENT = 'bob'"
    notes = repair(notebook, source, "ada").notes
    assert notes == ["""the notebook says "STUDENT = 'bob'", the submission is of 'ada'"""]


def test_visible_and_hidden_part_run_apart(source, notebook):
    parts = run_cells(repair(notebook, source, "ada").notebook)
    texts = [text for number, text in parts if number == ids(source.notebook).index("q1-step-test")]
    assert texts == [split_hidden(toy.STEP_TEST)[0], split_hidden(toy.STEP_TEST)[1]]
    assert not any("HIDDEN" in text for _, text in parts)


def broken(change):
    notebook = toy.source_notebook()
    change({settings(cell).get("grade_id", "key"): cell for cell in notebook.cells}, notebook)
    return notebook


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c, n: c["q1-step"].update(source="x = 1"), "without a solution region"),
        (lambda c, n: c["q1-step"].update(source=toy.RUN_TEST), "hidden tests outside"),
        (lambda c, n: c["q1-step-test"].update(source="step(1, 2)"), "records nothing"),
        (lambda c, n: c["setup"].update(source=toy.STEP), "a solution outside"),
        (lambda c, n: c["q1-step"].update(source="### BEGIN SOLUTION"), "without an end"),
        (lambda c, n: c["q1-step"].metadata.nbgrader.update(grade_id="q2-run"), "in two cells"),
        (lambda c, n: c["q1-step-test"].metadata.nbgrader.update(points=0), "without points"),
        (lambda c, n: n.cells.pop(1), "must carry the tag"),
    ],
)
def test_slips_of_a_source_are_named(tmp_path, change, words):
    source = find_source("toy", toy.write_source(tmp_path))
    source.__dict__["notebook"] = broken(change)
    with pytest.raises(AssignmentError, match=words):
        check_form(source)


def test_unknown_assignments_are_named(tmp_path):
    toy.write_source(tmp_path)
    with pytest.raises(AssignmentError, match=r"no assignment 'a9'.*there is: toy"):
        find_source("a9", tmp_path)
