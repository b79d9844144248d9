"""A kernel that dies, a cell that hangs and a cell that fails are reported soon and in few words.

Small notebooks are written into a folder, and pytest runs on them with the settings of the project.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

PROJECT = Path(__file__).resolve().parents[1]


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
    """Run the notebooks of a folder with the settings of the project; -> exit code, output, s."""
    command = [sys.executable, "-m", "pytest", "-c", str(PROJECT / "pyproject.toml")]
    command += ["--rootdir", str(folder), *arguments, str(folder)]
    start = time.monotonic()
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env={**os.environ, **environment, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr, time.monotonic() - start


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
    write_notebook(folder, "import time\ntime.sleep(3)", name="15_slow.ipynb")
    (folder / "budget.toml").write_text(BUDGET.format(seconds=1.4))
    budget = ["--budget", str(folder / "budget.toml"), "-n", "2", "--dist", "loadfile"]
    code, text, seconds = run_pytest(folder, *budget, COURSE_BUDGET_FACTOR="1")
    assert code == 1, text
    assert seconds < 100, "nbval alone would wait 300 seconds for a dead kernel"
    return text


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
    quiet = "import time\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    pass"
    write_notebook(tmp_path, "import time\ntime.sleep(60)", "x = 1", name="loud.ipynb")
    write_notebook(tmp_path, quiet, "x = 1", name="quiet.ipynb")
    code, text, seconds = run_pytest(tmp_path, "--nbval-cell-timeout=2")
    assert code == 1, text
    assert "reason: Timeout of 2 seconds exceeded executing cell" in text
    assert "reason: Timeout: the cell ran longer than 2 seconds" in text
    assert "2 failed, 2 skipped" in text
    assert seconds < 50


def test_twice_the_budget_fails_a_run_that_is_green_otherwise(tmp_path):
    write_notebook(tmp_path, "x = 1", name="02_quick.ipynb")
    (tmp_path / "budget.toml").write_text(BUDGET.format(seconds=0.01))
    code, text, _ = run_pytest(tmp_path, "--budget", str(tmp_path / "budget.toml"))
    assert "1 passed" in text
    assert code == 1, text


def test_budget_once_exceeded_is_reported_only():
    from notebook_plugin import share, verdict

    rows = {0.5: "", 1.0: "", 1.5: "over its budget", 2.5: "over twice its budget: FAILED"}
    for factor, words in rows.items():
        assert verdict(("n", 60 * factor, 0.1, 60, 1.0)).strip() == words
        assert share(("n", 1, factor, 60, 1.0)) == factor


def test_longest_files_start_first():
    from notebook_plugin import Run, read_budget

    class Item:
        def __init__(self, file):
            self.nodeid = f"{file}::Cell 0"

    run = Run.__new__(Run)
    run.budget = read_budget()
    files = ["tests/test_a.py", *run.budget["usual"], "tests/test_b.py"]
    items = [Item(file) for file in files]
    run.pytest_collection_modifyitems(items)
    seconds = [run.budget["usual"].get(i.nodeid.split("::")[0], 1) for i in items]
    assert seconds == sorted(seconds, reverse=True)
    assert [i.nodeid for i in items[-2:]] == ["tests/test_a.py::Cell 0", "tests/test_b.py::Cell 0"]


def test_nbval_is_the_version_that_the_plugin_was_written_for():
    from importlib import metadata

    assert metadata.version("nbval") == "0.11.0"
