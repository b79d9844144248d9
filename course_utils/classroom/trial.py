"""Try one submission: run it in the sandbox, run the reference beside it, judge, write the result.

    python -m course_utils.classroom.trial JOB.json

Each submission is tried in a process of its own, so that nothing of it can stay.
"""

import sys

sys.modules.setdefault("rfc3987_syntax", None)  # builds a parser for a second; notebooks need none

import contextlib
import json
import os
import re
import subprocess
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import nbformat
from nbformat import v4

from course_utils.classroom.family import die_with_parent
from course_utils.classroom.limits import Limits
from course_utils.classroom.repair import repair, run_cells
from course_utils.classroom.run import Outcome, run
from course_utils.classroom.source import AssignmentError, Source, settings, split_hidden

MOST_TEXT = 20_000  # letters of one output in the feedback
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
PICTURES = ("image/png", "image/jpeg")  # no HTML, no SVG: the teacher opens the feedback as well


@dataclass
class Job:
    """One submission to try; paths as text, `files` name -> path of what is handed to it."""

    source: str
    notebook: str
    student: str
    files: dict
    notes: list  # what was noticed before
    key: str  # changes when the submission or the source does
    parent: int  # the process that waits for the trial
    result: str  # folder for result.json and judged.ipynb
    safe: bool = True
    limits: dict = field(default_factory=dict)

    def write(self, path):
        """Write the job for a process that is started with it."""
        Path(path).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, path):
        """Read what `write` wrote."""
        return cls(**json.loads(Path(path).read_text(encoding="utf-8")))


def try_submission(job):
    """Run and judge a submission; write judged.ipynb, then result.json, into the result folder."""
    start, source, limits = time.monotonic(), Source(Path(job.source)), Limits(**job.limits)
    submission = nbformat.read(job.notebook, as_version=4)
    repaired = repair(submission, source, job.student)
    parts = run_cells(repaired.notebook)
    executed = v4.new_notebook(cells=[v4.new_code_cell(text) for _, text in parts])
    with _reference(source, job.student) as reference:
        outcome = run(executed, _paths(job.files), limits, safe=job.safe)
        answers = _answers_by_cell(repaired.notebook, parts, outcome)
        verdicts = _ask(reference, answers, limits) if reference else {}
    marks = _write_outputs(repaired.notebook, parts, executed, outcome, verdicts, source)
    notes = job.notes + repaired.notes + _notes(outcome)
    if not job.safe:
        notes.append("graded without a sandbox")
    _write_notes(repaired.notebook, notes)
    result = {
        "key": job.key,
        "student": job.student,
        "marks": marks,
        "notes": notes,
        "lines": {grade_id: lines for grade_id, (_, lines) in verdicts.items()},
        "seconds": round(time.monotonic() - start, 2),
    }
    folder = Path(job.result)
    nbformat.write(repaired.notebook, folder / "judged.ipynb")
    write_whole(folder / "result.json", json.dumps(result, indent=1))


def write_whole(path, text):
    """Write a file so that it is there in full or not at all."""
    draft = Path(path).with_suffix(".part")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)


def _paths(files):
    return {name: Path(path) for name, path in files.items()}


