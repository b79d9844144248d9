"""Write what students are given: a zip file without any solution or hidden test, and check it."""

import io
import json
import zipfile
from pathlib import Path

import nbformat
from nbformat import v4

from course_utils.classroom.grade import check_source
from course_utils.classroom.gradebook import Course
from course_utils.classroom.limits import Limits
from course_utils.classroom.run import run
from course_utils.classroom.source import (
    BEGIN_HIDDEN,
    BEGIN_SOLUTION,
    END_HIDDEN,
    END_SOLUTION,
    PROJECT,
    ROOT,
    AssignmentError,
    assignments,
    find_source,
    is_answer,
    settings,
    solution_lines,
    split_hidden,
)

ENVIRONMENT = ("environment.yml", "requirements.lock", "pyproject.toml", "LICENSE")
SHORTEST = 16  # letters of a line that is worth searching for
README = """\
# {name}

Unpack this folder and keep its files together: the notebook uses `course_utils` and `data`.

    python3 -m venv .venv
    .venv/bin/pip install -r requirements.lock
    .venv/bin/jupyter lab {name}.ipynb

On Windows: `.venv\\Scripts\\pip` and `.venv\\Scripts\\jupyter`. With conda:

    conda env create -f environment.yml
    conda activate rnn-course
    jupyter lab {name}.ipynb

1. Write your id into the first code cell: `STUDENT = "..."`. Your data depend on it.
2. Write your answers where a cell says `YOUR CODE HERE`. Do not delete, copy or move cells.
3. Before you hand in: Kernel, Restart Kernel and Run All Cells. Save.
4. Hand in the file `{name}.ipynb`. Keep its name.

The grader runs the notebook again, with other inputs than those that you see, without network, and
with limits: {cell:g} seconds for a cell, {total:g} seconds for all cells, {memory} MB of memory.
"""


def release_all(names=(), out=None, root=ROOT):
    """Release assignments, all of them without names; return the paths of the zip files."""
    names = list(names) or assignments(root)
    if not names:
        raise AssignmentError(f"there is no assignment in {root}/source")
    return [release(name, out, root) for name in names]


def release(name, out=None, root=ROOT):
    """Write the student bundle NAME.zip of one assignment, and return its path.

    The bundle is checked before it is written: the source passes its own tests, no file holds a
    line of a solution or of a hidden test, and the notebook, run as it is, fails in the answers
    only, each time with the words that say what to write.

    Raises AssignmentError when one of them does not hold.
    """
    source = find_source(name, root)
    check_source(source)
    notebook = nbformat.read(Course(root).generate(name), as_version=4)
    files = bundle(source, notebook)
    check_no_secret(source, files)
    check_fails_in_answers(source, notebook)
    folder = Path(out) if out else Path(root) / "release"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.zip"
    path.write_bytes(_zip(name, files))
    return path


def bundle(source, notebook):
    """{path in the bundle: bytes} of everything that students are given."""
    limits = Limits()
    readme = README.format(
        name=source.name,
        cell=limits.cell_seconds,
        total=limits.total_seconds,
        memory=limits.process_memory >> 20,
    )
    files = {
        f"{source.name}.ipynb": nbformat.writes(notebook).encode("utf-8"),
        "README.md": readme.encode("utf-8"),
    }
    files |= {name: path.read_bytes() for name, path in source.files.items()}
    for name in ENVIRONMENT:
        files[name] = (PROJECT / name).read_bytes()
    for folder in ("course_utils", "data"):
        for path in sorted((PROJECT / folder).rglob("*")):
            name = path.relative_to(PROJECT).as_posix()
            if path.is_file() and _wanted(name):
                files[name] = path.read_bytes()
    return files


def _wanted(name):
    """Students need the answers module of the classroom, not the grader."""
    if "__pycache__" in name or "/." in name:
        return False
    grader = name.startswith("course_utils/classroom/")
    return not grader or name.endswith(("/__init__.py", "/answers.py"))


def check_no_secret(source, files):
    """Raise AssignmentError when a file of the bundle holds a marker, or a line that is secret.

    A line of a solution that course_utils holds as well, because it is the lesson's own, is none;
    in the notebook and in the files of the assignment it is one all the same.
    """
    hidden, solutions = _secrets(source)
    own = {f"{source.name}.ipynb", "README.md", *source.files}
    markers = {BEGIN_HIDDEN, END_HIDDEN, BEGIN_SOLUTION, END_SOLUTION}
    for name, data in files.items():
        lines = _lines(name, data)
        secret = hidden | solutions if name in own else hidden
        found = sorted(lines & secret) + [m for m in markers if any(m in line for line in lines)]
        if found:
            raise AssignmentError(f"{name} in the bundle gives away: {found[0][:80]}")


def _secrets(source):
    """(lines of hidden tests, lines of solutions) that stand nowhere in what students may see."""
    hidden, solutions, seen = set(), set(), set()
    for cell in source.notebook.cells:
        visible, secret = split_hidden(cell.source)
        inside = solution_lines(visible)
        hidden |= {line.strip() for line in secret.split("\n")}
        solutions |= set(inside)
        seen |= {line.strip() for line in visible.split("\n")} - set(inside)
    return (
        {line for line in lines - seen if len(line) >= SHORTEST} for lines in (hidden, solutions)
    )


def _lines(name, data):
    """The lines of a file, those of the cells for a notebook, outputs included."""
    text = data.decode("utf-8", errors="replace")
    if name.endswith(".ipynb"):
        text += "\n" + "\n".join(_texts(json.loads(text)))
    return {line.strip() for line in text.split("\n")}


def _texts(value):
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    joined = (
        ["".join(value)] if isinstance(value, list) and all(type(v) is str for v in value) else []
    )
    return joined + [text for part in parts for text in _texts(part)]


def check_fails_in_answers(source, notebook):
    """Run the student's notebook as it is.

    Raises AssignmentError unless every answer's message is seen, and no cell fails otherwise.
    """
    cells = [v4.new_code_cell(c.source, metadata=c.metadata) for c in notebook.cells if _code(c)]
    ran = v4.new_notebook(cells=cells)
    outcome = run(ran, source.files, Limits(), safe=False)
    if outcome.stopped or outcome.slow:
        raise AssignmentError(f"the student's notebook does not run: {outcome.stopped or 'slow'}")
    said, wrong = "", []
    for cell in ran.cells:
        for output in cell.outputs:
            if output.output_type == "error":
                said += output.evalue + "\n"
                if output.ename != "NotImplementedError":
                    place = settings(cell).get("grade_id", cell.source[:40])
                    wrong.append(f"{place} fails with {output.ename}: {output.evalue[:200]}")
            said += str(output.get("text", "")) + str(output.get("data", {}).get("text/plain", ""))
    wrong += [f"nothing says {label!r}" for label in _labels(source, notebook) if label not in said]
    if wrong:
        raise AssignmentError(f"{source.name}, as students get it: {'; '.join(wrong[:5])}")


def _code(cell):
    return cell.cell_type == "code"


def _labels(source, notebook):
    """The message of each stub in the released notebook."""
    found = []
    for cell in notebook.cells:
        if is_answer(cell):
            for line in cell.source.split("\n"):
                if line.strip().startswith("raise NotImplementedError("):
                    text = line.strip().removeprefix("raise NotImplementedError(")[1:-2]
                    found.append(text.replace('\\"', '"').replace("\\\\", "\\"))
    return found


def _zip(name, files):
    """The bytes of a zip file with all files in one folder; the same files give the same bytes."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{name}/{path}", (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, data)
    return target.getvalue()
