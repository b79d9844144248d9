"""Grade submissions: try each in a sandbox, enter its marks into the gradebook, write a table."""

import contextlib
import csv
import fcntl
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field

from nbgrader.utils import parse_utc
from tqdm import tqdm

from course_utils.classroom.collect import collect
from course_utils.classroom.gradebook import Course, GradebookError
from course_utils.classroom.limits import Limits
from course_utils.classroom.sandbox import require_sandbox, sweep
from course_utils.classroom.source import ROOT, AssignmentError, find_source
from course_utils.classroom.trial import Job, write_whole

EXCHANGED = ("timestamp.txt", "submission_secret.txt")
RULES = "1"  # another text when the same submission would get other marks


@dataclass
class Row:
    """One line of the table of marks; marks: question -> marks, None where a teacher must look."""

    student: str
    assignment: str
    status: str
    marks: dict = field(default_factory=dict)
    most: float = 0.0
    notes: list = field(default_factory=list)

    @property
    def total(self):
        """The marks so far; None for a submission without marks."""
        known = [marks for marks in self.marks.values() if marks is not None]
        return round(sum(known), 4) if self.marks else None

    def verdict(self):
        """The line that the teacher reads."""
        total = "" if self.total is None else f" {self.total:g} of {self.most:g}"
        note = f" ({'; '.join(self.notes)})" if self.notes else ""
        return _printable(f"{self.student}: {self.status}{total}{note}")


