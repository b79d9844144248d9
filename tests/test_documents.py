"""The documents say what is true: links of docstrings, commands, links between files, slide map."""

import ast
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
import slide_map
from course_plan import NOTEBOOKS, PLAN, ROWS, planned
from nbformat.v4 import new_markdown_cell, new_notebook
from notebook_rules import FORBIDDEN, Notebook, without_code

PROJECT = Path(__file__).resolve().parents[1]
FOLDER = PROJECT / "notebooks"
PACKAGE = PROJECT / "course_utils"
LATER_THAN_THE_PLAN = {"1.19"}  # applications: notebooks after 13
NO_LESSON = {
    "require",
    "environment",
    "exercises",
    "classroom",
}  # helpers that no notebook explains
TAUGHT = re.compile(r"Taught in:\s+(notebooks/\S+?)(?:\.ipynb)?(?:,\s+section\s+(\d+))?[.,;]?\s*$")
WAITING = "planned and not written yet: notebooks " + ", ".join(
    name[:2] for name in NOTEBOOKS if not (FOLDER / f"{name}.ipynb").is_file()
)
DOCUMENTS = [
    path
    for path in [*PROJECT.glob("*.md"), *FOLDER.glob("*.md"), *(PROJECT / "data").glob("*.md")]
    if path.is_file()
]


# --------------------------------------------------------------------------- Taught in: ...


def docstrings():
    """[(place, docstring)] of every module, class and function of the package."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
        for node in ast.walk(tree):
            if isinstance(node, kinds) and (words := ast.get_docstring(node)):
                name = getattr(node, "name", "module")
                found.append((f"{path.relative_to(PROJECT).as_posix()}:{name}", words))
    return found


def links(docstring):
    """[(notebook, section or None)] of one docstring."""
    lines = [line for line in docstring.splitlines() if "Taught in:" in line]
    found = []
    for line in lines:
        match = TAUGHT.search(line)
        assert match, f"this form is not known: {line.strip()!r}"
        found.append((match[1].removeprefix("notebooks/"), match[2]))
    return found


ALL_LINKS = sorted(
    {(*link, place) for place, words in docstrings() for link in links(words)}, key=str
)
BY_TARGET = {}
for _name, _section, _place in ALL_LINKS:
    BY_TARGET.setdefault((_name, _section), []).append(_place)


@pytest.mark.parametrize(
    ("name", "section"),
    list(BY_TARGET),
    ids=[f"{name}-{section}" for name, section in BY_TARGET],
)
def test_docstring_link_leads_to_a_section(name, section):
    """A notebook of the plan that is not written yet is reported as skipped, not as passed."""
    places = ", ".join(BY_TARGET[name, section])
    assert name in NOTEBOOKS, f"{places}: the course has no notebook {name}"
    path = FOLDER / f"{name}.ipynb"
    if not path.is_file():
        pytest.skip(WAITING)
    if section is not None:
        text = "\n".join(cell.source for cell in Notebook.read(path).prose)
        assert re.search(rf"^## {section}\b", text, re.MULTILINE), (
            f"{places}: no '## {section} ...'"
        )


def public_names(path):
    """The public functions and classes of one file, with their docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            yield node.name, ast.get_docstring(node) or ""


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix()
)
def test_public_names_say_what_they_do(path):
    assert [name for name, words in public_names(path) if not words] == [], "no docstring"


def names_used(source):
    """{(module, name)} that a cell takes from the package."""
    nodes = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.ImportFrom)]
    modules = [(node, node.module or "") for node in nodes]
    return {
        (module.split(".")[1], alias.name)
        for node, module in modules
        if module.startswith("course_utils.")
        for alias in node.names
    }


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def test_names_that_a_notebook_uses_say_where_they_are_taught(path):
    taught = {}
    for file in PACKAGE.rglob("*.py"):
        module = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
        for name, words in public_names(file):
            taught[module, name] = bool(links(words))
    cells = [cell.source for cell in Notebook.read(path).code]
    used = {pair for cell in cells for pair in names_used(cell) if pair[0] not in NO_LESSON}
    lost = sorted(".".join(pair) for pair in used if not taught.get(pair, True))
    assert lost == [], "no line 'Taught in: notebooks/NN_name, section N'"


def test_form_of_the_link():
    assert links("Do it.\n\nSource: row 2.7.  Taught in: notebooks/05_b, section 1.") == [
        ("05_b", "1")
    ]
    assert links("Taught in: notebooks/03_a.ipynb") == [("03_a", None)]
    with pytest.raises(AssertionError, match="form is not known"):
        links("Taught in: the third notebook")
    assert names_used("import numpy\nfrom course_utils.cells import RNNCell, GRUCell") == {
        ("cells", "RNNCell"),
        ("cells", "GRUCell"),
    }


# --------------------------------------------------------------------------- commands and links


