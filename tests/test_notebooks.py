"""Every notebook keeps the rules of tools/notebook_rules.py, and every rule can fail.

No test here puts a solution into its exercise and runs it: the notebooks do that themselves. A
solution cell ends with the check of its exercise, called on the name with `_solution`
(rule exercises_have_solutions), and `make test` runs both cells and compares what they say.
"""

import base64
from pathlib import Path

import nbformat
import pytest
from course_plan import NOTEBOOKS
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from notebook_plugin import read_budget
from notebook_rules import RULES, Notebook

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_notebook_keeps_the_rules(path):
    book = Notebook.read(path)
    complaints = [f"{name}: {words}" for name, rule in RULES.items() for words in rule(book)]
    assert not complaints, f"{path.name}\n" + "\n".join(complaints)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_notebook_is_planned_and_has_a_budget(path):
    assert path.stem in NOTEBOOKS, "not in tests/tools/course_plan.py"
    budget = read_budget()
    assert budget["notebooks"][path.stem] in budget["kinds"], "not in tests/budget.toml"


# --------------------------------------------------------------------------- the rules can fail

PICTURE = base64.b64encode(b"no real picture").decode()


def text(source, *tags):
    return new_markdown_cell(source, metadata={"tags": list(tags)} if tags else {})


def code(source, output=None, *tags, **metadata):
    outputs = [] if output is None else [new_output("stream", name="stdout", text=output)]
    if tags:
        metadata["tags"] = list(tags)
    return new_code_cell(source, outputs=outputs, metadata=metadata)


def exercise(number):
    """The text, the open cell and the solution of one exercise."""
    return [
        text(f"**Exercise 3.{number}** *(5 minutes)* Double the number."),
        code(
            f"def my_double_{number}(x):\n    ...\n\ncheck_double(my_double_{number}, 2)",
            "not yet: my_double returned None\n",
            "exercise",
            "nbval-check-output",
        ),
        code(
            f"def my_double_{number}_solution(x):\n    return 2 * x\n\n"
            f"check_double(my_double_{number}_solution, 2)",
            "correct\n",
            "solution",
            "nbval-check-output",
            jupyter={"source_hidden": True},
        ),
    ]


def good():
    """A small notebook that keeps every rule."""
    picture = new_output(
        "display_data",
        data={"image/png": PICTURE, "text/plain": "A curve that falls."},
        metadata={"image/png": {"alt": "A curve that falls."}},
    )
    cells = [
        text("# Carry errors back\n\n**You will do** a little. **You need** 30 minutes."),
        text("**You will learn** to double.\n\n**You need** 30 minutes."),
        code("import numpy as np"),
        text("## 1 The sum over steps", "slide-1-5", "slide-2-3"),
        code("print(np.zeros(3).shape)", "(3,)\n", "nbval-check-output"),
        code("plt.plot([1, 0])", None, "extra"),
        code("my_guess = ...", None, "guess"),
        *exercise(1),
        *exercise(2),
        *exercise(3),
        text("## 2 A bug", "bug-hunt"),
        text("## What we have seen\n\nA sum.\n\n## Common mistakes\n\nNone."),
        text("## Further reading\n\n`just` in code is no prose, and $just$ is none."),
    ]
    cells[5].outputs = [picture]
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    nb = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    for number, cell in enumerate((c for c in nb.cells if c.cell_type == "code"), 1):
        cell.execution_count = number
    for index, cell in enumerate(nb.cells):
        cell["id"] = f"cell-{index}"
    nbformat.validate(nb)
    return nb


def cell_with(nb, tag):
    return next(cell for cell in nb.cells if tag in cell.metadata.get("tags", []))


def set_source(nb, tag, source):
    cell_with(nb, tag).source = source


def set_output(nb, tag, words):
    cell_with(nb, tag).outputs[0].text = words


def replace(nb, tag, old, new):
    cell = cell_with(nb, tag)
    assert old in cell.source
    cell.source = cell.source.replace(old, new)


def replace_text(nb, old, new):
    cell = next(c for c in nb.cells if c.cell_type == "markdown" and old in c.source)
    cell.source = cell.source.replace(old, new)


def add_output(nb, tag, *arguments, **values):
    cell_with(nb, tag).outputs.append(new_output(*arguments, **values))


def shown_text(nb, words):
    add_output(nb, "nbval-check-output", "stream", name="stdout", text=words)


def shown_data(nb, kind, data):
    add_output(nb, "nbval-check-output", "display_data", data={kind: data})


def drop(nb, tag):
    nb.cells.remove(cell_with(nb, tag))


def drop_tag(nb, tag):
    cell_with(nb, tag).metadata["tags"].remove(tag)


def set_tag(nb, tag, new):
    cell_with(nb, tag).metadata["tags"] = [new]


def make_large(nb):
    cell_with(nb, "extra").outputs[0].data["image/png"] = "A" * 1_100_000


def lengthen(nb, lines):
    for cell in nb.cells:
        if cell.cell_type == "code" and not cell.metadata.get("tags"):
            cell.source = "x = 1\n" * lines


def lengthen_all(nb):
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.source = "x = 1\n" * 9 + cell.source


def strip_outputs(nb):
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.outputs = []


