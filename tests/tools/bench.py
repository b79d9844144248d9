"""The benchmark of the fast twins; `make bench` calls this, with QUICK=--quick the short form.

    python tests/tools/bench.py [--quick] [--torch PYTHON] [--out docs/benchmarks.md]

Every contender is a process of its own. They work in turns, never two at a time, in several
rounds; a ratio compares two contenders of the same round, so that a machine that gets slower hits
both. `--torch` names a Python that has PyTorch (the course does not install it).
"""

import argparse
import datetime
import json
import math
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SIZES = [(32, 50, 32, 64), (1, 25, 65, 100), (128, 20, 1, 32), (32, 100, 64, 128)]
SIZES += [(64, 100, 128, 256)]
KINDS = ["LSTM", "RNN", "GRU", "GRUResetAfter"]
TITLES = {
    "readable": "readable cell",
    "twin": "twin",
    "twin_alone": "twin, one thread",
    "twin20": "20 twins as one",
    "twin_fit": "twin in `fit`",
    "keras_fit": "Keras `fit`",
    "keras_tape": "Keras tape, `tf.function`",
    "torch": "PyTorch",
}
TORCH_HAS_NOT = {"GRU"}  # PyTorch has the reset-after form only
GOALS = {  # (kind, other contender): the largest ratio twin / other, by size
    ("LSTM", "keras_fit"): [0.45, 0.15, 0.35, 0.75],
    ("LSTM", "torch"): [1.2, 0.8, 1.0, 1.6],
    ("RNN", "torch"): [0.4, 0.25, 0.4],
    ("GRUResetAfter", "torch"): [0.7, 0.25, 0.9],
}
FULL = (KINDS, SIZES, 5, 0.2)  # kinds, sizes, rounds, seconds of each turn
QUICK = (["LSTM"], SIZES[:3], 3, 0.15)
LARGEST_20 = 3e7  # B T U R above which twenty replicas would need gigabytes


