"""What nbgrader does for us: the student version, the gradebook, the feedback."""

import logging
import os
import shutil
import sys
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde, GenerateAssignment, GenerateFeedback
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config, PyFileConfigLoader

from course_utils.classroom.source import PROJECT, ROOT, Source

CONFIG = "nbgrader_config.py"


class GradebookError(RuntimeError):
    """nbgrader refused a step; the message holds the last thing it said."""


@dataclass(frozen=True)
class Grade:
    """Marks of one question: None while the teacher has to give them; `by_hand` when he did."""

    marks: float | None
    most: float
    by_hand: bool


def _grade(grade, commented):
    waits = grade.needs_manual_grade and grade.manual_score is None
    by_hand = grade.manual_score is not None or commented
    return Grade(None if waits else grade.score, grade.max_score, by_hand)


class Course:
    """A folder as nbgrader has it: source/, submitted/, autograded/, feedback/, gradebook.db.

    root: the folder; the one with the sources of the course, or another one for the results.
    """

    def __init__(self, root=ROOT):
        self.root = Path(root).resolve()
        self.root.mkdir(parents=True, exist_ok=True)
        _find_alembic()
        self.database = self.root / "gradebook.db"
        self.config = PyFileConfigLoader(CONFIG, path=str(PROJECT)).load_config()
        self.config.CourseDirectory.root = str(self.root)

    def take_source(self, source):
        """Copy the source of an assignment here, unless it is here; return it."""
        folder = self.root / "source" / source.name
        if folder != source.folder.resolve():
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(source.folder, folder)
        return Source(folder)

    def generate(self, name):
        """Write release/NAME/NAME.ipynb, and the assignment into the gradebook."""
        self._convert(GenerateAssignment, name, ".")
        return self.root / "release" / name / f"{name}.ipynb"

    def enter(self, name, student):
        """Write the marks of a judged notebook into the gradebook."""
        self._convert(Autograde, name, student)

    def give_feedback(self, name, student):
        """Write feedback/STUDENT/NAME/NAME.html."""
        self._convert(GenerateFeedback, name, student)
        return self.root / "feedback" / student / name / f"{name}.html"

    def grades(self, name, student):
        """{grade_id: Grade} of a submission; None when it is not in the gradebook."""
        with self._open() as gradebook:
            try:
                notebook = gradebook.find_submission_notebook(name, name, student)
            except MissingEntry:
                return None
            said = {c.name for c in notebook.comments if c.manual_comment}
            return {g.name: _grade(g, g.name in said) for g in notebook.grades}

    @contextmanager
    def _open(self):
        with Gradebook(f"sqlite:///{self.database}") as gradebook:
            yield gradebook

    def _convert(self, converter, name, student):
        config = Config(self.config)
        config.CourseDirectory.assignment_id = name
        config.CourseDirectory.student_id = student
        log, said = _quiet_log()
        course = CourseDirectory(config=config, log=log)
        step = converter(coursedir=course, config=config, log=log, force=True)
        before = os.getcwd()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # nbgrader asks SQLAlchemy in an old way
                step.start()
        except (NbGraderException, SystemExit) as error:
            raise GradebookError(f"{student}: {_cause(said) or error}") from error
        finally:
            os.chdir(before)


def _find_alembic():
    """Let nbgrader find the command `alembic`, which lies beside Python."""
    folder, path = str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)
    if folder not in path.split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join([folder, path])


def _quiet_log():
    """A log that prints nothing and keeps what went wrong."""
    said = []
    log = logging.Logger("classroom", logging.ERROR)
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage().strip())
    log.addHandler(handler)
    return log, said


def _cause(said):
    """The last line of the traceback in what nbgrader said; else the first thing it said."""
    traces = [text for text in said if text.startswith("Traceback")]
    return (traces or said or [""])[0].splitlines()[-1:][0] if said else ""