@dataclass
class Grader:
    """Grades the submissions of one assignment; run `all` again to go on after a stop.

    source: Source; course: Course, where the results go; limits: Limits; safe: in the sandbox;
    workers: how many submissions run at a time.
    """

    source: object
    course: Course
    limits: Limits
    safe: bool = True
    workers: int = 2
    running: set = field(default_factory=set)

    def all(self, submissions, say=print):
        """Grade what is not graded yet; return a Row for each submission."""
        rows = {}
        pool = ThreadPoolExecutor(self.workers)
        try:
            futures = {pool.submit(self._try, one): one for one in submissions}
            done = as_completed(futures)
            for future in tqdm(done, "grading", len(futures), disable=None, unit="submission"):
                row = self._enter(futures[future], future.result())
                rows[row.student] = row
                say(row.verdict())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in list(self.running):
                process.kill()
            pool.shutdown()
        return [rows[one.student] for one in submissions]

    def folder(self, student):
        """Where the trial of a student is kept."""
        return self.course.root / "trials" / self.source.name / student

    def _try(self, one):
        """Give the result of a trial, of the last run if nothing has changed since."""
        if one.refused:
            return {"refused": one.refused}
        key, folder = _key(one, self.source), self.folder(one.student)
        kept = _read(folder / "result.json")
        if kept.get("key") == key and (folder / "judged.ipynb").is_file():
            return kept
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        job = Job(
            source=str(self.source.folder),
            notebook=str(one.notebook),
            student=one.student,
            files={name: str(path) for name, path in self._files(one).items()},
            notes=one.notes,
            key=key,
            parent=os.getpid(),
            result=str(folder),
            safe=self.safe,
            limits=asdict(self.limits),
        )
        job.write(folder / "job.json")
        return self._start(folder)

    def _files(self, one):
        """What lies beside the notebook: files of the student, then those of the assignment."""
        return {**one.files, **self.source.files}

    def _start(self, folder):
        """Try a job in a process of its own."""
        command = [sys.executable, "-P", "-m", "course_utils.classroom.trial"]
        with (folder / "log.txt").open("wb") as log:
            process = subprocess.Popen(
                [*command, str(folder / "job.json")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            self.running.add(process)
            try:
                process.wait(2 * self.limits.total_seconds + 120)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            finally:
                self.running.discard(process)
        return _read(folder / "result.json") or {"fault": f"the trial broke off, see {folder}"}

    def _enter(self, one, result):
        """Write a result into the gradebook and the feedback, unless that is done; give its row."""
        name, student = self.source.name, one.student
        if "refused" in result or "fault" in result:
            status = "refused" if "refused" in result else "not graded"
            why = result.get("refused") or result["fault"]
            return Row(student, name, status, most=self.source.total, notes=[why])
        folder = self.folder(student)
        try:
            if _read(folder / "entered.json").get("key") != result["key"]:
                self._hand_over(one)
                self.course.enter(name, student)
                self.course.give_feedback(name, student)
                write_whole(folder / "entered.json", json.dumps({"key": result["key"]}))
            grades = self.course.grades(name, student)
            if any(grade.by_hand for grade in grades.values()):
                self.course.give_feedback(name, student)
        except GradebookError as error:
            return Row(student, name, "not graded", most=self.source.total, notes=[str(error)])
        marks = {grade_id: grades[grade_id].marks for grade_id in self.source.graded}
        waits = [grade_id for grade_id, value in marks.items() if value is None]
        notes = result["notes"] + ([f"to be marked by hand: {', '.join(waits)}"] if waits else [])
        return Row(student, name, "graded", marks, self.source.total, notes)

    def _hand_over(self, one):
        """Put the submission, as it came, where nbgrader looks for it."""
        folder = self.course.root / "submitted" / one.student / self.source.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copyfile(one.notebook, folder / self.source.path.name)
        for name, text in _of_exchange(one.files).items():
            (folder / name).write_text(text, encoding="utf-8")


def _of_exchange(files):
    """What nbgrader's exchange put beside a notebook; with it, feedback finds its way back."""
    try:
        found = {name: files[name].read_bytes()[:200].decode() for name in EXCHANGED}
        parse_utc(found["timestamp.txt"].strip())
    except (KeyError, OSError, ValueError, OverflowError):
        return {}
    return found


def grade(place, name, *, out=None, safe=True, workers=2, limits=None, root=ROOT, say=print):
    """Grade all submissions in `place`, a folder or a zip file, of the assignment `name`.

    out: the folder for gradebook, feedback and table, the one of the assignments when None.
    Returns (rows, path of the table).

    Raises NoSandboxError without a sandbox, unless `safe` is False; AssignmentError when the source
    fails; RefusedError when `place` holds no submission at all.
    """
    limits = limits or Limits()
    source = find_source(name, root)
    if safe:
        require_sandbox(limits)
    sweep()
    course = Course(out or root)
    with _alone(course.root), tempfile.TemporaryDirectory(prefix=f"c-{os.getpid()}-") as workshop:
        source = course.take_source(source)
        submissions = collect(place, source, limits, workshop)
        prepare(course, source)
        rows = Grader(source, course, limits, safe, workers).all(submissions, say)
        table = course.root / f"marks_{name}.csv"
        write_whole(table, marks_table(rows, source))
    return rows, table


def prepare(course, source):
    """Check the source once, and enter the assignment into the gradebook when it is new there."""
    stamp = course.root / "trials" / f"{source.name}.json"
    if _read(stamp).get("hash") == source.hash and course.database.is_file():
        return
    check_source(source)
    try:
        course.generate(source.name)
    except GradebookError as error:
        raise AssignmentError(
            f"{error}. If questions were added or removed since students were graded, "
            "grade into a new folder: OUT=folder"
        ) from None
    stamp.parent.mkdir(parents=True, exist_ok=True)
    write_whole(stamp, json.dumps({"hash": source.hash}))


def check_source(source):
    """Run the source as its own answer key, in a process of its own.

    Raises AssignmentError when it fails, or does not accept its own answers.
    """
    command = [sys.executable, "-P", "-m", "course_utils.classroom.reference"]
    command += [str(source.path), "a-student", str(os.getpid())]
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    done = subprocess.run(
        command, input="{}", capture_output=True, text=True, env=environment, cwd=source.folder
    )
    try:
        reply = json.loads(done.stdout)
    except ValueError:
        raise AssignmentError(f"{source.path.name} cannot be run: {done.stderr[-500:]}") from None
    if "error" in reply:
        raise AssignmentError(reply["error"])


def marks_table(rows, source):
    """The CSV text: student, assignment, each question, total, max, status, note."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["student", "assignment", *source.graded, "total", "max", "status", "note"])
    for row in rows:
        marks = ["" if row.marks.get(q) is None else f"{row.marks[q]:g}" for q in source.graded]
        total = "" if row.total is None else f"{row.total:g}"
        cells = [row.student, row.assignment, *marks, total, f"{row.most:g}", row.status]
        cells.append("; ".join(row.notes))
        writer.writerow([_harmless(_printable(cell)) for cell in cells])
    return text.getvalue()


def _printable(text):
    """A text without control characters, which could change what a terminal shows."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _harmless(cell):
    """A cell that a spreadsheet does not take for a formula."""
    return "'" + cell if cell[:1] in ("=", "+", "@", "\t", "\r") else cell


def _key(one, source):
    """A text that changes when the submission, the source or the rules do."""
    digest = hashlib.sha256(f"{RULES}\0{source.hash}\0{one.student}\0".encode())
    digest.update(one.notebook.read_bytes())
    for name, path in sorted(one.files.items()):
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _read(path):
    """The JSON dict in a file; {} when there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


@contextlib.contextmanager
def _alone(folder):
    """Let one grader at a time work in a folder."""
    with (folder / ".grading").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AssignmentError(f"another `make grade` is at work in {folder}") from None
        yield
