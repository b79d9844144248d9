"""What the test run adds to pytest and nbval for notebooks. pyproject.toml loads it with -p.

- A kernel that dies is reported within about a second; nbval alone waits the whole cell timeout.
- After its first failed cell a notebook stops: the rest would fail for the same reason.
- A cell that is interrupted at the timeout and ends quietly (`fit` does) has failed all the same.
- The report of a failure names the notebook, the section, the cell and the reason, and is short.
- Every kernel gets the environment of kernel_environment.py: one BLAS thread, no network.
- Seconds and megabytes of each notebook stand at the end of the run beside their budget.
- The longest files start first.

It reaches into nbval 0.11.0, so that version is pinned and test_dead_kernel.py watches this file.
"""

import os
import re
import shutil
import sys
import tempfile
import time
import tomllib
from collections import defaultdict
from pathlib import Path
from queue import Empty
from typing import NamedTuple

# nbformat would import this for one kind of address that no notebook holds, and it takes over a
# second in every process of the run. With None in its place the import is refused and left out.
sys.modules.setdefault("rfc3987_syntax", None)

import kernel_environment
import nbval.kernel
import nbval.plugin
import psutil
import pytest

POLL = 1.0  # seconds between two looks at a silent kernel
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
BUDGET = kernel_environment.PROJECT / "tests" / "budget.toml"


class KernelDiedError(Exception):
    """The process behind a notebook is gone."""


# --------------------------------------------------------------------------- kernels


def await_reply(kernel, msg_id, timeout=None):
    """Wait for the answer to a request; look once a second whether the kernel still lives."""
    end = time.monotonic() + (1e9 if timeout is None else timeout)
    while True:
        try:
            message = kernel.get_message(stream="shell", timeout=POLL)
        except Empty:
            if not kernel.is_alive():
                raise KernelDiedError from None
            if time.monotonic() > end:
                raise
            continue
        if message["parent_header"].get("msg_id") == msg_id:
            if message["content"]["status"] == "aborted":
                raise RuntimeError("the kernel aborted the request")
            return


def start_new_kernel(startup_timeout=60, kernel_name="python", **options):
    options["env"] = kernel_environment.kernel_environment()
    return _start_new_kernel(startup_timeout, kernel_name, **options)


def run_cell(cell):
    """Run one cell of a notebook, or skip it when a cell before it has failed."""
    notebook = cell.parent
    failed = getattr(notebook, "first_failed", None)
    if failed:
        pytest.skip(f"{failed} failed before")
    try:
        _run_cell(cell)
        cell.user_properties.append(("processor", processor_seconds(notebook.kernel)))
        if notebook.timed_out:
            seconds = cell.config.option.nbval_cell_timeout
            cell.raise_cell_error(f"Timeout: the cell ran longer than {seconds:g} seconds")
    except KernelDiedError:
        notebook.first_failed = place(cell)
        cell.raise_cell_error(
            "The kernel died: a crash, an exit, or not enough memory. The last line of the cell "
            "that ran is not known."
        )
    except pytest.skip.Exception:
        raise
    except BaseException as error:
        differs = isinstance(error, nbval.plugin.NbCellError) and "differ" in str(error)
        if not (differs and cell.config.option.nbval):  # the strict run lists every difference
            notebook.first_failed = place(cell)
        raise


def processor_seconds(kernel):
    """The seconds that a kernel has kept a processor busy since it started."""
    times = psutil.Process(kernel.km.provisioner.pid).cpu_times()
    return times.user + times.system


def place(cell):
    """The name of a cell as a reader sees it: a clean run counts the code cells from 1."""
    return f"In [{cell.cell_num + 1}]"


def section(cell):
    """The last heading above a cell."""
    heading = ""
    for other in cell.parent.nb.cells:
        if other is cell.cell:
            return heading
        if other.cell_type == "markdown":
            found = re.findall(r"^#+ +(.*)$", other.source, re.MULTILINE)
            heading = found[-1] if found else heading
    return heading


def failure(cell, excinfo):
    """Twenty lines at most: where, why, the code, the end of the traceback."""
    error = excinfo.value
    where = f"{cell.parent.path.name}  {place(cell)}  under the heading {section(cell)!r}"
    if not isinstance(error, nbval.plugin.NbCellError):
        return f"{where}\nreason: {type(error).__name__}: {error}"
    told = COLOUR.sub("", error.inner_traceback or "").strip("\n")
    told = re.sub(r"Cell In ?\[\d+\], line", "line", told).splitlines()  # nbval counts no cells
    told = [line for line in told if line.strip()]
    differs = "differ" in str(error)
    reason = str(error) if differs or not told else f"{told[-1]}"
    if not differs and "Timeout" in str(error):
        reason = str(error)
    code = [f"    {line}" for line in cell.cell.source.splitlines()]
    if len(code) > 25:
        code = [*code[:24], "    ..."]
    told = told[:12] if differs else told[-12:]
    return "\n".join([where, f"reason: {reason}", "code:", *code, *told])