@contextlib.contextmanager
def _reference(source, student):
    """Start the reference run, which works while the submission runs.

    Gives None for an assignment that is marked by hand only.
    """
    if not source.tests:
        yield None
        return
    command = [sys.executable, "-P", "-m", "course_utils.classroom.reference"]
    environment = {
        **os.environ,
        "MPLBACKEND": "Agg",
        "TQDM_DISABLE": "1",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    process = subprocess.Popen(
        [*command, str(source.path), student, str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=environment,
        cwd=source.folder,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _ask(process, answers, limits):
    """Send the answers to the reference run, and get {grade_id: [share, lines]}."""
    try:
        text, _ = process.communicate(json.dumps(answers), timeout=limits.total_seconds)
        reply = json.loads(text)
    except (subprocess.TimeoutExpired, ValueError, OSError) as error:
        raise AssignmentError(f"the reference run broke off ({type(error).__name__})") from None
    if "error" in reply:
        raise AssignmentError(reply["error"])
    return {
        grade_id: (share, [_cut(line, ()) for line in lines])
        for grade_id, (share, lines) in reply["verdicts"].items()
    }


def _answers_by_cell(notebook, parts, outcome):
    """{grade_id: [payload, ...]}: the answers that came while a graded cell ran."""
    found = {}
    for index, payloads in outcome.answers.items():
        grade_id = settings(notebook.cells[parts[index][0]]).get("grade_id")
        if grade_id is not None:
            found.setdefault(grade_id, []).extend(payloads)
    return found


def _write_outputs(notebook, parts, executed, outcome: Outcome, verdicts, source):
    """Give the cells their outputs, and graded cells their marks; return {grade_id: marks}."""
    secret = _hidden_lines(source)
    for (number, _), ran in zip(parts, executed.cells):
        notebook.cells[number].outputs += [_clean(output, secret) for output in ran.outputs]
    marks = {}
    for cell in notebook.cells:
        grade_id = settings(cell).get("grade_id")
        if grade_id in verdicts:
            share, lines = verdicts[grade_id]
            marks[grade_id] = round(share * source.points(grade_id), 4)
            cell.outputs = _verdict(cell, lines, marks[grade_id], source.points(grade_id))
    return marks


def _hidden_lines(source):
    """Lines of hidden tests, which must not come back in an output."""
    text = "\n".join(split_hidden(cell.source)[1] for cell in source.graded.values())
    return {line.strip() for line in text.split("\n") if len(line.strip()) >= 8}


def _clean(output, secret):
    """An output for the feedback: texts and pictures, cut, without lines of hidden tests.

    A hostile kernel can send any form: what is no text and no picture is dropped.
    """
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return v4.new_output("stream", name=name, text=_cut(output.get("text", ""), secret))
    if kind == "error":
        lines = output.get("traceback")
        text = _cut("\n".join(map(str, lines)) if isinstance(lines, list) else "", secret)
        name, value = (_cut(str(output.get(k, ""))[:300], secret) for k in ("ename", "evalue"))
        return v4.new_output("error", ename=name, evalue=value, traceback=text.split("\n"))
    found = output.get("data")
    found = found if isinstance(found, dict) else {}
    data = {k: v for k, v in found.items() if k in PICTURES and _is_base64(v)}
    if isinstance(found.get("text/plain"), str):
        data["text/plain"] = _cut(found["text/plain"], secret)
    return v4.new_output("display_data", data=data)


def _is_base64(value):
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9+/=\s]*", value) is not None


def _cut(text, secret):
    text = COLOUR.sub("", str(text)).encode("utf-8", "replace").decode("utf-8")
    text = text if len(text) <= MOST_TEXT else text[:MOST_TEXT] + "\n(cut here)"
    lines = text.split("\n")
    return "\n".join("(line of a hidden test)" if _tells(line, secret) else line for line in lines)


def _tells(line, secret):
    return any(part in line for part in secret)


def _verdict(cell, lines, marks, most):
    """The outputs of a graded cell: what its visible checks said, a line per case, the marks."""
    said = []
    for output in cell.outputs:
        if output.output_type == "stream":
            said.append(output.text.rstrip("\n"))
        elif output.output_type == "error":
            said.append(f"{output.ename}: {output.evalue}")
    text = "\n".join([*said, f"{marks:g} of {most:g}", *[f"  {line}" for line in lines]])
    return [
        v4.new_output("stream", name="stdout", text=text + "\n"),
        v4.new_output("execute_result", data={"text/plain": f"{marks}"}, execution_count=None),
    ]


def _write_notes(notebook, notes):
    """Tell the student, at the top of the feedback, what was done to the notebook."""
    if notes:
        text = "**Notes of the grader**\n\n" + "\n".join(f"- {note}" for note in notes)
        notebook.cells.insert(0, v4.new_markdown_cell(text, id="notes"))


def _notes(outcome):
    notes = []
    if outcome.slow:
        count = len(outcome.slow)
        notes.append(f"{count} {'cell was' if count == 1 else 'cells were'} interrupted: too slow")
    if outcome.stopped:
        notes.append(f"stopped: {outcome.stopped}; what came after it is not answered")
    return notes


def main(path):
    """Try the job in the file `path`; a fault that is not the submission's goes to result.json."""
    job = Job.read(path)
    die_with_parent(job.parent)
    try:
        try_submission(job)
    except (AssignmentError, RuntimeError) as error:
        write_whole(Path(job.result) / "result.json", json.dumps({"fault": str(error)}))


if __name__ == "__main__":
    main(sys.argv[1])
