"""Bring a submitted notebook into the order of its source, whatever happened to its cells."""

from copy import deepcopy
from dataclasses import dataclass, field

from nbformat import v4

from course_utils.classroom.source import is_key, is_test, settings, split_hidden

KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


@dataclass
class Repaired:
    """A notebook that can be graded, and a sentence for everything that was done to it."""

    notebook: object
    notes: list[str] = field(default_factory=list)


def repair(submission, source, student):
    """Give a graded form of a submitted notebook: cells of the source in the student's order.

    Cells that are locked have the text of the source again; cells of the source that are missing
    stand behind the cell they stood behind; of two copies the original counts and the other one is
    a cell like any other; the student key is `student`; metadata, outputs and kernel are ours.
    """
    notes = []
    chosen = _originals(submission.cells, source, notes)
    cells = [
        _cell(cell, chosen.get(number), source) for number, cell in enumerate(submission.cells)
    ]
    _write_key(cells, submission.cells, source, student, notes)
    _put_back(cells, set(chosen.values()), source, notes)
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    notebook = v4.new_notebook(cells=cells, metadata={"kernelspec": dict(KERNEL)})
    if _kernel(submission) not in ("python3", None):
        notes.append("the notebook asked for another kernel; it ran with Python 3")
    return Repaired(notebook, notes)


def _originals(cells, source, notes):
    """number of a submitted cell -> grade_id, for those that stand for a cell of the source."""
    places = {}
    for number, cell in enumerate(cells):
        grade_id = settings(cell).get("grade_id")
        if grade_id in source.known:
            places.setdefault(grade_id, []).append(number)
    chosen = {}
    for grade_id, numbers in places.items():
        true_id = source.known[grade_id].get("id")
        originals = [n for n in numbers if cells[n].get("id") == true_id] or numbers
        chosen[originals[0]] = grade_id
        if len(numbers) > 1:
            notes.append(f"{grade_id} was there {len(numbers)} times; the original counts")
    return chosen


def _cell(cell, grade_id, source):
    """A clean copy of a submitted cell; a cell of the source where `grade_id` names one.

    Its id is the one that it has in the source, if it has one.
    """
    if grade_id is None:
        make = {"code": v4.new_code_cell, "markdown": v4.new_markdown_cell}
        return make.get(cell.cell_type, v4.new_raw_cell)(cell.source, id=cell.get("id", "new"))
    known = source.known[grade_id]
    return _like(known, cell.source if settings(known).get("solution") else known.source)


def _like(known, text):
    """A cell with the id, type and nbgrader settings of a cell of the source, and another text."""
    make = v4.new_code_cell if known.cell_type == "code" else v4.new_markdown_cell
    made = make(text, id=known.id)
    made.metadata["nbgrader"] = deepcopy(settings(known))
    return made


def _put_back(cells, present, source, notes):
    """Insert what is missing; an answer cell that gives no marks itself stays out.

    A stub put back there could overwrite the answer that the student wrote elsewhere.
    """
    for grade_id, known in source.known.items():
        wanted = settings(known)
        if grade_id in present:
            continue
        if wanted.get("solution") and not wanted.get("grade"):
            notes.append(f"{grade_id} was missing")
            continue
        text = "" if wanted.get("solution") else known.source
        cells.insert(_place(cells, known, source), _like(known, text))
        notes.append(f"{grade_id} was missing and was put back")


def _place(cells, known, source):
    """Where a missing cell goes: behind the last cell there that stands before it in the source."""
    before = [cell.id for cell in source.notebook.cells]
    before = before[: before.index(known.id)]
    there = {cell.id: number for number, cell in enumerate(cells)}
    return next((there[name] + 1 for name in reversed(before) if name in there), 0)


def _write_key(cells, submitted, source, student, notes):
    """Let the key cell say the id of the submission; put the cell in front when it is lost."""
    line = f"STUDENT = {student!r}"
    true_id = next(cell.get("id") for cell in source.notebook.cells if is_key(cell))
    for number, cell in enumerate(submitted):
        if is_key(cell) or (cell.get("id") == true_id and cell.cell_type == "code"):
            typed = cell.source.strip()
            cells[number] = v4.new_code_cell(line, id=true_id)
            if "your id" in typed:
                notes.append("the cell with the student id was not filled in")
            elif student.lower() not in typed.lower():
                notes.append(f"the notebook says {typed[:60]!r}, the submission is of {student!r}")
            return
    cells.insert(0, v4.new_code_cell(line, id=true_id))
    notes.append("the cell with the student id was missing")


def run_cells(notebook):
    """Split a repaired notebook into what is run: [(number of the cell, source), ...].

    The visible and the hidden part of a test cell run one after the other, so that a visible check
    that raises does not keep the hidden part from running.
    """
    parts = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        texts = split_hidden(cell.source) if is_test(cell) else (cell.source,)
        parts += [(number, text) for text in texts if text.strip()]
    return parts


def _kernel(submission):
    spec = submission.metadata.get("kernelspec", {})
    return spec.get("name") if isinstance(spec, dict) else "?"