class Contender:
    """A process that answers questions; see bench_contender.py."""

    def __init__(self, name, python=sys.executable, cores=2):
        environment = dict(os.environ, PYTHONPATH=str(PROJECT))
        threads = cores if name in ("torch", "keras_fit", "keras_tape") else 1
        of_blas, of_tensorflow = ("OMP", "OPENBLAS"), ("TF_NUM_INTRAOP", "TF_NUM_INTEROP")
        environment |= {f"{what}_NUM_THREADS": str(threads) for what in of_blas}
        environment |= {f"{what}_THREADS": str(threads) for what in of_tensorflow}
        environment["BENCH_CORES"] = str(cores)
        self.process = subprocess.Popen(
            [python, str(PROJECT / "tests/tools/bench_contender.py"), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )

    def ask(self, **question):
        """Ask, wait, return the answer; None when the process is gone."""
        try:
            print(json.dumps(question), file=self.process.stdin, flush=True)
            return json.loads(self.process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            return None

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def start(names, torch_python, cores):
    """Start the contenders; leave out PyTorch where it is missing."""
    contenders = {}
    for name in names:
        python = torch_python if name == "torch" else sys.executable
        contender = Contender(name, python, cores)
        found = contender.ask(versions=True)
        if found is None:
            print(f"{TITLES.get(name, name)} is left out: it does not start with {python}")
            continue
        contender.versions = found
        contenders[name] = contender
    return contenders


def race(contenders, kind, size, rounds, seconds):
    """Let all contenders work in turns -> {name: [median seconds of each round]}."""
    taking_part = {
        name: contender
        for name, contender in contenders.items()
        if not (name == "torch" and kind in TORCH_HAS_NOT)
        and not (name == "twin20" and 20 * size[0] * size[1] * size[3] > LARGEST_20)
    }
    for contender in taking_part.values():
        contender.ask(kind=kind, size=size)
    medians = {name: [] for name in taking_part}
    for _ in range(rounds):
        for name, contender in taking_part.items():
            answer = contender.ask(kind=kind, size=size, seconds=seconds)
            if name == "floor":
                parts = [statistics.median(answer[part]) for part in ("products", "tanh")]
                medians[name].append(parts)
            else:
                medians[name].append(statistics.median(answer["times"]))
    return medians


def middle(values):
    """Median, and half the distance between the quartiles."""
    if len(values) < 3:
        return statistics.median(values), 0.0
    low, mid, high = statistics.quantiles(values, n=4)
    return mid, (high - low) / 2


def ratio(medians, name, other):
    """Median and spread of name / other over the rounds."""
    return middle([a / b for a, b in zip(medians[name], medians[other], strict=True)])


def exponent(sizes, times):
    """Fit times = a sizes^p by least squares in logarithms -> p."""
    x, y = [math.log(s) for s in sizes], [math.log(t) for t in times]
    mean_x, mean_y = statistics.fmean(x), statistics.fmean(y)
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return slope / sum((a - mean_x) ** 2 for a in x)


def number(value):
    """Write with two or three digits."""
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def table(head, rows):
    """Write a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def text_of_size(size):
    return "(" + ", ".join(map(str, size)) + ")"


# ------------------------------------------------------------------ the parts of the report


def times_table(results, kind, names):
    """Milliseconds of one training step, median and spread over the rounds."""
    rows = []
    for size, medians in results[kind].items():
        row = [text_of_size(size)]
        for name in names:
            if name in medians:
                mid, spread = middle([1e3 * m for m in medians[name]])
                row.append(f"{number(mid)} ± {number(spread)}")
            else:
                row.append("–")
        rows.append(row)
    return table(["(B, T, D, U)", *(TITLES[name] for name in names)], rows)


def goals_table(results):
    """The ratios that the twins are held to, beside the goal."""
    sizes = list(next(iter(results.values())))
    heads = [f"{kind} twin / {TITLES[other]}" for kind, other in GOALS]
    rows = []
    for size in sizes:
        row, i = [text_of_size(size)], SIZES.index(size)
        for (kind, other), goals in GOALS.items():
            medians = results.get(kind, {}).get(size, {})
            if other not in medians:
                row.append("–")
                continue
            mid, spread = ratio(medians, "twin", other)
            goal = f" (goal {goals[i]:g})" if i < len(goals) else ""
            row.append(f"{mid:.2f} ± {spread:.2f}{goal}")
        rows.append(row)
    return table(["(B, T, D, U)", *heads], rows)


def floor_table(results):
    """The products and the tanh alone, one thread, beside the twin on one core."""
    rows = []
    for kind, by_size in results.items():
        for size, medians in by_size.items():
            products, tanh = (
                statistics.median(part[i] for part in medians["floor"]) * 1e3 for i in (0, 1)
            )
            ours = statistics.median(medians["twin"]) * 1e3
            share = ours / (products + tanh)
            row = [kind, text_of_size(size), *map(number, (products, tanh, ours))]
            rows.append([*row, f"{share:.2f}"])
    head = ["", "(B, T, D, U)", "products, ms", "tanh, ms", "twin on one core, ms", "twin / floor"]
    return table(head, rows)


def growth(contender, seconds):
    """How the cost of the twin grows with each size -> rows of a table."""
    base = {"B": 32, "T": 50, "D": 32, "U": 64}
    ways = {
        "T": [25, 50, 100, 200],
        "U": [32, 64, 128, 256],
        "B": [8, 16, 32, 64, 128],
        "R, of (32, 30, 3, 8)": [None, 5, 20, 80],  # None: one model, without a replica axis
    }
    rows = []
    for kind in KINDS:
        row = [kind]
        for letter, values in ways.items():
            times = []
            for value in values:
                if letter in base:
                    question = {"size": list((base | {letter: value}).values())}
                else:
                    question = {"size": [32, 30, 3, 8], "replicas": value}
                contender.ask(kind=kind, **question)
                answer = contender.ask(kind=kind, seconds=seconds, **question)
                times.append(statistics.median(answer["times"]))
            row.append(f"{exponent([v or 1 for v in values], times):.2f}")
        row.append(f"{times[2] / times[0]:.1f}")
        rows.append(row)
    head = [
        "",
        *(f"{letter}: {v[0] or 1} to {v[-1]}" for letter, v in ways.items()),
        "20 models / one",
    ]
    return table(head, rows)


def peak_memory(names, torch_python, size):
    """What one training step adds to the memory of a fresh process, in MB."""
    rows = []
    for name in names:
        contenders = start([name], torch_python, 2)
        if name not in contenders:
            continue
        answer = contenders[name].ask(kind="LSTM", size=size)
        contenders[name].close()
        before, after = answer["memory before"], answer["memory"]
        rows.append([TITLES[name], f"{before:.0f}", f"{after - before:.0f}"])
    return table(["LSTM", "library and data, MB", "one training step adds, MB"], rows)


def plot(results, path):
    """One panel for each kind of layer: milliseconds by size, one marker for each contender."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    looks = {
        "readable": ("#666666", "s"),
        "twin": ("#0050A0", "o"),
        "keras_fit": ("#D97000", "^"),
        "keras_tape": ("#EBA000", "v"),
        "torch": ("#7A1F5C", "D"),
    }
    shape = {"figsize": (8, 3.6), "layout": "constrained", "sharey": True, "squeeze": False}
    fig, axes = plt.subplots(1, len(results), **shape)
    for ax, (kind, by_size) in zip(axes[0], results.items(), strict=True):
        for name, (colour, marker) in looks.items():
            sizes = [i for i, medians in enumerate(by_size.values()) if name in medians]
            times = [1e3 * statistics.median(list(by_size.values())[i][name]) for i in sizes]
            ax.plot(sizes, times, marker, color=colour, label=TITLES[name].replace("`", ""))
        ax.set_yscale("log")
        ax.set_title(kind, fontsize=9)
        labels = [text_of_size(size) for size in by_size]
        ax.set_xticks(range(len(labels)), labels, rotation=35, ha="right", fontsize=7)
        ax.grid(axis="y", alpha=0.3)
    axes[0][0].set_ylabel("one training step, ms")
    handles, labels = axes[0][0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside upper center", ncols=len(labels), fontsize=7)
    fig.savefig(path, dpi=130)
    plt.close(fig)


def processor():
    """The name of the processor, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def run(quick, torch_python):
    """Measure everything -> the parts of the report."""
    kinds, sizes, rounds, seconds = QUICK if quick else FULL
    contenders = start(TITLES, torch_python, 2)
    found = {}
    for contender in contenders.values():
        found |= contender.versions
    results = {kind: {} for kind in kinds}
    for kind in kinds:
        for size in sizes:
            results[kind][size] = race(contenders, kind, size, rounds, seconds)
            print(f"{kind:14s}{text_of_size(size):22s}", end="")
            for name, medians in results[kind][size].items():
                print(f"{name} {number(1e3 * statistics.median(medians))} ms  ", end="")
            print(flush=True)
    grown = None if quick else growth(contenders["twin"], seconds)
    for contender in contenders.values():
        contender.close()
    alone = start(["floor", "twin", "torch", "keras_tape"], torch_python, 1)
    on_one = {
        kind: {size: race(alone, kind, size, rounds, seconds) for size in sizes} for kind in kinds
    }
    for contender in alone.values():
        contender.close()
    names = [name for name in TITLES if name in contenders]
    memory = None if quick else peak_memory(names, torch_python, SIZES[3])
    return results, on_one, names, grown, memory, found, rounds


REPORT = """# How fast the twins are

Written by `make bench`; do not edit. {date}, {processor}, {cores} cores used, {system}.
{versions}

A *twin* is a layer of `course_utils/fused.py`: the numbers of the readable cell, computed in
another order. One training step is one forward pass, backpropagation through time, and the
gradients of all parameters and of the inputs, in float32.

## How to read the tables

- Each contender is a process of its own. They take turns, {rounds} rounds; a cell shows the median
  over the rounds ± half the distance between the quartiles. A ratio is taken inside each round.
- PyTorch and Keras use {cores} threads. The twins use one BLAS thread, and a second thread of their
  own for what can be done beside the time loop, if there is enough of it; "twin, one thread" does
  without.
- "Keras `fit`" and "twin in `fit`" include the loss, clipping by the global norm and Adam;
  "Keras tape" and PyTorch are asked for the gradients alone, as the twin is.
- "20 twins as one" is twenty models in one layer, each with its own data: the time is for all.
- Times belong to this machine. Ratios travel better, but not to every machine.

## The goals

{goals}

![{alt}]({plot})

**Where a goal is missed**, plain NumPy is the limit. PyTorch runs one compiled loop that uses all
threads; the loop of a twin runs on one core, with ten to fifteen calls of NumPy in each step, and
only what stands before and after the loop can use a second one. On one core each (table below) the
LSTM twin takes about as long as PyTorch at these sizes. What was tried:

- two BLAS threads: slower at these sizes, and far slower on a busy machine. Not kept.
- chunks of steps, with a second thread beside the loop: a gain where the products are large,
  a loss where they are small. Kept above a size (`CHUNK` in `fused.py`).
- shorter chunks on one core, so that everything stays in the cache: no gain. Not kept.
- the place of a result by position instead of `out=`: 4 % with one sequence. Kept.
- halves of the batch in two threads, each with its own loop: no faster than the chunks where the
  products are large, slower where they are small, because the two loops wait for each other at
  every call. Not kept.
- one product of [H, X, 1] in each step, written straight into the gates: the LSTM 4 to 7 % faster
  with replicas and no faster with one model, the RNN up to 5 % slower. What the way forward gains,
  the way back loses: the states then stand apart in memory. Not kept.

Twenty models of (32, 30, 3, 8) in one layer should cost at most 5 times one model; the last column
of *How the cost grows* tells what they cost. One small model is mostly calls, twenty are mostly
arithmetic and copies: the gates of all models have to be put in order in each step.

Where a shape is too small for a second thread, "twin" and "twin, one thread" run the same code; how
far their times differ shows how far two processes differ on this machine.

{times}
## One core, and the floor

The floor is the time of the matrix products and of the tanh of one training step, with nothing
around them: on one core no code that calls the same library can be faster.

{floor}

{explained}
{one_core}
{rest}
## How to repeat it

`make bench` on a machine that does nothing else; `make bench QUICK=--quick` for a first look, which
writes no file. PyTorch takes part if `TORCH=` names a Python that has it:
`make bench TORCH=/path/to/python`.
"""

EXPLAINED = """Why the twin is above its floor:

- **(32, 50, 32, 64)**: between the products stand about ten additions and multiplications per step
  and direction on small arrays, where a call costs about as much as its arithmetic. The rest is
  copying between (B, T, D) outside and (features, B) inside.
- **(1, 25, 65, 100)**: with one sequence a product is a matrix times a vector, about two
  microseconds, and any call of NumPy costs a third of a microsecond. Fifteen calls per step and a
  hundred around the loop are the gap.
- **(128, 20, 1, 32)**: a state of 32 units makes the products small; additions and multiplications
  on the gates of 128 sequences take as long as the products. They run at the speed of the cache.
- **(32, 100, 64, 128)**: the products are most of the floor. What remains is the arithmetic of the
  gates, and the copies that the weight gradients need in another order.
- **(64, 100, 128, 256)**: the same; the arrays of all steps do not fit into the cache, so that the
  slopes of the gates and the copies wait for memory.
"""


def report(results, on_one, names, grown, memory, found, rounds):
    """Put the parts together."""
    times = "".join(
        f"## {kind}: milliseconds per training step\n\n{times_table(results, kind, names)}\n\n"
        for kind in results
    )
    one_names = [name for name in ("twin", "torch", "keras_tape") if name in names]
    one_core = "".join(
        f"\n{kind} on one core, milliseconds per training step:\n\n"
        f"{times_table(on_one, kind, one_names)}\n"
        for kind in on_one
    )
    rest = ""
    if grown:
        rest += "\n## How the cost grows\n\nExponents p of time ~ size^p, fitted to the twins from "
        rest += "(32, 50, 32, 64) on; R is the number of replicas.\n\n" + grown + "\n"
    if memory:
        rest += f"\n## Memory at {text_of_size(SIZES[3])}\n\n" + memory + "\n"
    return REPORT.format(
        date=datetime.date.today().isoformat(),
        processor=processor(),
        cores=min(2, os.cpu_count()),
        system=platform.system(),
        versions=", ".join(f"{name} {version}" for name, version in sorted(found.items())) + ".",
        rounds=rounds,
        goals=goals_table(results),
        alt="Milliseconds of one training step for each contender and size, logarithmic",
        plot="benchmarks.png",
        times=times,
        floor=floor_table(on_one),
        explained=EXPLAINED,
        one_core=one_core,
        rest=rest,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one kind, three sizes, no file")
    parser.add_argument("--torch", default=sys.executable, help="a Python that has PyTorch")
    parser.add_argument("--out", type=Path, default=PROJECT / "docs/benchmarks.md")
    arguments = parser.parse_args()
    parts = run(arguments.quick, arguments.torch or sys.executable)
    text = report(*parts)
    if arguments.quick:
        print(text)
        return
    arguments.out.parent.mkdir(exist_ok=True)
    arguments.out.write_text(text, encoding="utf-8")
    plot(parts[0], arguments.out.with_suffix(".png"))
    print(goals_table(parts[0]))
    print(f"written: {arguments.out}")


if __name__ == "__main__":
    main()
