"""Write the slide map into notebooks/README.md from the tags of the notebooks.

A heading cell tagged slide-1-8 teaches row 1.8 of the slides. `make slide-map` calls this; a test
compares the page with what the tags say.
"""

import re
from pathlib import Path

import nbformat
from course_plan import NOTEBOOKS, ROWS, planned

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
BEGIN = "<!-- slide map: `make slide-map` writes this part from the tags of the notebooks -->"
END = "<!-- end of the slide map -->"
NAMES = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU", "keras": "Keras"}
START_OF_PAGE = (
    "# The notebooks\n\nRead them in order. Each one opens with a failure of the one before.\n"
)


def taught(folder=FOLDER):
    """[(row, notebook, heading)] in the order of the notebooks and their cells."""
    found = []
    for path in sorted(folder.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            for tag in cell.metadata.get("tags", []):
                if match := re.fullmatch(r"slide-(\d+)-(\d+)", tag):
                    found.append((".".join(match.groups()), path.stem, heading(cell.source)))
    return found


def heading(source):
    """The first heading of a text cell, without its marks."""
    match = re.search(r"^#+ +(.*?) *$", source, re.MULTILINE)
    return match[1] if match else ""


def title(name):
    """01_see_why_order_matters -> 01 See why order matters."""
    number, words = name.split("_", 1)
    words = " ".join(NAMES.get(word, word) for word in words.split("_"))
    return f"{number} {words[0].upper()}{words[1:]}"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(c.replace("|", "\\|") for c in line) + " |" for line in lines
    )


def make_map(found, existing):
    """The text between the two marks: row -> section, and section -> rows."""
    link = {name: f"[{title(name)}]({name}.ipynb)" for name in {name for _, name, _ in found}}
    parts = ["## From a slide to a section"]
    for deck in ("1", "2"):
        rows = []
        for row, words in ROWS.items():
            if not row.startswith(f"{deck}."):
                continue
            places = [f"{link[name]}, {text}" for r, name, text in found if r == row]
            later = [title(name) for name in planned(row) if name not in existing]
            if not places:
                places = [f"not yet taught{'; planned for ' + ', '.join(later) if later else ''}"]
            elif later:
                places.append("more is planned for " + ", ".join(later))
            rows.append([row, words, "<br>".join(places)])
        parts += [f"### Deck {deck}", table(["row", "slide", "taught in"], rows)]
    sections = {}
    for row, name, text in found:
        sections.setdefault((name, text), []).append(row)
    rows = [[link[name], text, ", ".join(rows)] for (name, text), rows in sections.items()]
    parts += ["## From a section to the slides", table(["notebook", "section", "rows"], rows)]
    if not rows:
        parts[-1] = "No section teaches a row yet."
    return "\n\n".join(parts)


def existing_notebooks(folder=FOLDER):
    return {path.stem for path in folder.glob("*.ipynb")} & set(NOTEBOOKS)


def page_with_map(page, folder=FOLDER):
    """The page with its slide map made new; the map is added at the end when there is none."""
    block = f"{BEGIN}\n\n{make_map(taught(folder), existing_notebooks(folder))}\n\n{END}"
    if BEGIN in page and END in page:
        before, rest = page.split(BEGIN, 1)
        return before + block + rest.split(END, 1)[1]
    return (page or START_OF_PAGE).rstrip("\n") + f"\n\n{block}\n"


def main(folder=FOLDER):
    path = folder / "README.md"
    old = path.read_text(encoding="utf-8") if path.is_file() else ""
    new = page_with_map(old, folder)
    if new != old:
        path.write_text(new, encoding="utf-8", newline="\n")
    print(f"notebooks/README.md {'is written' if new != old else 'holds the map already'}")


if __name__ == "__main__":
    main()
