"""Settings of nbgrader for this course; `make release` and `make grade` use them as well."""

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbgrader.converters import GenerateAssignment
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearSolutions,
    GetGrades,
    LimitOutput,
    OverwriteCells,
    OverwriteKernelspec,
    SaveAutoGrades,
)

from course_utils.classroom.steps import (
    HideSchemes,
    HideTests,
    NamedStubs,
    TakeJudged,
    safe_markdown,
)

c = get_config()  # noqa: F821 - nbgrader gives this name

c.CourseDirectory.root = "notebooks/assignments"

# A stub says which question it is and what to write.
c.GenerateAssignment.preprocessors = [
    NamedStubs if step is ClearSolutions else step
    for step in GenerateAssignment.class_traits()["preprocessors"].default()
]

# nbgrader executes nothing: the notebook comes from the sandbox, with the verdicts of the judge.
c.Autograde.sanitize_preprocessors = [
    TakeJudged,
    OverwriteKernelspec,
    OverwriteCells,
    CheckCellMetadata,
]
c.Autograde.autograde_preprocessors = [
    LimitOutput,
    SaveAutoGrades,
    AssignLatePenalties,
    CheckCellMetadata,
]

# Students see no hidden test, and no script of a submission runs in the teacher's browser.
c.GenerateFeedback.preprocessors = [
    HideTests,
    HideSchemes,
    GetGrades,
    CSSHTMLHeaderPreprocessor,
]
c.HTMLExporter.filters = {"markdown2html": safe_markdown}
