"""Steps for nbgrader: stubs that say what to write, and marks that come from the judge."""

import re
from pathlib import Path

import nbformat
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import (
    ClearHiddenTests,
    ClearMarkScheme,
    ClearSolutions,
    NbGraderPreprocessor,
)

from course_utils.classroom.source import BEGIN_SOLUTION, is_test, settings

OPENING = re.compile(rf"{BEGIN_SOLUTION}[ :]*(.*)")
PLACE = "what to write"


class NamedStubs(ClearSolutions):
    """Replace each solution by a stub that names the question and says what to write.

    The words stand behind the opening marker: `### BEGIN SOLUTION return H_next`.
    """

    def preprocess_cell(self, cell, resources, cell_index):
        """Clear the solution regions of one cell."""
        label = settings(cell).get("grade_id", "")
        words = [w.strip() or "write your answer here" for w in OPENING.findall(cell.source)]
        self.code_stub = {"python": f"# YOUR CODE HERE\nraise NotImplementedError({PLACE!r})"}
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        for what in words:
            cell.source = cell.source.replace(repr(PLACE), _quoted(f"{label}: {what}"), 1)
        return cell, resources


def _quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def judged_path(root, assignment, student):
    """Where `make grade` leaves the judged notebook of a submission."""
    return Path(root) / "trials" / assignment / student / "judged.ipynb"


class TakeJudged(NbGraderPreprocessor):
    """Take the notebook that was run in the sandbox and judged, in place of the submitted one.

    nbgrader itself executes nothing.  Without a judged notebook it gives no marks.
    """

    def preprocess(self, nb, resources):
        """Give the judged notebook of the student and the assignment in `resources`."""
        about = resources["nbgrader"]
        root = self.parent.parent.coursedir.root
        path = judged_path(root, about["assignment"], about["student"])
        if not path.is_file():
            raise NbGraderException(
                f"{about['student']} is not judged yet: use `make grade`, which runs each "
                "submission in a sandbox, in place of `nbgrader autograde`"
            )
        return nbformat.read(path, as_version=4), resources


class HideTests(ClearHiddenTests):
    """Clear the hidden tests of our test cells; a student may write the same words elsewhere."""

    def preprocess_cell(self, cell, resources, cell_index):
        """Clear one cell."""
        if not is_test(cell):
            return cell, resources
        return super().preprocess_cell(cell, resources, cell_index)


class HideSchemes(ClearMarkScheme):
    """Clear the mark schemes of our task cells; a student may write the same words elsewhere."""

    def preprocess_cell(self, cell, resources, cell_index):
        """Clear one cell."""
        if not settings(cell).get("task"):
            return cell, resources
        return super().preprocess_cell(cell, resources, cell_index)


def safe_markdown(source):
    """Turn Markdown into HTML that runs nothing: the teacher opens the feedback as well.

    HTML inside the Markdown is shown as text, and a link cannot be a script.
    """
    renderer = IPythonRenderer(escape=True, allow_harmful_protocols=False)
    return MarkdownWithMath(renderer=renderer).render(source)
