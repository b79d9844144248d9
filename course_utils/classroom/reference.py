"""Run the teacher's notebook for one student, in a trusted process, and judge answers with it.

    python -m course_utils.classroom.reference SOURCE STUDENT PARENT

runs the code cells of the notebook SOURCE with STUDENT as the student key, then reads the answers
of a submission as JSON {grade_id: [payload, ...]} from its input, and writes the verdicts
{grade_id: [share, [line, ...]]} to its output.
"""

import contextlib
import json
import linecache
import os
import resource
import sys
import types
from pathlib import Path

from course_utils.classroom import answers, judge
from course_utils.classroom.family import die_with_parent
from course_utils.classroom.source import AssignmentError, is_key, is_test, settings

MOST_MEMORY = 4 << 30


def run_reference(path, student):
    """Run the source and collect what its graded cells record: {grade_id: [answer, ...]}.

    Raises AssignmentError when the source itself fails; that is the teacher's to mend.
    """
    cells = json.loads(Path(path).read_text(encoding="utf-8"))["cells"]
    module = types.ModuleType("__main__")
    module.__dict__["display"] = lambda *things, **options: None
    sys.modules["__main__"] = module
    recorded = {}
    for number, cell in enumerate(cells):
        if cell["cell_type"] != "code":
            continue
        text = f"STUDENT = {student!r}" if is_key(cell) else "".join(cell["source"])
        with answers.collect() as collection:
            _execute(text, f"cell {number}", module.__dict__, Path(path).name)
        grade_id = settings(cell).get("grade_id")
        if is_test(cell):
            recorded[grade_id] = [_checked(answer, grade_id) for answer in collection]
            _check_cases(recorded[grade_id], grade_id)
    return recorded


def _execute(text, place, names, notebook):
    name = f"<{notebook}, {place}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    try:
        exec(compile(text, name, "exec"), names)
    except (Exception, SystemExit) as error:
        raise AssignmentError(
            f"the source {notebook} fails in {place}: {type(error).__name__}: {error}"
        ) from error


def _checked(answer, grade_id):
    """An answer of the reference run; AssignmentError when it cannot serve as one."""
    place = f"{grade_id}, case {answer['case']!r}"
    if "problem" in answer:
        raise AssignmentError(f"{place}: the source hands in {answer['problem']}")
    if "error" in answer and answer["error"][0] not in ("ValueError", "TypeError"):
        raise AssignmentError(f"{place}: the source raises {': '.join(answer['error'])}")
    if "value" in answer:
        value = json.loads(answer["value"])
        try:
            judge.check_reference(answer["case"], value)
        except ValueError as error:
            raise AssignmentError(f"{place}: {error}") from None
        _check_judge(answer["judge"], value, place)
    return answer


def _check_judge(opinion, value, place):
    if opinion is None:
        return
    try:
        share = float(opinion(judge.as_arrays(value)))
    except Exception as error:
        raise AssignmentError(
            f"{place}: the judge fails on the source's own answer: {type(error).__name__}: {error}"
        ) from error
    if share != 1:
        raise AssignmentError(f"{place}: the judge does not accept the source's own answer")


def _check_cases(recorded, grade_id):
    cases = [answer["case"] for answer in recorded]
    if not cases:
        raise AssignmentError(f"{grade_id}: the source records nothing")
    if len(set(cases)) < len(cases):
        raise AssignmentError(f"{grade_id}: two cases have one name")


def verdicts(recorded, came):
    """Judge the answers of a submission, {grade_id: [share, [line, ...]]}."""
    return {
        grade_id: judge.judge_cell(expected, came.get(grade_id, []))
        for grade_id, expected in recorded.items()
    }


def main(path, student, parent):
    """Do what the head of this module says; end when the process PARENT ends."""
    die_with_parent(int(parent))
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, MOST_MEMORY))  # a judge gets any number
    with _only_result() as result:
        try:
            recorded = run_reference(path, student)
            came = json.load(sys.stdin)
            json.dump({"verdicts": verdicts(recorded, came)}, result)
        except AssignmentError as error:
            json.dump({"error": str(error)}, result)


@contextlib.contextmanager
def _only_result():
    """Keep the output for the result: what the notebook prints goes nowhere."""
    result = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    with result:
        yield result


if __name__ == "__main__":
    main(*sys.argv[1:])