_start_new_kernel = nbval.kernel.start_new_kernel
_run_cell = nbval.plugin.IPyNbCell.runtest
nbval.kernel.start_new_kernel = start_new_kernel
nbval.kernel.RunningKernel.await_reply = await_reply
nbval.plugin.IPyNbCell.runtest = run_cell
nbval.plugin.IPyNbCell.repr_failure = failure

# the environment of the test process itself, before anything imports NumPy or matplotlib
os.environ.update(kernel_environment.run_environment())
os.environ["MPLBACKEND"] = "Agg"


# --------------------------------------------------------------------------- the run


def read_budget(path=BUDGET):
    return tomllib.loads(path.read_text(encoding="utf-8"))


def pytest_addoption(parser):
    parser.addoption("--budget", default=str(BUDGET), help="the file with the budgets")


def pytest_configure(config):
    config.pluginmanager.register(Run(config), "course-run")


class Run:
    """Order, times and budget of one test run."""

    def __init__(self, config):
        self.root = config.rootpath
        self.budget = read_budget(Path(config.getoption("budget")))
        self.factor = float(os.environ.get("COURSE_BUDGET_FACTOR", "1"))
        self.seconds = defaultdict(float)
        self.processor = defaultdict(float)
        self.incomplete = set()
        self.ipython = None

    def pytest_sessionstart(self, session):
        # own IPython folder: a reader's start-up files and history stay out of the run
        if "IPYTHONDIR" not in os.environ:
            self.ipython = os.environ["IPYTHONDIR"] = tempfile.mkdtemp(prefix="ipython-")

    def pytest_unconfigure(self, config):
        if self.ipython:
            shutil.rmtree(self.ipython, ignore_errors=True)
            os.environ.pop("IPYTHONDIR", None)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        usual = self.budget["usual"]
        items.sort(key=lambda item: -usual.get(item.nodeid.split("::")[0], 1))

    def pytest_runtest_logreport(self, report):
        file = report.nodeid.split("::")[0]
        self.seconds[file] += report.duration
        times = [value for name, value in report.user_properties if name == "processor"]
        self.processor[file] = max([self.processor[file], *times])
        if report.outcome != "passed":
            self.incomplete.add(file)

    def rows(self):
        """A Row for each notebook that ran to its end."""
        for file, seconds in sorted(self.seconds.items()):
            path = self.root / file
            if path.suffix != ".ipynb" or file in self.incomplete or not path.is_file():
                continue
            kind = self.budget["kinds"][self.budget["notebooks"].get(path.stem, "numpy")]
            yield Row(
                path.stem,
                seconds,
                self.processor[file],
                path.stat().st_size / 1e6,
                kind["seconds"] * self.factor,
                kind["megabytes"],
            )

    def pytest_sessionfinish(self, session):
        controller = not hasattr(session.config, "workerinput")
        if controller and session.exitstatus == 0 and any(share(row) > 2 for row in self.rows()):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter):
        rows = list(self.rows())
        if not rows:
            return
        write = terminalreporter.write_line
        write("")
        write(f"{'notebook':36s} seconds  processor  budget    MB  budget")
        for row in rows:
            write(
                f"{row.name:36s} {row.seconds:7.1f} {row.processor:10.1f} {row.most_seconds:7.0f} "
                f"{row.megabytes:5.2f} {row.most_megabytes:7.1f}{verdict(row)}"
            )
        most = self.budget["course"]["seconds"] * self.factor
        total = sum(min(row.seconds, row.processor) for row in rows)
        write(
            f"{'all':36s} {sum(row.seconds for row in rows):7.1f} "
            f"{sum(row.processor for row in rows):10.1f} {most:7.0f}"
            f"{'  over the budget' if total > most else ''}"
        )
        others = sorted(
            ((seconds, file) for file, seconds in self.seconds.items() if seconds > 5),
            reverse=True,
        )
        slow = ", ".join(f"{file} {s:.0f} s" for s, file in others if not file.endswith("ipynb"))
        if slow:
            write(f"slow tests: {slow}")


class Row(NamedTuple):
    """What one notebook took, and what it may take."""

    name: str
    seconds: float
    processor: float
    megabytes: float
    most_seconds: float
    most_megabytes: float


def share(row):
    """The larger of the two shares of its budget that a notebook takes.

    On a busy machine a notebook waits and its processor time is the fair figure; a notebook that
    computes on two cores, or sleeps, is judged by the clock. So the smaller of the two counts.
    """
    seconds = min(row.seconds, row.processor)
    return max(seconds / row.most_seconds, row.megabytes / row.most_megabytes)


def verdict(row):
    if share(row) > 2:
        return "  over twice its budget: FAILED"
    return "  over its budget" if share(row) > 1 else ""
