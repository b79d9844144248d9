"""Change one place of the solution to a question: the typical mistakes are written this way."""

import json
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "notebooks" / "assignments" / "source"


def solution(name, grade_id):
    """The source of an answer cell, without the lines that mark the solution."""
    notebook = SOURCES / name / f"{name}.ipynb"
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id:
            lines = "".join(cell["source"]).splitlines(keepends=True)
            return "".join(line for line in lines if "### " not in line)
    raise KeyError(grade_id)


def changed(name, grade_id, *pairs):
    """{answer cell: its solution with old replaced by new}; each old stands there once."""
    text = solution(name, grade_id)
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert text.count(old) == 1, (grade_id, old, text.count(old))
        text = text.replace(old, new)
    return {grade_id: text}
