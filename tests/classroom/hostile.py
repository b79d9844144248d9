"""Submissions of the toy assignment, honest, broken and hostile, and the marks they must get."""

import copy
import json
import os
from dataclasses import dataclass, field

import nbformat
import toy
from nbformat import v4

RIGHT = "return np.tanh(x + h @ W)"
FULL = dict(toy.POINTS)


@dataclass
class Case:
    """One submission: how it is made, and what it must get.

    cells: answer cell -> new text, the others are solved; change: a function that changes the
    notebook; write: a function (notebook, folder) that writes it in another way than usual;
    lost: graded cell -> marks, where they are not the maximum; refused: words of the refusal;
    note: words that the row must hold; short: in `make test` as well.
    """

    cells: dict = field(default_factory=dict)
    change: object = None
    write: object = None
    lost: dict = field(default_factory=dict)
    refused: str | None = None
    note: str = ""
    short: bool = False

    def put(self, folder, student, released, source):
        """Write the submission of `student` below `folder`."""
        notebook = toy.solved(released, source, self.cells)
        notebook.cells[1].source = f"STUDENT = {student!r}"
        if self.change is not None:
            notebook = self.change(notebook) or notebook
        place = folder / student
        place.mkdir(parents=True)
        if self.write is not None:
            self.write(notebook, place)
        else:
            nbformat.write(notebook, place / "toy.ipynb")


def step(body, before=""):
    """An answer cell with another `step`."""
    lines = "\n".join("    " + line for line in body.strip("\n").split("\n"))
    return {"q1-step": f"{before}\ndef step(x, h):\n{lines}\n"}


def run(body):
    """An answer cell with another `run`; `honest` is the right one."""
    lines = "\n".join("    " + line for line in body.strip("\n").split("\n"))
    return {"q2-run": f"{toy.RUN.replace('def run', 'def honest')}\ndef run(X):\n{lines}\n"}


NO_STEP = {"q1-step-test": 0.0}
NO_RUN = {"q2-run-test": 0.0}
NOTHING = dict.fromkeys(FULL, 0.0)
ONLY_STEP = {"q2-run-test": 0.0, "q3-latch-test": 0.0}


def blank(notebook):
    """Put the stubs back: nothing was answered."""
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = "# YOUR CODE HERE\nraise NotImplementedError('q')"


def grade_ids(notebook):
    """grade_id -> number of the cell."""
    found = [
        (c.metadata.get("nbgrader", {}).get("grade_id"), n) for n, c in enumerate(notebook.cells)
    ]
    return {name: number for name, number in found if name}


def delete(*names):
    """Delete cells."""

    def change(notebook):
        numbers = [grade_ids(notebook)[name] for name in names]
        notebook.cells = [c for n, c in enumerate(notebook.cells) if n not in numbers]

    return change


def overwrite(name, text):
    """Give a locked cell another text."""

    def change(notebook):
        notebook.cells[grade_ids(notebook)[name]].source = text

    return change


def copies(notebook):
    """Copy every cell, as Jupyter does: the metadata stay, the id is new."""
    doubled = []
    for number, cell in enumerate(notebook.cells):
        other = copy.deepcopy(cell)
        other.id = f"copy-{number}"
        doubled += [cell, other]
    notebook.cells = doubled


def wrong_copy_in_front(notebook):
    """A copy of an answer cell with a wrong text stands before the original."""
    number = grade_ids(notebook)["q1-step"]
    other = copy.deepcopy(notebook.cells[number])
    other.id, other.source = "copy", "def step(x, h):\n    return x"
    notebook.cells.insert(number, other)