def code_of(text):
    """The code in a document: blocks and words between backticks."""
    blocks = re.findall(r"^```.*?^```|^(?: {4}|\t).*$", text, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`[^`\n]+`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    return "\n".join([*blocks, *inline])


def commands(text):
    return set(re.findall(r"\bmake ([a-z][a-z-]*)", code_of(text)))


def targets():
    text = (PROJECT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):", text, re.MULTILINE))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_commands_of_documents_exist(path):
    assert commands(path.read_text(encoding="utf-8")) <= targets()


def test_commands_of_notebooks_and_code_exist():
    for path in FOLDER.glob("*.ipynb"):
        text = "\n".join(cell.source for cell in Notebook.read(path).prose)
        assert commands(text) <= targets(), path.name
    for place, words in docstrings():
        assert commands(words) <= targets(), place


def test_commands_are_found():
    assert commands("We make sure. Run `make test`.\n\n    make lab\n") == {"test", "lab"}
    assert targets() >= {"lab", "test", "outputs", "test-strict", "lint", "lock", "help"}


def broken_links(text, folder):
    """The links of a text that lead to no file. Links into the net and to headings are left out."""
    broken = []
    for address in re.findall(r"\]\(([^)\s]+)(?: \"[^\"]*\")?\)", text):
        address = unquote(address.split("#")[0])
        if not address or re.match(r"[a-z]+:", address):
            continue
        if not (folder / address).exists():
            broken.append(address)
    return broken


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_links_of_documents_lead_somewhere(path):
    assert broken_links(path.read_text(encoding="utf-8"), path.parent) == []


def test_links_of_notebooks_lead_somewhere():
    """A link to a notebook of the plan may wait for it."""
    planned_files = {f"{name}.ipynb" for name in NOTEBOOKS}
    for path in FOLDER.glob("*.ipynb"):
        text = "\n".join(cell.source for cell in Notebook.read(path).prose)
        assert set(broken_links(text, FOLDER)) <= planned_files, path.name


def test_broken_link_is_found(tmp_path):
    text = "[a](there.md) [b](gone.md#x) [c](https://example.org) [d](#here) ![e](gone.png)"
    (tmp_path / "there.md").write_text("")
    assert broken_links(text, tmp_path) == ["gone.md", "gone.png"]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_documents_use_plain_words(path):
    assert FORBIDDEN.findall(without_code(path.read_text(encoding="utf-8"))) == []


# --------------------------------------------------------------------------- slide map


def test_page_of_the_notebooks_holds_the_map_of_the_tags():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert slide_map.BEGIN in page, "run make slide-map"
    assert slide_map.page_with_map(page) == page, "run make slide-map"


def test_every_row_is_known_and_planned():
    numbers = [f"1.{n}" for n in range(1, 20)] + [f"2.{n}" for n in range(1, 17)]
    assert list(ROWS) == numbers
    assert set(PLAN) == {name[:2] for name in NOTEBOOKS}
    assert {row for row in ROWS if not planned(row)} == LATER_THAN_THE_PLAN


def test_tags_name_rows_of_the_slides():
    assert {row for row, _, _ in slide_map.taught()} <= set(ROWS)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_teaches_the_rows_of_the_plan(name):
    if not (FOLDER / f"{name}.ipynb").is_file():
        pytest.skip(WAITING)
    found = {row for row, notebook, _ in slide_map.taught() if notebook == name}
    assert set(PLAN[name[:2]]) <= found, "a heading lacks its tag slide-..."


def write(folder, name, *cells):
    import nbformat

    nb = new_notebook(
        cells=[new_markdown_cell(text, metadata={"tags": tags}) for text, tags in cells]
    )
    nbformat.write(nb, folder / f"{name}.ipynb")


def test_map_is_made_from_tags(tmp_path):
    write(tmp_path, "01_see_why_order_matters", ("## 1 The ball\n\nText", ["slide-1-6"]))
    write(
        tmp_path,
        "03_backpropagate_through_time",
        ("## 2 A | B", ["slide-1-5", "slide-2-3"]),
    )
    page = slide_map.page_with_map("# Title\n\nText by hand.\n", tmp_path)
    assert page.startswith("# Title\n\nText by hand.\n")
    assert "[01 See why order matters](01_see_why_order_matters.ipynb), 1 The ball |" in page
    assert "(03_backpropagate_through_time.ipynb) | 2 A \\| B | 1.5, 2.3 |" in page
    assert "planned for 07 Build the output gate" in page
    assert "2 A \\| B<br>more is planned for 04 Watch gradients vanish |" in page
    for row in ROWS:
        assert f"\n| {row} | " in page
    assert slide_map.page_with_map(page, tmp_path) == page
    write(tmp_path, "01_see_why_order_matters", ("## 1 The ball", ["slide-2-5"]))
    changed = slide_map.page_with_map(page, tmp_path)
    assert changed != page
    assert changed.startswith("# Title\n\nText by hand.\n")