BAD = [
    ("counts_are_consecutive", lambda nb: nb.cells[2].update(execution_count=None)),
    ("counts_are_consecutive", lambda nb: nb.cells[2].update(execution_count=7)),
    ("outputs_are_stored", strip_outputs),
    ("outputs_are_stored", lambda nb: cell_with(nb, "nbval-check-output").update(outputs=[])),
    (
        "no_errors_stored",
        lambda nb: add_output(nb, "extra", "error", ename="E", evalue="", traceback=[]),
    ),
    (
        "no_standard_error_stored",
        lambda nb: add_output(nb, "extra", "stream", name="stderr", text="a warning"),
    ),
    ("no_addresses_or_folders", lambda nb: shown_text(nb, "<object at 0x7f12ab34cd56>")),
    ("no_addresses_or_folders", lambda nb: shown_text(nb, "in /home/reader/course/x.py")),
    ("no_addresses_or_folders", lambda nb: shown_text(nb, r"in C:\Users\reader\x.py")),
    ("no_addresses_or_folders", lambda nb: shown_data(nb, "text/html", "<b>/tmp/a1/x</b>")),
    ("file_is_small", make_large),
    (
        "pictures_have_a_description",
        lambda nb: cell_with(nb, "extra").outputs[0].update(metadata={}),
    ),
    ("pictures_have_a_description", lambda nb: shown_data(nb, "image/svg+xml", "<svg></svg>")),
    (
        "pictures_have_a_description",
        lambda nb: shown_data(nb, "text/html", '<img src="data:image/png;base64,AAAA">'),
    ),
    ("pictures_have_a_description", lambda nb: replace_text(nb, "A sum.", "![](picture.png)")),
    ("tags_are_known", lambda nb: set_tag(nb, "extra", "nbval-check-outputs")),
    ("tags_are_known", lambda nb: set_tag(nb, "extra", "Extra")),
    ("tags_are_known", lambda nb: set_tag(nb, "bug-hunt", "exercise")),
    ("tags_are_known", lambda nb: replace_text(nb, "## 1 The sum", "The sum")),
    ("format_is_valid", lambda nb: nb.cells[2].pop("outputs")),
    ("kernel_is_python3", lambda nb: nb.metadata.kernelspec.update(name="my-env")),
    ("cell_names_are_unique", lambda nb: nb.cells[1].update(id=nb.cells[0]["id"])),
    ("no_exit", lambda nb: set_source(nb, "extra", "if True:\n    exit()")),
    ("no_exit", lambda nb: set_source(nb, "extra", "import os\nos._exit(0)")),
    ("code_is_python", lambda nb: set_source(nb, "extra", "!pip install something")),
    ("code_is_python", lambda nb: set_source(nb, "extra", "x = = 1")),
    ("cells_are_short", lambda nb: lengthen(nb, 26)),
    ("most_cells_are_short", lengthen_all),
    ("template_is_followed", lambda nb: replace_text(nb, "You will learn", "You learn")),
    ("template_is_followed", lambda nb: replace_text(nb, "Common mistakes", "Mistakes")),
    ("template_is_followed", lambda nb: replace_text(nb, "# Carry errors back", "Carry")),
    ("plain_words", lambda nb: replace_text(nb, "A sum.", "It is just a sum.")),
    ("plain_words", lambda nb: replace_text(nb, "A sum.", "Obviously, a sum.")),
    ("guesses_are_open", lambda nb: set_source(nb, "guess", "my_guess = 3")),
    ("three_to_five_exercises", lambda nb: replace_text(nb, "Exercise 3.2", "Task 3.2")),
    ("three_to_five_exercises", lambda nb: replace_text(nb, "Exercise 3.2", "Exercise 4.2")),
    ("three_to_five_exercises", lambda nb: [drop(nb, "exercise") for _ in range(2)]),
    ("a_bug_hunt", lambda nb: drop_tag(nb, "bug-hunt")),
    ("exercises_have_solutions", lambda nb: drop(nb, "solution")),
    ("exercises_have_solutions", lambda nb: replace(nb, "solution", ", 2)", ", 3)")),
    ("exercises_have_solutions", lambda nb: replace(nb, "solution", "check_d", "d")),
    ("exercises_have_solutions", lambda nb: replace(nb, "solution", "_solution, 2", ", 2")),
    ("exercises_have_solutions", lambda nb: replace(nb, "solution", "def my", "def your")),
    ("exercises_have_solutions", lambda nb: replace(nb, "exercise", "    ...", "    pass")),
    ("exercises_have_solutions", lambda nb: replace(nb, "exercise", "check_d", "c = check_d")),
    ("empty_answers_are_not_correct", lambda nb: set_output(nb, "exercise", "correct\n")),
    (
        "empty_answers_are_not_correct",
        lambda nb: set_output(nb, "exercise", "not yet: the first part\ncorrect: the second\n"),
    ),
    ("empty_answers_are_not_correct", lambda nb: set_output(nb, "exercise", "hm\nnot yet\n")),
    ("solutions_are_correct", lambda nb: set_output(nb, "solution", "not yet: None\n")),
    ("solutions_are_correct", lambda nb: set_output(nb, "solution", "correct\nnot yet: b\n")),
    (
        "exercises_are_compared",
        lambda nb: cell_with(nb, "exercise").metadata["tags"].remove("nbval-check-output"),
    ),
    (
        "exercises_are_compared",
        lambda nb: cell_with(nb, "solution").metadata["tags"].remove("nbval-check-output"),
    ),
    ("solutions_are_collapsed", lambda nb: cell_with(nb, "solution").metadata.pop("jupyter")),
]


def test_good_notebook_keeps_every_rule():
    book = Notebook("03_small", good())
    assert {name: rule(book) for name, rule in RULES.items() if rule(book)} == {}


@pytest.mark.parametrize(("name", "spoil"), BAD, ids=[f"{n}-{i}" for i, (n, _) in enumerate(BAD)])
def test_rule_finds_what_breaks_it(name, spoil):
    nb = good()
    spoil(nb)
    assert RULES[name](Notebook("03_small", nb)) != []


def test_every_rule_is_broken_once():
    assert {name for name, _ in BAD} == set(RULES)
