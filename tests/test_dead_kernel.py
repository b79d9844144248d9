"""A kernel that dies, a cell that hangs and a cell that fails are reported soon and in few words.

Small notebooks are written into a folder, and pytest runs on them with the settings of the project.
"""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from queue import Empty

import nbformat
import notebook_plugin
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

PROJECT = Path(__file__).resolve().parents[1]
LESS_THAN_THE_CELL_TIMEOUT = 240  # a busy machine needs a part of it to start the kernels


def write_notebook(folder, *sources, name="trial.ipynb", outputs=()):
    """A notebook with a heading and some code cells, each with a stored count."""
    cells = [new_markdown_cell("# Try\n\n## 1 The section")]
    for number, source in enumerate(sources, 1):
        cells.append(new_code_cell(source, execution_count=number))
    for number, (tags, words) in outputs:
        cells[number].metadata["tags"] = tags
        cells[number].outputs = [new_output("stream", name="stdout", text=words)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = folder / name
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


def run_pytest(folder, *arguments, **environment):
    """Run the notebooks of a folder with the settings of the project -> exit code, output.

    A run that waits for a dead kernel takes 300 seconds and more, and raises TimeoutExpired.
    """
    command = [sys.executable, "-m", "pytest", "-c", str(PROJECT / "pyproject.toml")]
    command += ["--rootdir", str(folder), "-p", "no:hypothesispytest", *arguments, str(folder)]
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env={**os.environ, **environment, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=LESS_THAN_THE_CELL_TIMEOUT,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


BUDGET = """
[kinds]
numpy = {{ seconds = {seconds}, megabytes = 1.0 }}
[notebooks]
[course]
seconds = 100
[usual]
"""


@pytest.fixture(scope="module")
def trial(tmp_path_factory):
    """One run over notebooks with one fault each, on two workers as in `make test`."""
    folder = tmp_path_factory.mktemp("trial")
    tags = ["nbval-check-output"]
    write_notebook(folder, "x = 1", "import os\nos._exit(3)", "x", "x", name="10_exits.ipynb")
    killed = "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)"
    write_notebook(folder, killed, "x = 1", name="11_killed.ipynb")
    failing = "y = x + 1\nassert y == 3, f'y is {y}'"
    write_notebook(folder, "x = 1", failing, "z = y", name="12_fails.ipynb")
    compared = [(1, (tags, "2\n"))]
    write_notebook(folder, "print(1 + 1)", "print(7)", name="13_same.ipynb", outputs=compared)
    compared = [(1, (tags, "3\n"))]
    write_notebook(folder, "print(1 + 1)", "print(7)", name="14_differs.ipynb", outputs=compared)
    write_notebook(
        folder, "import time\nwhile time.process_time() < 4:\n    pass", name="15_slow.ipynb"
    )
    (folder / "budget.toml").write_text(BUDGET.format(seconds=1.4))
    budget = ["--budget", str(folder / "budget.toml"), "-n", "2", "--dist", "loadfile"]
    code, text = run_pytest(folder, *budget, COURSE_BUDGET_FACTOR="1")
    assert code == 1, text
    return text


def test_dead_kernel_is_noticed_at_the_next_look():
    class Dead:
        looks = 0

        def get_message(self, stream, timeout):
            assert timeout <= 1
            self.looks += 1
            raise Empty

        def is_alive(self):
            return False

    kernel = Dead()
    with pytest.raises(notebook_plugin.KernelDiedError):
        notebook_plugin.await_reply(kernel, "id", timeout=300)
    assert kernel.looks == 1


def test_kernel_that_dies_is_reported(trial):
    assert "10_exits.ipynb  In [2]  under the heading '1 The section'" in trial
    assert "reason: The kernel died" in trial

    assert trial.count("In [2] failed before") >= 1


def test_kernel_that_is_killed_is_reported(trial):
    """As on a machine that has run out of memory."""
    assert "11_killed.ipynb  In [1]  under the heading '1 The section'" in trial
    assert trial.count("The kernel died") == 2


def test_failing_cell_is_named_with_its_reason(trial):
    assert "12_fails.ipynb  In [2]  under the heading '1 The section'" in trial
    assert "reason: AssertionError: y is 2" in trial


def test_tagged_output_is_compared(trial):
    assert "14_differs.ipynb  In [1]" in trial
    assert "reason: Cell outputs differ" in trial
    assert "13_same.ipynb  In" not in trial


def test_report_counts_and_is_short(trial):
    assert "4 failed, 5 passed, 5 skipped" in trial
    assert len(trial.splitlines()) < 110


def test_seconds_of_the_workers_stand_beside_the_budget(trial):
    row = next(line for line in trial.splitlines() if line.startswith("15_slow"))
    assert float(row.split()[1]) >= 3
    assert row.endswith("over twice its budget: FAILED")


def test_cell_that_hangs_stops_at_the_timeout(tmp_path):
    """Also one that takes the interrupt and ends quietly, as a training loop does."""
    quiet = "import time\ntry:\n    time.sleep(600)\nexcept KeyboardInterrupt:\n    pass"
    write_notebook(tmp_path, "import time\ntime.sleep(600)", "x = 1", name="loud.ipynb")
    write_notebook(tmp_path, quiet, "x = 1", name="quiet.ipynb")
    code, text = run_pytest(tmp_path, "--nbval-cell-timeout=2")
    assert code == 1, text
    assert "reason: Timeout of 2 seconds exceeded executing cell" in text
    assert "reason: Timeout: the cell ran longer than 2 seconds" in text
    assert "2 failed, 2 skipped" in text


def test_twice_the_budget_fails_a_run_that_is_green_otherwise(tmp_path):
    write_notebook(tmp_path, "x = 1", name="02_quick.ipynb")
    (tmp_path / "budget.toml").write_text(BUDGET.format(seconds=0.01))
    code, text = run_pytest(tmp_path, "--budget", str(tmp_path / "budget.toml"))
    assert "1 passed" in text
    assert code == 1, text


@pytest.mark.parametrize(
    ("seconds", "processor", "megabytes", "words"),
    [
        (30, 20, 0.1, ""),
        (60, 60, 1.0, ""),
        (90, 80, 0.1, "over its budget"),
        (130, 125, 0.1, "over twice its budget: FAILED"),
        (10, 10, 2.1, "over twice its budget: FAILED"),
        (500, 50, 0.1, ""),  # a busy machine
        (50, 100, 0.1, ""),  # two cores
    ],
)
def test_verdict_on_the_budget(seconds, processor, megabytes, words):
    row = notebook_plugin.Row("n", seconds, processor, megabytes, 60, 1.0)
    assert notebook_plugin.verdict(row).strip() == words


def test_longest_files_start_first():
    class Item:
        def __init__(self, file):
            self.nodeid = f"{file}::Cell 0"

    run = notebook_plugin.Run.__new__(notebook_plugin.Run)
    run.budget = notebook_plugin.read_budget()
    files = ["tests/test_a.py", *run.budget["usual"], "tests/test_b.py"]
    items = [Item(file) for file in files]
    run.pytest_collection_modifyitems(items)
    seconds = [run.budget["usual"].get(i.nodeid.split("::")[0], 1) for i in items]
    assert seconds == sorted(seconds, reverse=True)
    assert [i.nodeid for i in items[-2:]] == ["tests/test_a.py::Cell 0", "tests/test_b.py::Cell 0"]


def test_nbval_is_the_version_that_the_plugin_was_written_for():
    assert metadata.version("nbval") == "0.11.0"
