"""The rules for a notebook of the course, each one a function that returns a list of complaints.

test_notebooks.py runs every rule over every notebook, and runs every rule over a small notebook
that breaks it: a rule that cannot fail would be worthless.
"""

import ast
import copy
import json
import re
import statistics

import nbformat
import nbformat.validator

TAGS = re.compile(
    r"exercise|solution|bug-hunt|guess|extra|nbval-check-output|long-run|slide-[12]-[1-9]\d?"
)
CODE_ONLY = {"exercise", "solution", "guess", "extra", "nbval-check-output", "long-run"}
ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")
FOLDER = re.compile(
    r"(?<![\w.:/<])/(?:home|Users|root|tmp|usr|opt|var|private|mnt|work|srv|workspace)/\S*"
    r"|\b[A-Z]:\\\\?\w\S*"
)
FORBIDDEN = re.compile(r"\b(simply|obviously|just)\b", re.IGNORECASE)
EXERCISE = re.compile(r"^(?:\*\*|#+ +)Exercise (\d+\.\d+)", re.MULTILINE)
LONGEST_CELL, MEDIAN_CELL, MEGABYTE = 25, 8, 1_000_000
RULES = {}


def rule(function):
    RULES[function.__name__] = function
    return function


class Notebook:
    """A notebook with its name, its number and its size."""

    def __init__(self, name, nb, size=None):
        self.name, self.nb = name, nb
        self.number = name[:2]
        self.size = len(json.dumps(nb)) if size is None else size

    @classmethod
    def read(cls, path):
        # nbformat.read would mend repeated cell ids on the way
        text = path.read_text(encoding="utf-8")
        return cls(path.stem, nbformat.v4.reads(text), len(text.encode()))

    @property
    def code(self):
        return [cell for cell in self.nb.cells if cell.cell_type == "code"]

    @property
    def prose(self):
        return [cell for cell in self.nb.cells if cell.cell_type == "markdown"]

    def tagged(self, tag):
        return [cell for cell in self.nb.cells if tag in tags(cell)]

    def place(self, cell):
        """In [3] for the third code cell, and the start of the text for a text cell."""
        for number, other in enumerate(self.code, 1):
            if other is cell:
                return f"In [{number}]"
        return repr(cell.source[:30])


def tags(cell):
    found = cell.metadata.get("tags", [])
    return found if isinstance(found, list) else [str(found)]


def shown(cell):
    """Every text that the outputs of a cell show, as one string per output."""
    texts = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            texts.append(output.text)
        for kind, data in output.get("data", {}).items():
            if kind.startswith("text/"):
                data = data if isinstance(data, str) else "".join(data)
                texts.append(re.sub(r"base64,[A-Za-z0-9+/=\\\s]+", "base64,", data))
    return texts


def plain(cell):
    """The plain text under a cell."""
    parts = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            parts.append(output.text)
        elif "text/plain" in output.get("data", {}):
            parts.append(output.data["text/plain"])
    return "\n".join(parts).strip()


def parsed(cell):
    """The syntax tree of a cell without lines of IPython (%, !); None when it is no Python."""
    lines = ["pass" if re.match(r"\s*[%!]", s) else s for s in cell.source.splitlines()]
    try:
        return ast.parse("\n".join(lines))
    except SyntaxError:
        return None


# --------------------------------------------------------------------------- stored outputs


@rule
def counts_are_consecutive(book):
    """One run of a clean kernel: 1, 2, 3, ... A stripped notebook would never be compared."""
    found = [cell.execution_count for cell in book.code]
    wanted = list(range(1, len(found) + 1))
    for number, count in zip(wanted, found, strict=True):
        if count != number:
            return [f"code cell {number} has the count {count}: run make outputs"]
    return []


@rule
def outputs_are_stored(book):
    """A cell whose output is compared has one, and the notebook has some."""
    empty = [c for c in book.tagged("nbval-check-output") if not c.get("outputs")]
    complaints = [f"{book.place(c)} is tagged nbval-check-output and shows nothing" for c in empty]
    if not any(cell.outputs for cell in book.code):
        complaints.append("no cell has an output: run make outputs")
    return complaints


@rule
def no_errors_stored(book):
    return [
        f"{book.place(c)} stores {o.get('ename')}"
        for c in book.code
        for o in c.outputs
        if o.output_type == "error"
    ]


@rule
def no_standard_error_stored(book):
    return [
        f"{book.place(c)} stores standard error: {o.text[:60]!r}"
        for c in book.code
        for o in c.outputs
        if o.output_type == "stream" and o.name == "stderr"
    ]


@rule
def no_addresses_or_folders(book):
    """Outputs name nothing of the machine that made them."""
    return [
        f"{book.place(c)} shows {match[0]!r}"
        for c in book.code
        for text in shown(c)
        for pattern in (ADDRESS, FOLDER)
        if (match := pattern.search(text))
    ]


@rule
def file_is_small(book):
    if book.size > MEGABYTE:
        return [f"the file has {book.size / 1e6:.2f} MB; 1 MB is the most"]
    return []


