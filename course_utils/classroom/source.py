"""The teacher's notebook of an assignment: which cells it has, and what students may not change."""

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
ROOT = PROJECT / "notebooks" / "assignments"
BEGIN_HIDDEN, END_HIDDEN = "### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS"
BEGIN_SOLUTION, END_SOLUTION = "### BEGIN SOLUTION", "### END SOLUTION"
KEY_TAG = "student-key"


class AssignmentError(ValueError):
    """The source of an assignment has not the form that is needed; the message says where."""


@dataclass(frozen=True)
class Source:
    """The source of one assignment."""

    folder: Path

    @property
    def name(self):
        """The name of the assignment: that of its folder and of its notebook."""
        return self.folder.name

    @property
    def path(self):
        """The notebook."""
        return self.folder / f"{self.name}.ipynb"

    @cached_property
    def notebook(self):
        """The notebook as nbformat reads it; do not change it."""
        import nbformat

        return nbformat.read(self.path, as_version=4)

    @cached_property
    def graded(self):
        """grade_id -> cell, for every cell that gives marks, in order."""
        return {i: cell for i, cell in self.known.items() if settings(cell).get("grade")}

    @property
    def tests(self):
        """grade_id -> cell, for the graded cells that the judge marks, not the teacher."""
        return {i: cell for i, cell in self.graded.items() if is_test(cell)}

    @cached_property
    def known(self):
        """grade_id -> cell, for every cell that nbgrader knows, in order."""
        return {settings(c)["grade_id"]: c for c in self.notebook.cells if settings(c)}

    @cached_property
    def files(self):
        """name -> Path of everything beside the notebook that students are given."""
        found = sorted(p for p in self.folder.rglob("*") if p.is_file())
        names = {p.relative_to(self.folder).as_posix(): p for p in found}
        return {n: p for n, p in names.items() if not n.endswith(".ipynb") and "/." not in f"/{n}"}

    @cached_property
    def hash(self):
        """A text that changes when the notebook or a file beside it changes."""
        digest = hashlib.sha256(self.path.read_bytes())
        for name, path in self.files.items():
            digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()

    def points(self, grade_id):
        """The most marks that a graded cell gives."""
        return float(settings(self.graded[grade_id])["points"])

    @property
    def total(self):
        """The most marks of the assignment."""
        return sum(self.points(grade_id) for grade_id in self.graded)


def find_source(name, root=ROOT):
    """Find the source of the assignment `name` and check its form.

    Raises AssignmentError when there is none, or when the form is wrong.
    """
    source = Source(Path(root) / "source" / name)
    if not name or not source.path.is_file():
        there = ", ".join(assignments(root)) or "none"
        raise AssignmentError(
            f"there is no assignment {name!r} in {root}/source; there is: {there}"
        )
    check_form(source)
    return source


def assignments(root=ROOT):
    """The names of all assignments."""
    return sorted(
        p.stem for p in (Path(root) / "source").glob("*/*.ipynb") if p.stem == p.parent.name
    )


def settings(cell):
    """What nbgrader knows about a cell; {} for all other cells."""
    found = cell.get("metadata", {}).get("nbgrader", {})
    known = isinstance(found, dict) and isinstance(found.get("grade_id"), str)
    return found if known else {}


def is_key(cell):
    """Is this the cell in which the student writes the id?"""
    tags = cell.get("metadata", {}).get("tags", [])
    return cell.get("cell_type") == "code" and isinstance(tags, list) and KEY_TAG in tags


def is_answer(cell):
    """Is this a code cell that the student writes?"""
    return cell.cell_type == "code" and bool(settings(cell).get("solution"))


def is_test(cell):
    """Is this a cell whose marks come from recorded answers?"""
    known = settings(cell)
    code = cell.get("cell_type") == "code"
    return bool(code and known.get("grade") and not known.get("solution"))


def split_hidden(text):
    """Split the source of a cell into what students see and what they do not.

    >>> split_hidden("check(f)\\n### BEGIN HIDDEN TESTS\\nrecord('a', f(1))\\n### END HIDDEN TESTS")
    ('check(f)', "record('a', f(1))")
    """
    visible, hidden, inside = [], [], False
    for line in text.split("\n"):
        if BEGIN_HIDDEN in line or END_HIDDEN in line:
            inside = BEGIN_HIDDEN in line
        else:
            (hidden if inside else visible).append(line)
    return "\n".join(visible), "\n".join(hidden)


def solution_lines(text):
    """The lines between the solution markers of a cell; [] without a region."""
    found = re.findall(rf"{BEGIN_SOLUTION}[^\n]*\n(.*?){END_SOLUTION}", text, re.DOTALL)
    return [line.strip() for region in found for line in region.split("\n") if line.strip()]


def check_form(source):
    """Raise AssignmentError for a source that the commands cannot handle; see tests/classroom."""
    ids = [settings(c)["grade_id"] for c in source.notebook.cells if settings(c)]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    problems = [f"{i}: the grade_id stands in two cells" for i in twice]
    if sum(is_key(cell) for cell in source.notebook.cells) != 1:
        problems.append(f"one cell, and one only, must carry the tag {KEY_TAG}")
    for cell in source.notebook.cells:
        problems += [
            f"{settings(cell).get('grade_id', cell.source[:40])}: {p}" for p in _slips(cell)
        ]
    if not source.graded:
        problems.append("no cell gives marks")
    if problems:
        raise AssignmentError(f"{source.path.name}: " + "; ".join(problems))


def _slips(cell):
    known = settings(cell)
    _, hidden = split_hidden(cell.source)
    graded_test = is_test(cell)
    if hidden and not graded_test:
        yield "hidden tests outside of a test cell"
    if graded_test and "record(" not in hidden and "attempt(" not in hidden:
        yield "a test cell whose hidden region records nothing"
    if cell.source.count(BEGIN_HIDDEN) != cell.source.count(END_HIDDEN):
        yield "a hidden region without an end"
    if BEGIN_SOLUTION in cell.source and not known.get("solution"):
        yield "a solution outside of an answer cell"
    if cell.source.count(BEGIN_SOLUTION) != cell.source.count(END_SOLUTION):
        yield "a solution region without an end"
    if is_answer(cell) and not known.get("grade") and BEGIN_SOLUTION not in cell.source:
        yield "an answer cell without a solution region"
    if known.get("grade") and not float(known.get("points", 0)) > 0:
        yield "a graded cell without points"