def add_scripts(notebook):
    """Put scripts where the feedback could hand them on to the teacher's browser."""
    script = "<script>alert('stolen')</script><img src=x onerror=\"alert('stolen')\">"
    show = "from IPython.display import HTML, Javascript, display\n"
    show += f"display(HTML({script!r}), Javascript('alert(\"stolen\")'))\nprint({script!r})"
    notebook.cells.append(v4.new_markdown_cell(f"{script} [a](javascript:alert('stolen'))"))
    notebook.cells.append(v4.new_code_cell(show))
    notebook.cells.append(v4.new_code_cell(f"raise ValueError({script!r})"))
    picture = {"image/png": f'">{script}', "image/svg+xml": script, "text/html": [script]}
    show = f"display({picture!r}, raw=True)"
    notebook.cells.append(v4.new_code_cell(f"from IPython.display import display\n{show}"))


def more_points(notebook):
    """Metadata that ask for more marks."""
    for cell in notebook.cells:
        known = cell.metadata.get("nbgrader", {})
        if known.get("grade"):
            known["points"] = 100
            known["grade"] = "yes"
            known["schema_version"] = 1


def answer_elsewhere(notebook):
    """The answer cell is deleted, its text stands in a new cell."""
    number = grade_ids(notebook)["q1-step"]
    notebook.cells[number] = v4.new_code_cell(notebook.cells[number].source)


def other_kernel(notebook):
    """A notebook for another language."""
    notebook.metadata["kernelspec"] = {"name": "ir", "language": "R", "display_name": "R"}


def as_name(name):
    """Write the notebook under another name."""
    return lambda notebook, folder: nbformat.write(notebook, folder / name)


