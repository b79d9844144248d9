"""Real input that needs the future: what does each identifier in a program do?"""

from __future__ import annotations

import ast
import io
import keyword
import tokenize
from typing import NamedTuple

import numpy as np

from course_utils.tasks.base import whole_number
from course_utils.tasks.text import standard_library_files

ROLES = ("OTHER", "KEYWORD", "CALL", "TARGET", "ATTR", "NAME")
OTHER, KEYWORD, CALL, TARGET, ATTR, NAME = range(len(ROLES))


class LabelledText(NamedTuple):
    """Hold a text and one role per character, (N,), as numbers of `ROLES`.

    Taught in: notebooks/11_read_in_both_directions
    """

    text: str
    roles: np.ndarray


def identifier_roles(source: str) -> np.ndarray:
    """Label every character of a Python source with the role of its identifier, (N,) 0 .. 5.

    OTHER: no identifier (space, operator, number, string, comment). KEYWORD: if, def, None, ...
    CALL: a name or attribute that is called, f in f(x) and in a.f(x). TARGET: a name that gets a
    value, x in x = 1 and in for x in y. ATTR: an attribute that is not called, x in a.x. NAME:
    every other name. Found by `tokenize` and `ast`; nothing is kept between calls. Raises
    SyntaxError if the source is no Python.

    Taught in: notebooks/11_read_in_both_directions
    """
    lines = list(io.StringIO(source, newline=""))
    first = np.cumsum([0] + [len(line) for line in lines])
    roles = np.zeros(len(source), dtype=np.int64)
    known, imports = _places_of_roles(source)
    after_dot, import_end = False, (0, 0)
    for token in tokenize.generate_tokens(iter([*lines, ""]).__next__):
        if token.type == tokenize.NAME:
            (line, column), (_, end) = token.start, token.end
            place = (line, len(lines[line - 1][:column].encode("utf-8")))
            import_end = imports.get(place, import_end)
            if keyword.iskeyword(token.string):
                role = KEYWORD
            elif place < import_end:
                role = NAME  # the dot of `import os.path` stands in a name, not before an attribute
            else:
                role = known.get(place, ATTR if after_dot else NAME)
            roles[first[line - 1] + column : first[line - 1] + end] = role
        after_dot = token.string == "."
    return roles


def _places_of_roles(source):
    """Called and assigned names: (line, column in bytes) -> role; imports: begin -> end."""
    places, imports = {}, {}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Name):
                places[function.lineno, function.col_offset] = CALL
            elif isinstance(function, ast.Attribute):
                start = function.end_col_offset - len(function.attr.encode("utf-8"))
                places[function.end_lineno, start] = CALL
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            places[node.lineno, node.col_offset] = TARGET
        elif isinstance(node, ast.Import | ast.ImportFrom):
            imports[node.lineno, node.col_offset] = (node.end_lineno, node.end_col_offset)
    return places, imports


def standard_library_roles(num_characters: int = 200_000, skip: int = 0) -> LabelledText:
    """Label the source of standard-library modules, whole files, in alphabetical order.

    Leaves out the first `skip` files, then takes files until there are `num_characters` characters.
    About a second per 500,000 characters. The text differs between Python versions. Raises
    ValueError if so many files are left out that nothing remains.

    Taught in: notebooks/11_read_in_both_directions
    """
    num_characters = whole_number("num_characters", num_characters, 1)
    files = standard_library_files()
    skip = whole_number("skip", skip, 0, len(files) - 1)
    texts, roles, total = [], [], 0
    for path in files[skip:]:
        text = path.read_text(encoding="utf-8")
        texts.append(text)
        roles.append(identifier_roles(text))
        total += len(text)
        if total >= num_characters:
            break
    return LabelledText("".join(texts), np.concatenate(roles))
