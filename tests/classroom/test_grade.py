"""The grader as a whole: refusals, stops in the middle, marks by hand, a class of 100."""

import csv
import fcntl
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import pytest
import toy
from nbformat import v4
from nbgrader.api import Gradebook
from need_sandbox import SANDBOX, at_work, own_temp, why_not

from course_utils.classroom import sandbox
from course_utils.classroom.__main__ import main
from course_utils.classroom.grade import Row, _read, grade, marks_table
from course_utils.classroom.gradebook import Course, GradebookError
from course_utils.classroom.limits import Limits
from course_utils.classroom.source import AssignmentError, find_source

ALL = os.environ.get("CLASSROOM") == "all"
needs_sandbox = pytest.mark.skipif(not SANDBOX, reason=why_not())
only_in_full = pytest.mark.skipif(not ALL, reason="long: make test-classroom")


def hand_in(root, place, students, changes=None):
    """Write solved submissions of some students; `changes` as toy.solved has it."""
    source, path = find_source("toy", root).notebook, root / "release/toy/toy.ipynb"
    released = nbformat.read(path if path.is_file() else Course(root).generate("toy"), as_version=4)
    for student in students:
        notebook = toy.solved(released, source, changes)
        notebook.cells[1].source = f"STUDENT = {student!r}"
        (place / student).mkdir(parents=True)
        nbformat.write(notebook, place / student / "toy.ipynb")
    return place


def table_of(root, name="toy"):
    with (root / f"marks_{name}.csv").open(encoding="utf-8") as stream:
        return {line["student"]: line for line in csv.DictReader(stream)}


def quiet(line):
    pass


# --------------------------------------------------------------------------- no sandbox


def test_without_bubblewrap_nothing_is_graded(root, tmp_path, monkeypatch, capsys):
    hand_in(root, tmp_path / "in", ["ada"])
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    assert main(["--root", str(root), "grade", str(tmp_path / "in"), "toy"]) == 2
    said = capsys.readouterr().err
    assert "bubblewrap is not installed" in said
    assert "apt-get install bubblewrap" in said
    assert "--unsafe" in said
    assert not list(root.glob("marks*"))