def broken(notebook, folder):
    """Write half of the file."""
    text = nbformat.writes(notebook)
    (folder / "toy.ipynb").write_text(text[: len(text) // 2])


def deep(notebook, folder):
    """Write lists in lists without end."""
    (folder / "toy.ipynb").write_text("[" * 200_000)


def not_a_notebook(notebook, folder):
    """Write JSON of another form."""
    (folder / "toy.ipynb").write_text(json.dumps({"cells": 3, "nbformat": 4}))


def other_notebook(notebook, folder):
    """Write a notebook that has nothing to do with the assignment."""
    nbformat.write(v4.new_notebook(cells=[v4.new_code_cell("1")]), folder / "toy.ipynb")


def large(notebook, folder):
    """Write more than 16 MB."""
    notebook.cells.append(v4.new_markdown_cell("x" * (17 << 20)))
    nbformat.write(notebook, folder / "toy.ipynb")


def two(notebook, folder):
    """Write two notebooks, none of them with the expected name."""
    nbformat.write(notebook, folder / "a.ipynb")
    nbformat.write(notebook, folder / "b.ipynb")


def link(notebook, folder):
    """Write a link in place of the file."""
    nbformat.write(notebook, folder.parent.parent / "elsewhere.ipynb")
    os.symlink(folder.parent.parent / "elsewhere.ipynb", folder / "toy.ipynb")


def pipe(notebook, folder):
    """Write a named pipe, which nobody fills."""
    os.mkfifo(folder / "toy.ipynb")


# What each attack would need to succeed: then, and only then, it hands in right answers.
READ_OUTSIDE = f"""
import os, glob
def read(path):
    try:
        return open(path, "rb").read(10**6)
    except OSError:
        return b""
found = [p for p in [OUTSIDE, "/etc/passwd", "/etc/shadow", "/root/.bashrc"] if read(p)]
found += [p for p in glob.glob("/proc/*/environ") if b"secret of the grader" in read(p)]
for folder, folders, names in os.walk("/"):
    if folder == "/":
        folders[:] = [f for f in folders if f not in ("proc", "sys", "usr", "dev")]
    if "site-packages" in folder:
        folders[:] = []
    found += [n for n in names if n in ("gradebook.db", "toy.ipynb", "judged.ipynb", "job.json")]
if found:
    {RIGHT}
return x
"""
NETWORK = f"""
import socket
def reached(address):
    try:
        socket.create_connection(address, timeout=0.5)
        return True
    except OSError:
        return False
if any(map(reached, [("127.0.0.1", PORT), ("192.0.2.1", 80), (GATEWAY, 22)])):
    {RIGHT}
try:
    socket.getaddrinfo("python.org", 80)
except OSError:
    return x
{RIGHT}
"""
EDIT = f"""
import os, sqlite3
done = 0
for path in [OUTSIDE, GRADEBOOK, "/work.txt", "/usr/x", "/etc/x", "/dev/x", "/seed/x", PACKAGE]:
    try:
        open(path, "a").write("x")
        done += 1
    except OSError:
        pass
try:
    sqlite3.connect(GRADEBOOK).execute("UPDATE grade SET auto_score = 100")
    done += 1
except sqlite3.Error:
    pass
if done:
    {RIGHT}
return x
"""
PEEK = """
import gc, inspect, sys
import course_utils.classroom.answers as answers
found = [h]
for frame in inspect.stack():
    for names in (frame.frame.f_locals, frame.frame.f_globals):
        words = ("expect", "answer", "solution", "reference")
        found += [v for n, v in list(names.items()) if any(word in n for word in words)]
found += [o for o in gc.get_objects() if isinstance(o, dict) and "tolerance" in o]
found += answers._collections
arrays = [a for a in found if isinstance(a, np.ndarray) and a.shape == x.shape]
return arrays[-1]
"""
PATCHED = """
import numpy.testing
always = lambda *a, **k: True
numpy.testing.assert_allclose = numpy.testing.assert_array_equal = np.allclose = np.isclose = always
np.array_equal = always
"""
SHOW = """
shell = get_ipython()
shell.showtraceback = lambda *a, **k: None
shell.showsyntaxerror = lambda *a, **k: None
shell.set_custom_exc((BaseException,), lambda *a, **k: None)
"""
FORGED = """
from IPython.display import display
cases = ["zero state", "any state", "a short sequence", "a long sequence", "both signs are kept"]
for case in cases:
    for value in ("1", "true", "[1.0, 1.0, 1.0]", "NaN", "[" * 100000):
        payload = {"case": case, "value": value, "points": 100, "judge": None, "tolerance": 1e9}
        display({"application/vnd.rnn-course.answer+json": payload}, raw=True)
print("2.0")
"""
REPLACED = """
import course_utils.classroom.answers as answers
record = attempt = answers.record = answers.attempt = lambda *a, **k: None
"""
EQUALS = """
class Any:
    shape = (3,)
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __getattr__(self, name): return self
    def __call__(self, *a, **k): return self
    def __array__(self, *a, **k): raise RuntimeError
    def __float__(self): return float("nan")
    def __repr__(self): return "2.0"
"""
TELLS = """
import inspect
for frame in inspect.stack():
    try:
        print(inspect.getsource(frame.frame))
    except (OSError, TypeError):
        pass
print("\\n".join(get_ipython().history_manager.input_hist_raw))
raise ValueError("secret" + "_X = secret" + "_rng.normal(size=(4, 3))")
"""
STRANGE = f"""
kernel = get_ipython().kernel
for kind, content in [
    ("stream", {{"name": "x", "text": chr(0xD800) + chr(27) + "[2J"}}),
    ("stream", {{"name": ["x"], "text": "y"}}),
    ("display_data", {{"data": {{"image/png": 3, "text/plain": "1"}}, "metadata": {{}}}}),
    ("error", {{"ename": chr(0xD800), "evalue": "x", "traceback": ["x"]}}),
    ("clear_output", {{"wait": True}}),
    ("unheard_of", {{}}),
]:
    try:
        kernel.send_response(kernel.iopub_socket, kind, content)
    except Exception:
        pass
{RIGHT}
"""
SPAWN = """
import subprocess, sys
code = "import os, time; os.setsid(); time.sleep(600)"
for _ in range(3):
    subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
return np.tanh(x + h @ W)
"""
FORK = """
import os
while True:
    try:
        os.fork()
    except OSError:
        pass
"""
CHILDREN = """
import os, time
for _ in range(12):
    if os.fork() == 0:
        kept = np.ones((40, 2**20))
        time.sleep(60)
        os._exit(0)
time.sleep(60)
return honest(X)
"""
SWALLOW = """
import time
while True:
    try:
        while True:
            time.sleep(0.01)
    except BaseException:
        pass
"""
MEMORY = """
kept = []
while True:
    kept.append(bytearray(5 * 10**7))
"""
DISK = """
number = 0
while True:
    number += 1
    with open(f"file-{number}", "wb") as file:
        file.write(b"x" * 2**24)
"""
SHARED = """
for number in range(100):
    with open(f"/dev/shm/file-{number}", "wb") as file:
        file.write(b"x" * 2**24)
return honest(X)
"""
SOCKETS = """
for number in range(10**6):
    with open(f"/wires/{number}", "wb") as file:
        file.write(b"x" * 2**24)
return honest(X)
"""
BYE = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"

MARKERS = """\
### BEGIN SOLUTION
### BEGIN HIDDEN TESTS
### BEGIN HIDDEN TESTS
### BEGIN MARK SCHEME
### END HIDDEN TESTS AND ALL
"""

CASES = {
    "perfect": Case(short=True),
    "empty": Case(change=blank, lost=NOTHING, short=True),
    # ordinary mistakes; assignments have their own lists
    "no-state": Case(step("return np.tanh(x)"), lost={"q1-step-test": 1.0}, short=True),
    "sign": Case(step("return -np.tanh(x + h @ W)"), lost=NO_STEP),
    "no-tanh": Case(step("return x + h @ W"), lost=NO_STEP),
    "transposed-weights": Case(step("return np.tanh(x + h @ W.T)"), lost={"q1-step-test": 1.0}),
    "reversed": Case(run("return honest(X)[::-1]"), lost=NO_RUN),
    "last-state-only": Case(run("return honest(X)[-1]"), lost=NO_RUN),
    "missing-carry": Case(run("return np.tanh(X)"), lost=NO_RUN),
    "short-only": Case(run("return honest(X[:2])"), lost={"q2-run-test": 1.0}),
    "not-a-number": Case(step("return np.full(3, np.nan)"), lost=NO_STEP),
    "nothing-returned": Case(step("pass"), lost=NO_STEP),
    "weak-latch": Case(
        {"q3-latch": "def latch():\n    return 1.0, 0.5"}, lost={"q3-latch-test": 0.0}
    ),
    "half-latch": Case(
        {"q3-latch": "def latch():\n    return [True, 'x']"}, lost={"q3-latch-test": 0.0}
    ),
    "syntax-error": Case({"q1-step": "def step(x, h:\n    return x"}, lost=NO_STEP),
    "exit": Case(step("import sys; sys.exit(0)"), lost=NO_STEP),
    "asks": Case(step("return float(input('h? '))"), lost=NO_STEP),
    "numbers-of-another-student": Case(
        {"q1-step": toy.STEP + "\nW = student_rng('bob', 'toy').normal(size=(3, 3)) / 2\n"},
        lost={"q1-step-test": 1.0, "q2-run-test": 0.0},
    ),
    # time, memory, disk, processes, output
    "endless-loop": Case(step("while True: pass"), lost=NO_STEP, note="too slow", short=True),
    "loop-that-catches-interrupts": Case(
        run(SWALLOW), lost=ONLY_STEP, note="could not be interrupted", short=True
    ),
    "kernel-killed": Case(run("import os; os._exit(0)"), lost=ONLY_STEP, note="died", short=True),
    "kernel-killed-by-signal": Case(run(BYE), lost=ONLY_STEP, note="died"),
    "kernel-crashed": Case(run("import ctypes; ctypes.string_at(0)"), lost=ONLY_STEP, note="died"),
    "fork-bomb": Case(run(FORK), lost=ONLY_STEP, note="stopped", short=True),
    "many-large-processes": Case(run(CHILDREN), lost=ONLY_STEP, note="memory"),
    "memory-hog": Case(run(MEMORY), lost=NO_RUN, short=True),
    "disk-hog": Case(run(DISK), lost=NO_RUN),
    "shared-memory-hog": Case(run(SHARED), lost=NO_RUN),
    "files-among-sockets": Case(run(SOCKETS), lost=ONLY_STEP, note="only sockets belong"),
    "huge-output": Case(
        run("while True:\n    print('x' * 10**5, flush=True)"),
        lost=ONLY_STEP,
        note="stopped: ",
        short=True,
    ),
    "huge-message": Case(
        run("print('x' * 10**8)\nreturn honest(X)"), lost=ONLY_STEP, note="stopped"
    ),
    "processes-left-behind": Case(step(SPAWN)),
    # cells and files
    "deleted-tests": Case(
        change=delete("q1-step-test", "q2-run-test", "setup"), note="was missing and was put back"
    ),
    "deleted-answer": Case(change=delete("q1-step"), lost=NO_STEP, note="q1-step was missing"),
    "answer-in-a-new-cell": Case(change=answer_elsewhere, note="q1-step was missing"),
    "overwritten-tests": Case(
        step("return x"), change=overwrite("q1-step-test", "2.0"), lost=NO_STEP
    ),
    "overwritten-setup": Case(change=overwrite("setup", "import numpy as np")),
    "duplicated-cells": Case(change=copies, note="was there 2 times", short=True),
    "wrong-copy-in-front": Case(change=wrong_copy_in_front, note="was there 2 times"),
    "markers-in-answers": Case(
        step(f"{RIGHT}\n{MARKERS}"), change=lambda n: n.cells.append(v4.new_markdown_cell(MARKERS))
    ),
    "script-in-the-feedback": Case(change=add_scripts, short=True),
    "more-points": Case(step("return x"), change=more_points, lost=NO_STEP),
    "renamed-file": Case(write=as_name("my toy (1).ipynb"), note="came as my toy (1).ipynb"),
    "wrong-kernel": Case(change=other_kernel, note="another kernel"),
    "broken-json": Case(write=broken, refused="broken JSON", short=True),
    "deep-json": Case(write=deep, refused="is no notebook"),
    "no-notebook": Case(write=not_a_notebook, refused="is no notebook"),
    "another-notebook": Case(write=other_notebook, refused="none of toy"),
    "large-file": Case(write=large, refused="at most 16 MB"),
    "two-notebooks": Case(write=two, refused="2 notebooks"),
    "no-file": Case(write=lambda notebook, folder: None, refused="no notebook"),
    "link": Case(write=link, refused="is a link"),
    "pipe": Case(write=pipe, refused="no ordinary file"),
    # cheating inside the process
    "patched-numpy-testing": Case(step("return x", PATCHED), lost=NO_STEP),
    "patched-showtraceback": Case(step("return x", SHOW), lost=NO_STEP),
    "swallowed-errors": Case(
        step("try:\n    1 / 0\nexcept Exception:\n    return 2.0"), lost=NO_STEP
    ),
    "frame-peek": Case(step(PEEK), lost={"q1-step-test": 0.0}, short=True),
    "equals-everything": Case(step("return Any()", EQUALS), lost=NO_STEP),
    "forged-answers": Case(step(f"{FORGED.strip()}\nreturn x"), lost=NO_STEP, short=True),
    "strange-messages": Case(step(STRANGE), lost=NOTHING, note="broke off"),
    "replaced-record": Case(step(RIGHT, REPLACED), lost=NOTHING),
    "tells-hidden-tests": Case(step(TELLS), lost=NO_STEP),
    # the machine
    "reads-outside": Case(step(READ_OUTSIDE), lost=NO_STEP, short=True),
    "uses-the-network": Case(step(NETWORK), lost=NO_STEP, short=True),
    "edits-the-gradebook": Case(step(EDIT), lost=NO_STEP, short=True),
}