@rule
def pictures_have_a_description(book):
    """Every picture says in words what it shows, in outputs and in text cells."""
    complaints = []
    for cell in book.code:
        for output in cell.outputs:
            for kind, data in output.get("data", {}).items():
                if not has_description(kind, data, output.get("metadata", {})):
                    complaints.append(
                        f"{book.place(cell)}: a picture ({kind}) without a description"
                    )
    for cell in book.prose:
        if re.search(r"!\[\s*\]\(", cell.source) or bare_images(cell.source):
            complaints.append(f"{book.place(cell)}: a picture without a description")
    return complaints


def has_description(kind, data, metadata):
    data = data if isinstance(data, str) else "".join(map(str, data))
    if kind == "image/svg+xml":
        return bool(re.search(r"<title[^>]*>\s*\S", data) and re.search(r"<desc[^>]*>\s*\S", data))
    if kind.startswith("image/"):
        return bool(str(metadata.get(kind, {}).get("alt", "")).strip())
    return kind != "text/html" or not bare_images(data)


def bare_images(html):
    return any(
        not re.search(r"""\b(alt|aria-label)\s*=\s*["']\s*[^"'\s]""", image)
        for image in re.findall(r"<(?:img|video)\b[^>]*>", html)
    )


# --------------------------------------------------------------------------- form


@rule
def tags_are_known(book):
    """A misspelt tag is silently ignored by nbval and by the slide map."""
    complaints = []
    for cell in book.nb.cells:
        for tag in tags(cell):
            if not TAGS.fullmatch(tag):
                complaints.append(f"{book.place(cell)}: unknown tag {tag!r}")
            elif tag in CODE_ONLY and cell.cell_type != "code":
                complaints.append(f"{book.place(cell)}: {tag} stands on a text cell")
            elif tag.startswith("slide-") and not re.match(r"## ", cell.source):
                complaints.append(f"{book.place(cell)}: {tag} stands on no heading of a section")
    return complaints


@rule
def format_is_valid(book):
    """The file keeps the published format of notebooks."""
    plain = json.loads(json.dumps(book.nb))
    return [error.message[:200] for error in nbformat.validator.iter_validate(plain)]


@rule
def kernel_is_python3(book):
    name = book.nb.metadata.get("kernelspec", {}).get("name")
    return [] if name == "python3" else [f"the kernel is {name!r}, not 'python3'"]


@rule
def cell_names_are_unique(book):
    names = [cell.get("id") for cell in book.nb.cells]
    return (
        [] if None not in names and len(set(names)) == len(names) else ["cell ids repeat or miss"]
    )


@rule
def no_exit(book):
    """exit() ends a kernel and passes for success."""
    names = {"exit", "quit", "os._exit", "sys.exit", "os.abort"}
    return [
        f"{book.place(cell)} calls {ast.unparse(node.func)}()"
        for cell in book.code
        for node in ast.walk(parsed(cell) or ast.Module([], []))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in names
    ]


@rule
def code_is_python(book):
    """No shell lines: they differ between systems, and some of them ask the network."""
    return [
        f"{book.place(cell)} holds a shell line or is no Python"
        for cell in book.code
        if parsed(cell) is None
        or re.search(r"^\s*(!|%%?(bash|sh|pip|conda|system))", cell.source, re.M)
    ]


def length(cell):
    return sum(bool(line.strip()) for line in cell.source.splitlines())


@rule
def cells_are_short(book):
    return [
        f"{book.place(cell)} has {length(cell)} lines; {LONGEST_CELL} is the most"
        for cell in book.code
        if length(cell) > LONGEST_CELL
    ]


@rule
def most_cells_are_short(book):
    """About six lines in the middle: one idea per cell."""
    middle = statistics.median([length(cell) for cell in book.code] or [0])
    if middle > MEDIAN_CELL:
        return [f"the median code cell has {middle:g} lines; {MEDIAN_CELL} is the most"]
    return []


@rule
def template_is_followed(book):
    """A title, then what you will do, learn and need; at the end what was seen, and what next."""
    text = "\n\n".join(cell.source for cell in book.prose)
    titles = re.findall(r"^# .+$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    complaints = (
        [] if len(titles) == 1 else [f"{len(titles)} titles of the form '# ...'; one is right"]
    )
    wanted = ["You will do", "You will learn", "You need"]
    if book.number != "00":
        wanted += ["What we have seen", "Common mistakes", "Further reading"]
    return complaints + [
        f"no heading {words!r}"
        for words in wanted
        if not re.search(rf"^(?:[-*] +)?(?:#+ +|\*\*){words}\b", text, re.MULTILINE)
    ]


@rule
def plain_words(book):
    """A reader who does not find it simple is told that he should."""
    return [
        f"{book.place(cell)} says {match[0]!r}"
        for cell in book.prose
        if (match := FORBIDDEN.search(without_code(cell.source)))
    ]


