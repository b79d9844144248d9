"""Execute notebooks on a clean kernel and store their outputs; `make outputs` calls this.

    python tests/tools/make_outputs.py            all notebooks
    python tests/tools/make_outputs.py 03 04      these

A notebook that fails is left as it was. The kernels get the environment of the test run.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

import kernel_environment
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def choose(words, folder=kernel_environment.NOTEBOOKS):
    """The notebooks whose names start with one of the words; all of them without a word."""
    every = sorted(folder.glob("*.ipynb"))
    chosen = [p for p in every if not words or any(p.name.startswith(w) for w in words)]
    lost = [w for w in words if not any(p.name.startswith(w) for p in every)]
    if lost or not chosen:
        sys.exit(f"no notebook starts with {' or '.join(lost) or 'anything'} in {folder.name}/")
    return chosen


class Progress:
    """One line per notebook on a terminal; a line every ten seconds elsewhere."""

    def __init__(self, path, cells):
        self.name, self.cells, self.start, self.last = path.stem, cells, time.time(), 0.0

    def seconds(self):
        return time.time() - self.start

    def at(self, number):
        line = f"{self.name:36s} cell {number:3d} of {self.cells}  {self.seconds():5.1f} s"
        if sys.stdout.isatty():
            print(f"\r{line}", end="", flush=True)
        elif self.seconds() - self.last > 10:
            self.last = self.seconds()
            print(line, flush=True)

    def end(self, word):
        line = f"{self.name:36s} {word:16s} {self.seconds():5.1f} s"
        print(f"\r{line}" if sys.stdout.isatty() else line, flush=True)


def execute(path, timeout=300):
    """Run one notebook in place. Returns the text of what went wrong, or None."""
    notebook = nbformat.read(path, as_version=4)
    metadata = {key: notebook.metadata[key] for key in notebook.metadata if key != "widgets"}
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code:
        cell.outputs, cell.execution_count = [], None
        cell.metadata.pop("execution", None)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=timeout,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
    )
    progress, count = Progress(path, len(code)), 0
    try:
        environment = kernel_environment.kernel_environment()
        with client.setup_kernel(env=environment, stderr=subprocess.DEVNULL):
            for index, cell in enumerate(notebook.cells):
                if cell.cell_type != "code":
                    continue
                count += 1
                progress.at(count)
                client.execute_cell(cell, index, execution_count=count)
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        progress.end("FAILED")
        told = COLOUR.sub("", str(error)).strip().splitlines()
        return f"{path.name}, In [{count}]:\n" + "\n".join(f"    {line}" for line in told[-25:])
    notebook.metadata = nbformat.from_dict(metadata)
    nbformat.validate(notebook)
    text = nbformat.writes(notebook)
    Path(path).write_text(
        text if text.endswith("\n") else text + "\n", encoding="utf-8", newline="\n"
    )
    progress.end(f"{len(text) / 1e6:.2f} MB")
    return None


def main(words):
    start = time.time()
    failures = [told for path in choose(words) if (told := execute(path))]
    print(f"{time.time() - start:.0f} seconds in all")
    for told in failures:
        print(f"\n{told}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
