"""The assignments in the sandbox: full marks when solved, the known marks for each mistake."""

import importlib
import os
from pathlib import Path

import nbformat
import pytest
import toy
from need_sandbox import SANDBOX, own_temp, why_not

from course_utils.classroom.grade import grade
from course_utils.classroom.gradebook import Course
from course_utils.classroom.source import assignments, find_source, is_key, settings

ALL = os.environ.get("CLASSROOM") == "all"
pytestmark = [
    pytest.mark.skipif(not SANDBOX, reason=why_not()),
    pytest.mark.skipif(not ALL, reason="long: make test-classroom"),
]


def mistakes_of(name):
    """name of the mistake -> {"cells", "points"}; {} for an assignment that is marked by hand."""
    if not (Path(__file__).parent / f"mistakes_{name}.py").is_file():
        return {}
    return importlib.import_module(f"mistakes_{name}").MISTAKES


@pytest.mark.parametrize("name", assignments())
def test_every_mistake_loses_its_marks_and_no_others(name, tmp_path, record_property):
    course = Course(tmp_path / "course")
    source = course.take_source(find_source(name))
    released = nbformat.read(course.generate(name), as_version=4)
    mistakes = mistakes_of(name)
    expected, changes = {"solved": {}}, {"solved": {}}
    if mistakes:  # the project is handed out as a notebook that runs
        expected["empty"], changes["empty"] = dict.fromkeys(source.tests, 0.0), None
    for number, mistake in enumerate(mistakes.values()):
        changes[f"m{number:02d}"] = mistake["cells"]
        expected[f"m{number:02d}"] = mistake["points"]
    for student, cells in changes.items():
        write(released, source, student, cells, tmp_path / "in")
    with own_temp(tmp_path):
        rows, _ = grade(tmp_path / "in", name, out=course.root, say=lambda line: None)
    titles = dict(zip([s for s in changes if s.startswith("m")], mistakes))
    wrong = {}
    for row in rows:
        full = {grade_id: source.points(grade_id) for grade_id in source.tests}
        marks = {grade_id: row.marks.get(grade_id) for grade_id in source.tests}
        if row.status != "graded" or marks != pytest.approx(
            {**full, **expected[row.student]}, abs=1e-3
        ):
            wrong[titles.get(row.student, row.student)] = (row.status, marks, row.notes)
    assert wrong == {}
    record_property("measured", f"{name}: {len(rows)} submissions, {len(mistakes)} mistakes")


def write(released, source, student, cells, folder):
    """Write a solved submission with other `cells`; the released notebook as it is for None."""
    notebook = toy.solved(released, source.notebook, cells or {})
    if cells is None:
        notebook = nbformat.from_dict(released)
    for cell in notebook.cells:
        if is_key(cell):
            cell.source = f"STUDENT = {student!r}"
    folder.mkdir(exist_ok=True)
    assert any(settings(cell) for cell in notebook.cells)
    nbformat.write(notebook, folder / f"{student}.ipynb")