def test_where_bubblewrap_is_not_let_in_nothing_is_graded(tmp_path, monkeypatch):
    program = tmp_path / "bwrap"
    program.write_text(
        "#!/bin/sh\n[ $1 = --help ] && echo --size --disable-userns && exit\n"
        "echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(sandbox.NoSandboxError, match="uid map: Permission denied"):
        sandbox.require_sandbox(Limits())
    program.write_text("#!/bin/sh\necho --bind\n")
    with pytest.raises(sandbox.NoSandboxError, match="too old: it has no --size"):
        sandbox.require_sandbox(Limits())


def test_other_systems_are_told(monkeypatch):
    monkeypatch.setattr(sandbox.sys, "platform", "darwin")
    with pytest.raises(sandbox.NoSandboxError, match="needs Linux; this is darwin"):
        sandbox.require_sandbox(Limits())


def test_unsafe_grades_and_says_so(root, tmp_path, monkeypatch):
    hand_in(root, tmp_path / "in", ["ada"])
    monkeypatch.setattr(sandbox.shutil, "which", lambda name: None)
    (row,), _ = grade(tmp_path / "in", "toy", root=root, safe=False, say=quiet)
    assert (row.total, row.notes) == (7.0, ["graded without a sandbox"])


# --------------------------------------------------------------------------- the command


@needs_sandbox
def test_command_grades_a_class(root, tmp_path, capsys):
    place = hand_in(root, tmp_path / "in", ["ada"])
    (place / "eve.ipynb").write_text("{")
    out = tmp_path / "out"
    words = ["--root", str(root), "grade", str(place), "toy", "--out", str(out)]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "ada: graded 7 of 7" in said
    assert "eve: refused (eve.ipynb is no notebook: broken JSON)" in said
    assert "1 graded, 1 refused" in said
    table = table_of(out)
    assert table["ada"] == {
        "student": "ada",
        "assignment": "toy",
        "q1-step-test": "2",
        "q2-run-test": "3",
        "q3-latch-test": "2",
        "total": "7",
        "max": "7",
        "status": "graded",
        "note": "",
    }
    assert (table["eve"]["total"], table["eve"]["status"]) == ("", "refused")
    assert (out / "feedback/ada/toy/toy.html").is_file()
    assert not (root / "feedback").exists()


def test_wrong_words_are_refused(root, tmp_path, capsys):
    assert main(["--root", str(root), "grade", str(tmp_path), "a9"]) == 2
    assert "there is no assignment 'a9'" in capsys.readouterr().err


def test_a_source_that_fails_stops_the_grader(root, tmp_path):
    place = hand_in(root, tmp_path / "in", ["ada"])
    path = root / "source/toy/toy.ipynb"
    path.write_text(path.read_text().replace("np.tanh(a * h)", "np.tnah(a * h)"))
    with pytest.raises(AssignmentError, match=r"does not accept|tnah"):
        grade(place, "toy", root=root, safe=False, say=quiet)


def test_plain_nbgrader_gives_no_marks(root, tmp_path):
    """Without the judge, `nbgrader autograde` would give full marks: it must not."""
    place = hand_in(root, tmp_path / "in", ["ada"])
    target = root / "submitted/ada/toy"
    target.mkdir(parents=True)
    (target / "toy.ipynb").write_bytes((place / "ada/toy.ipynb").read_bytes())
    with pytest.raises(GradebookError, match="use `make grade`"):
        Course(root).enter("toy", "ada")
    grades = Course(root).grades("toy", "ada")
    assert grades is None or all(g.marks in (0, None) for g in grades.values())


def test_table_is_no_formula(root):
    row = Row("=cmd()", "toy", "refused", most=7, notes=["+1"])
    lines = marks_table([row], find_source("toy", root)).splitlines()
    assert lines[1] == "'=cmd(),toy,,,,,7,refused,'+1"


# --------------------------------------------------------------------------- stops and goes on


def start(root, place):
    command = [sys.executable, "-W", "ignore", "-m", "course_utils.classroom", "--root", str(root)]
    return subprocess.Popen(
        [*command, "grade", str(place), "toy"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def wait_for(what, seconds=120):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


@needs_sandbox
@pytest.mark.parametrize(
    "how", [signal.SIGKILL, pytest.param(signal.SIGINT, marks=only_in_full)], ids=["kill", "ctrl-c"]
)
def test_a_grader_that_is_stopped_goes_on(root, tmp_path, how):
    students = [f"s{n}" for n in range(5 if ALL else 3)]
    place = hand_in(root, tmp_path / "in", students)
    with own_temp(tmp_path):
        other = start(root, place)
    wait_for(lambda: list(root.glob("trials/toy/*/entered.json")))
    other.send_signal(how)
    code = other.wait(30)
    assert code == (130 if how == signal.SIGINT else -9)
    wait_for(lambda: at_work(str(tmp_path)) == [], 10)
    entered = {p: p.stat().st_mtime_ns for p in root.glob("trials/toy/*/entered.json")}
    with sqlite3.connect(root / "gradebook.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with own_temp(tmp_path) as temp:
        rows, _ = grade(place, "toy", root=root, say=quiet)
        wait_for(lambda: not (sandbox.sweep() or list(temp.iterdir())), 10)
    assert [row.total for row in rows] == [7.0] * len(students)
    assert {p: p.stat().st_mtime_ns for p in entered} == entered, "what was done stays"
    assert {line["total"] for line in table_of(root).values()} == {"7"}


def test_one_grader_at_a_time(root, tmp_path):
    place = hand_in(root, tmp_path / "in", ["ada"])
    with (root / ".grading").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(AssignmentError, match="another `make grade` is at work"):
            grade(place, "toy", root=root, safe=False, say=quiet)


@needs_sandbox
def test_a_new_submission_is_graded_again_the_others_are_not(root, tmp_path):
    place = hand_in(root, tmp_path / "in", ["ada", "bob"])
    grade(place, "toy", root=root, say=quiet)
    kept = (root / "trials/toy/ada/result.json").stat().st_mtime_ns
    path = place / "bob/toy.ipynb"
    path.write_text(path.read_text().replace("np.tanh(x + h @ W)", "np.sinh(x + h @ W)"))
    rows, _ = grade(place, "toy", root=root, say=quiet)
    assert [row.total for row in rows] == [7.0, 2.0]
    assert (root / "trials/toy/ada/result.json").stat().st_mtime_ns == kept


# --------------------------------------------------------------------------- by hand


def add_essay(root):
    """Add a question that the teacher marks, and let the gradebook be made anew."""
    (root / "gradebook.db").unlink()
    shutil.rmtree(root / "release")
    path = root / "source/toy/toy.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cell = v4.new_markdown_cell("A model answer.", id="q4-words")
    cell.metadata["nbgrader"] = {
        "grade": True,
        "solution": True,
        "locked": False,
        "task": False,
        "points": 4,
        "grade_id": "q4-words",
        "schema_version": 3,
    }
    notebook.cells.append(cell)
    nbformat.write(notebook, path)


@needs_sandbox
def test_marks_by_hand_come_into_the_table_and_the_feedback(root, tmp_path):
    add_essay(root)
    place = hand_in(root, tmp_path / "in", ["ada"], {"q4-words": "It forgets, because ..."})
    (row,), _ = grade(place, "toy", root=root, say=quiet)
    assert (row.total, row.most) == (7.0, 11.0)
    assert row.notes == ["to be marked by hand: q4-words"]
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as gradebook:
        given = gradebook.find_grade("q4-words", "toy", "toy", "ada")
        given.manual_score, given.needs_manual_grade = 3.5, False
        gradebook.find_comment("q4-words", "toy", "toy", "ada").manual_comment = "Name the gate."
        gradebook.db.commit()
    (row,), _ = grade(place, "toy", root=root, say=quiet)
    assert (row.total, row.notes) == (10.5, [])
    assert table_of(root)["ada"]["q4-words"] == "3.5"
    assert "Name the gate." in (root / "feedback/ada/toy/toy.html").read_text(encoding="utf-8")


# --------------------------------------------------------------------------- as another user


@pytest.fixture
def open_folder():
    """A folder that other users can reach."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@needs_sandbox
@only_in_full
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user here")
def test_an_ordinary_user_grades_as_root_does(open_folder):
    """In a mount namespace of its own, where this user can read the project and its Python."""
    tmp_path, root = open_folder, toy.write_source(open_folder / "course")
    hand_in(root, tmp_path / "in", ["ada"], {"q1-step": FORK})
    for path in [tmp_path, *tmp_path.rglob("*")]:
        os.chown(path, 65534, 65534)
    words = [sys.executable, "-W", "ignore", "-m", "course_utils.classroom", "--root", str(root)]
    words += ["grade", str(tmp_path / "in"), "toy", "--cell-seconds", "4", "--total-seconds", "12"]
    done = as_nobody(words, tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    table = table_of(root)
    assert table["ada"]["q1-step-test"] == "0"
    assert "stopped" in table["ada"]["note"] or "too slow" in table["ada"]["note"]
    assert at_work(str(tmp_path)) == []


FORK = """\
def step(x, h):
    import os
    while True:
        try:
            os.fork()
        except OSError:
            pass
"""


def as_nobody(words, tmp_path):
    """Run a command as the user 65534."""
    hidden = [p for p in map(Path, (sys.base_prefix, sys.prefix)) if _closed(p)]
    script = ["set -e", "mount -t tmpfs tmpfs /mnt"]
    tops = {str(p.parents[-2]) for p in hidden}
    for number, path in enumerate(hidden):
        script += [f"mkdir /mnt/{number}", f"mount --bind {path} /mnt/{number}"]
    for top in tops:
        script += [f"mount -t tmpfs -o mode=755 tmpfs {top}"]
    for number, path in enumerate(hidden):
        script += [f"mkdir -p {path}", f"mount --bind /mnt/{number} {path}"]
    script += ['exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"']
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)}
    return subprocess.run(
        ["unshare", "-m", "sh", "-c", "\n".join(script), "sh", *words],
        env=environment,
        capture_output=True,
        text=True,
    )


def _closed(path):
    return any(not folder.stat().st_mode & 0o005 for folder in [path, *path.parents])


# --------------------------------------------------------------------------- a class


@needs_sandbox
@only_in_full
def test_a_class_of_100_takes_less_than_six_minutes(tmp_path, record_property):
    """Ordinary submissions of a real assignment: the solved one, with 100 different keys."""
    name, course = "a1_rnn_and_bptt", Course(tmp_path / "course")
    source = course.take_source(find_source(name))
    released = nbformat.read(course.generate(name), as_version=4)
    place = tmp_path / "in"
    place.mkdir()
    for number in range(100):
        student = f"student-{number:03d}"
        notebook = toy.solved(released, source.notebook)
        key = next(c for c in notebook.cells if "student-key" in c.metadata.get("tags", []))
        key.source = f"STUDENT = {student!r}"
        nbformat.write(notebook, place / f"{student}.ipynb")
    start_time, start_work = time.monotonic(), work()
    rows, _ = grade(place, name, out=tmp_path / "course", say=quiet)
    seconds, worked = time.monotonic() - start_time, work() - start_work
    record_property(
        "measured",
        f"a class of 100: {seconds:.0f} s of clock time, {worked:.0f} s of processor time",
    )
    auto = sum(source.points(grade_id) for grade_id in source.tests)
    assert {row.total for row in rows} == {auto}
    assert min(seconds, worked / 2) < 360  # on a busy machine, two cores would have taken half


def work():
    """Seconds of processor time of this process and of those that it has waited for."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(u.ru_utime + u.ru_stime for u in map(resource.getrusage, kinds))


def test_results_of_trials_can_be_read(tmp_path):
    (tmp_path / "a.json").write_text("[1]")
    (tmp_path / "b.json").write_text("{")
    (tmp_path / "c.json").write_text(json.dumps({"key": 1}))
    assert [_read(tmp_path / f"{n}.json") for n in "abcd"] == [{}, {}, {"key": 1}, {}]
