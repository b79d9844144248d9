"""The commands: `python -m course_utils.classroom release` and `... grade`; make calls them."""

import argparse
import sys

from course_utils.classroom.limits import Limits
from course_utils.classroom.source import ROOT, AssignmentError


def main(words=None):
    """Run a command; return 0, 1 when a submission could not be graded, 2 for a refusal."""
    options = _parser().parse_args(words)
    from course_utils.classroom.collect import RefusedError
    from course_utils.classroom.gradebook import GradebookError
    from course_utils.classroom.sandbox import NoSandboxError

    try:
        return options.run(options)
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on where it was", file=sys.stderr)
        return 130
    except (AssignmentError, RefusedError, NoSandboxError, GradebookError) as error:
        print(error, file=sys.stderr)
        return 2


def _parser():
    parser = argparse.ArgumentParser(prog="classroom", description=__doc__)
    commands = parser.add_subparsers(required=True)
    parser.add_argument("--root", default=ROOT, help="folder that holds source/NAME/NAME.ipynb")
    release = commands.add_parser("release", help="write the bundle for students")
    release.add_argument("names", nargs="*", help="assignments; all of them without a name")
    release.add_argument("--out", help="folder for the zip files")
    release.set_defaults(run=_release)
    grade = commands.add_parser("grade", help="grade a folder or a zip file of submissions")
    grade.add_argument("submissions", help="folder or zip file")
    grade.add_argument("name", help="the assignment")
    grade.add_argument("--out", help="folder for gradebook, feedback and marks")
    grade.add_argument("--unsafe", action="store_true", help="without a sandbox: trust everybody")
    grade.add_argument("--workers", type=int, default=2, help="submissions at a time")
    grade.add_argument("--cell-seconds", type=float, default=Limits.cell_seconds)
    grade.add_argument("--total-seconds", type=float, default=Limits.total_seconds)
    grade.set_defaults(run=_grade)
    return parser


def _release(options):
    from course_utils.classroom.release import release_all

    for path in release_all(options.names, options.out, options.root):
        print(path)
    return 0


def _grade(options):
    from tqdm import tqdm

    from course_utils.classroom.grade import grade

    limits = Limits(cell_seconds=options.cell_seconds, total_seconds=options.total_seconds)
    rows, table = grade(
        options.submissions,
        options.name,
        out=options.out,
        safe=not options.unsafe,
        workers=max(1, options.workers),
        limits=limits,
        root=options.root,
        say=tqdm.write,
    )
    counts = [f"{sum(r.status == s for r in rows)} {s}" for s in ("graded", "refused")]
    lost = [row for row in rows if row.status == "not graded"]
    print(f"{', '.join(counts)}{f', {len(lost)} not graded' if lost else ''}: {table}")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