def without_code(text):
    """A text without code, formulas and addresses of links."""
    text = re.sub(r"^```.*?^```", " ", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$", " ", text, flags=re.DOTALL)
    return re.sub(r"\]\([^)]*\)|<!--.*?-->", " ", text, flags=re.DOTALL)


# --------------------------------------------------------------------------- exercises


@rule
def guesses_are_open(book):
    return [
        f"{book.place(cell)}: a guess cell holds `...` for the reader to fill in"
        for cell in book.tagged("guess")
        if not has_ellipsis(cell)
    ]


def has_ellipsis(cell):
    tree = parsed(cell)
    return tree is not None and any(
        isinstance(node, ast.Constant) and node.value is ... for node in ast.walk(tree)
    )


@rule
def three_to_five_exercises(book):
    """Numbered in the text as **Exercise 3.1**; two of them or more have a check."""
    if book.number == "00":
        return []
    labels = {label for cell in book.prose for label in EXERCISE.findall(cell.source)}
    number, checked = len(labels), len(book.tagged("exercise"))
    complaints = []
    if not 3 <= number <= 5:
        complaints.append(f"{number} exercises are numbered in the text; three to five are right")
    if not 2 <= checked <= number:
        complaints.append(f"{checked} exercise cells for {number} numbered exercises")
    wrong = sorted(label for label in labels if int(label.split(".")[0]) != int(book.number))
    return complaints + [
        f"Exercise {label} carries the number of another notebook" for label in wrong
    ]


@rule
def a_bug_hunt(book):
    if book.number == "00" or book.tagged("bug-hunt"):
        return []
    return ["no cell is tagged bug-hunt"]


def last_call(cell):
    """The check at the end of a cell as a syntax tree, or None."""
    tree = parsed(cell)
    last = tree.body[-1] if tree and tree.body else None
    return last if isinstance(last, ast.Expr) and isinstance(last.value, ast.Call) else None


def defined(cell):
    """The names that a cell binds at its top level."""
    names = set()
    for node in (parsed(cell) or ast.Module([], [])).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names |= {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
    return names


def answers(exercise, solution):
    """True when the solution ends with the check of the exercise, on the `_solution` names."""
    asked, given = last_call(exercise), last_call(solution)
    if asked is None or given is None:
        return False
    given, changed = copy.deepcopy(given), set()
    for node in ast.walk(given):
        if isinstance(node, ast.Name) and node.id.endswith("_solution"):
            changed.add(node.id)
            node.id = node.id.removesuffix("_solution")
    same = ast.dump(given) == ast.dump(asked)
    open_names = {name.removesuffix("_solution") for name in changed}
    return (
        same and changed <= defined(solution) and open_names <= defined(exercise) and bool(changed)
    )


def pairs(book):
    """[(exercise, the next solution or None)]; a bug hunt may have a solution of its own."""
    cells = book.nb.cells
    found = []
    for index, cell in enumerate(cells):
        if "exercise" in tags(cell):
            later = [c for c in cells[index + 1 :] if "solution" in tags(c)]
            found.append((cell, later[0] if later else None))
    return found


@rule
def exercises_have_solutions(book):
    """The next solution cell ends with the same check, called on the name with `_solution`.

    So every run of the notebook does what a reader does who puts the solution into the exercise:
    the check is the same, and its answers on the empty body and on the solution are both stored
    and compared. No other test has to substitute the source.
    """
    complaints = []
    for cell, solution in pairs(book):
        if not has_ellipsis(cell):
            complaints.append(f"{book.place(cell)}: an exercise holds `...` for the reader's lines")
        if last_call(cell) is None:
            complaints.append(f"{book.place(cell)} does not end with its check")
        elif solution is None or not answers(cell, solution):
            complaints.append(
                f"{book.place(cell)}: the next solution does not end with "
                f"{ast.unparse(last_call(cell))} on the `_solution` name"
            )
    return complaints


@rule
def empty_answers_are_not_correct(book):
    """The stored output of an exercise starts with "not yet", and no line of it says correct."""
    return [
        f"{book.place(cell)} shows {plain(cell)[:40]!r}, not 'not yet ...'"
        for cell in book.tagged("exercise")
        if not plain(cell).startswith("not yet")
        or re.search(r"^correct", plain(cell), re.MULTILINE)
    ]


@rule
def solutions_are_correct(book):
    return [
        f"{book.place(cell)} shows {plain(cell)[:40]!r}, not 'correct ...'"
        for _, cell in pairs(book)
        if cell is not None
        and (
            not plain(cell).startswith("correct")
            or re.search(r"^not yet", plain(cell), re.MULTILINE)
        )
    ]


@rule
def exercises_are_compared(book):
    """nbval runs both cells again and compares their outputs, so they must carry its tag."""
    return [
        f"{book.place(cell)} lacks the tag nbval-check-output"
        for pair in pairs(book)
        for cell in pair
        if cell is not None and "nbval-check-output" not in tags(cell)
    ]


@rule
def solutions_are_collapsed(book):
    return [
        f"{book.place(cell)} is not collapsed (jupyter.source_hidden)"
        for cell in book.tagged("solution")
        if cell.metadata.get("jupyter", {}).get("source_hidden") is not True
    ]
