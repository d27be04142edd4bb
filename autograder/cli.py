"""The command line: `autograder release | publish | grade | feedback | export | report | total`."""

from __future__ import annotations

import errno
import importlib.util
import io
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

if importlib.util.find_spec("fcntl") is None:
    sys.exit("The autograder needs Linux: on Windows use a Linux virtual machine, WSL 2 or a container.")

from autograder import sandbox

if TYPE_CHECKING:
    from autograder.results import Results


class _FriendlyError(click.ClickException):
    """An error of the user's making: one message, exit code 2, no traceback."""

    exit_code = 2


class _NotGraded(click.ClickException):
    """Something is wrong with the class, and not with the command: exit code 1."""

    exit_code = 1


def _tell(text: str) -> None:
    """A line for the instructor that is no result."""
    click.echo(text, err=True)


class _Interrupted(click.ClickException):
    """Somebody pressed Ctrl-C."""

    exit_code = 130


class _Commands(click.Group):
    """Lists commands in the order in which they are needed; troubles of the machine are one sentence."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.commands)

    def main(self, args: Sequence[str] | None = None, **extra: Any) -> Any:
        """Run the command line, with names of files in UTF-8 whatever the locale."""
        if args is None and sys.getfilesystemencoding() != "utf-8":
            _restart_in_utf8()
        return super().main(args, **extra)

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except KeyboardInterrupt:
            raise _Interrupted(
                "Interrupted. What was judged so far is kept: run the command again."
            ) from None
        except OSError as error:
            if error.errno is None or error.errno == errno.EPIPE:  # whoever reads the output has read enough
                raise
            raise _FriendlyError(_in_words(error)) from None


def _restart_in_utf8() -> None:
    """Become the same command in Python's UTF-8 mode, in which every student's name can be a file's.

    What is printed stays in the locale's encoding.
    """
    printed = f"{sys.stdout.encoding}:backslashreplace"
    environment = {"PYTHONIOENCODING": printed} | os.environ | {"PYTHONUTF8": "1"}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)


def _in_words(error: OSError) -> str:
    what = f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror}."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"{what} What was judged so far is kept: make room, and run the command again."
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST, errno.ENOTDIR):
        return f"{what} The results need a folder that you may write to: name another one with --out."
    return f"{what} What was judged so far is kept: put it right, and run the command again."


@click.group(cls=_Commands)
def main() -> None:
    """Release assignments, grade a class of notebooks, and pass on the results."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names that the terminal cannot print


@main.command()
@click.argument("names", nargs=-1)
@click.option(
    "--check", is_flag=True, help="Change nothing; exit 1 when a derived notebook differs from its master."
)
@click.option("--train", is_flag=True, help="Run the solutions with their full training, changed or not.")
def release(names: tuple[str, ...], check: bool, train: bool) -> None:
    """Make the notebooks from the masters.

    Of the assignments NAMES, all by default: assignments/, solutions/, nbgrader's source/ and the sample
    class, where there is one. A master is first judged as a student's notebook would be: its solution must
    get all points under two seeds, the blank notebook none. --check does not judge.
    """
    from autograder import master, release
    from autograder.samples import generate

    problems, drifts = [], []
    for name in names or (*master.names(), *master.misnamed()):
        try:
            if check:
                drifts += release.drift(name)
                continue
            for path in release.write(name, train=train, say=lambda text: click.echo(text, err=True)):
                click.echo(f"wrote {path.relative_to(release.ROOT)}")
            generate.write(name)
        except (master.UnknownAssignment, master.InvalidMaster) as error:
            problems.append(str(error))
    for drift in drifts:
        click.echo(drift)
    if problems:
        raise _FriendlyError("\n".join(problems))
    if drifts:
        raise SystemExit(1)


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--solutions", is_flag=True, help="Publish the solved notebooks too.")
def publish(folder: Path, solutions: bool) -> None:
    """Write the public repository to DIR.

    It holds the pages that _toc.yml names, the assignments, policy_gradients and what GitHub needs, but no
    masters, hidden tests, samples and solutions. Links to pages that are left out become text. DIR is new or
    empty, or an earlier publication; what you added to that, .git among it, stays.
    """
    from autograder.master import InvalidMaster
    from autograder.publish import PublishError
    from autograder.publish import publish as write

    try:
        published = write(folder, solutions=solutions)
    except (PublishError, InvalidMaster) as error:
        raise _FriendlyError(str(error)) from None
    click.echo(f"wrote {len(published.files)} files to {published.folder}")
    for note in published.notes:
        click.echo(note, err=True)


@main.command()
@click.argument("name")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for results.  [default: autograder/grades]"
)
@click.option("--jobs", type=click.IntRange(min=1), help="Local processes.  [default: one per core]")
@click.option("--scheduler", metavar="ADDR", help="Address of a dask.distributed scheduler to use instead.")
@click.option(
    "--sandbox",
    "kind",
    type=click.Choice(sandbox.KINDS),
    default="auto",
    show_default=True,
    help="What isolates student code; auto: the best that works here.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    help="Seconds for a cell or a call.  [default: as the last time, 20 at first]",
)
@click.option(
    "--memory",
    type=click.IntRange(min=1024),
    help="MiB for a worker.  [default: as the last time, 4096 at first]",
)
@click.option(
    "--db",
    metavar="URL",
    help="nbgrader gradebook.  [default: as the last time, SQLite in the results folder at first]",
)
@click.option("--only-these", is_flag=True, help="The class is what is in PATH; all others are left out.")
@click.option("--student", metavar="ID", help="Judge this student again, and take nothing else from PATH.")
@click.option("--regrade", is_flag=True, help="Judge again what already has a verdict.")
@click.option("--reseed", is_flag=True, help="Draw new hidden inputs, for a new course; all is judged again.")
@click.option(
    "--merge",
    metavar="DIR",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Take over the verdicts of another machine: a copy of its results folder. May be repeated.",
)
@click.option(
    "--layout",
    default="",
    help="How PATH names the students: folders, files or sections; or the system that it comes from: "
    "blackboard, brightspace, canvas, github, google, gradescope, ilias, moodle, sakai, studip or teams.  "
    "[default: found out]",
)
@click.option(
    "--people",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="CSV file that says whose files are whose: the columns are path (a file, folder or pattern in PATH) "
    "and student.",
)
def grade(
    name: str,
    path: Path | None,
    out: Path | None,
    jobs: int | None,
    scheduler: str | None,
    kind: str,
    timeout: float | None,
    memory: int | None,
    db: str | None,
    only_these: bool,
    student: str | None,
    regrade: bool,
    reseed: bool,
    merge: tuple[Path, ...],
    layout: str,
    people: Path | None,
) -> None:
    """Grade the submissions in PATH.

    PATH is a folder with a sub-folder or a notebook per student, in sections or not, a single notebook, or
    the zip of all submissions from a learning management system (also unpacked). Where it is not certain
    whose a notebook is, nothing is graded, and --layout or --people settles it. What has a verdict is not
    judged again.

    The class is everybody who has ever handed in: those who are not in PATH keep what they handed in before.
    Who hands in again is judged by the newer notebook. Without PATH, all that was handed in is graded again.
    """
    from autograder import grading
    from autograder.class_folder import InUse
    from autograder.dispatch import NoCluster
    from autograder.gradebook import NoGradebook
    from autograder.intake import IntakeError
    from autograder.master import UnknownAssignment
    from autograder.merging import UnclearIdentity
    from autograder.results import table
    from autograder.settings import UnusableSettings
    from autograder.submission_store import DamagedStore

    if only_these and (path is None or student):
        raise _FriendlyError("--only-these needs PATH, and goes without --student.")
    unusable = (
        UnknownAssignment,
        IntakeError,
        sandbox.NoSandbox,
        NoCluster,
        grading.CannotGrade,
        NoGradebook,
        InUse,
        DamagedStore,
        UnclearIdentity,
        UnusableSettings,
    )
    try:
        grades = grading.grade_class(
            name,
            path,
            out=out or grading.DEFAULT_FOLDER,
            jobs=jobs,
            scheduler=scheduler,
            sandbox_kind=kind,
            seconds=timeout,
            memory_mib=memory,
            db_url=db,
            only_these=only_these,
            student=student,
            regrade=regrade,
            reseed=reseed,
            merge=merge,
            layout=layout,
            people_file=people,
            say=_tell,
        )
    except grading.WrongAssignment as error:
        raise _NotGraded(str(error)) from None
    except unusable as error:
        raise _FriendlyError(str(error)) from None
    console = Console()
    if not console.is_terminal:
        console.width = 120  # a file or a pipe has no width of its own
    results = _results(name, out, db, record_penalties=True)
    console.print(table.class_table(results, console))
    for line in table.roster_lines(results):
        click.echo(line)
    _say(results.notes())
    if grades.sandbox == "none":
        click.echo("Student code ran without isolation (--sandbox none).", err=True)
    if any(row.status == "crashed" for row in grades.submissions):
        raise SystemExit(1)


def _on_results(command: Callable[..., None]) -> Callable[..., None]:
    """The argument and the options that every command on the results of `grade` has."""
    out = click.option(
        "--out",
        type=click.Path(path_type=Path),
        help="Folder that `grade` wrote to.  [default: autograder/grades]",
    )
    db = click.option("--db", metavar="URL", help="nbgrader gradebook.  [default: the one that `grade` used]")
    return click.argument("name")(out(db(command)))


def _results(name: str, out: Path | None, db: str | None, *, record_penalties: bool = False) -> Results:
    """The results; record_penalties: what being late costs goes to the gradebook."""
    from autograder import grading
    from autograder.class_folder import InUse
    from autograder.gradebook import NoGradebook
    from autograder.results import MissingResults, Results
    from autograder.results.late import InvalidLatePolicy
    from autograder.results.roster import InvalidRoster
    from autograder.settings import UnusableSettings

    read = Results.with_penalties_recorded if record_penalties else Results.read
    try:
        return read(name, out or grading.DEFAULT_FOLDER, db)
    except (MissingResults, InvalidLatePolicy, InvalidRoster, InUse, NoGradebook, UnusableSettings) as error:
        raise _FriendlyError(str(error)) from None


def _say(lines: Iterable[str]) -> None:
    """What an instructor has to know, apart from what a command was asked for."""
    for line in lines:
        click.echo(line, err=True)


@main.command()
@_on_results
def feedback(name: str, out: Path | None, db: str | None) -> None:
    """Write a page for every student.

    As HTML and as Markdown, into NAME/feedback/ in the results folder, and beside it zips of them:
    feedback.zip, and for a class that was downloaded from Canvas or Moodle one to upload there.
    """
    from autograder.results.feedback import write_feedback, write_zips

    results = _results(name, out, db)
    pages = write_feedback(results)
    click.echo(f"wrote {len(pages)} files to {results.folder / 'feedback'}")
    for zipped in write_zips(results):
        click.echo(f"wrote {zipped.path} with the pages of {len(zipped.students)} students")
        _say(zipped.remarks())
    _say(results.notes())


@main.command()
@_on_results
@click.option(
    "--format",
    "kind",
    type=click.Choice(("csv", "canvas", "moodle")),
    required=True,
    help="What to write; all but csv need the sheet.",
)
@click.option(
    "--sheet",
    type=click.Path(path_type=Path),
    help="The gradebook downloaded from Canvas, or Moodle's grading worksheet.",
)
@click.option(
    "--column",
    metavar="TITLE",
    help="The sheet's column for the points.  [default: in Canvas the assignment called NAME]",
)
@click.option("--zeros", is_flag=True, help="0 points for everybody who handed in nothing.")
def export(
    name: str,
    out: Path | None,
    db: str | None,
    kind: str,
    sheet: Path | None,
    column: str | None,
    zeros: bool,
) -> None:
    """Write the grades for the LMS.

    Into NAME/ in the results folder: grades.csv, or a copy of the sheet of Canvas or Moodle, filled in.
    """
    from autograder.results.export import write_export
    from autograder.results.sheets import SheetError

    results = _results(name, out, db, record_penalties=True)
    try:
        exported = write_export(results, kind, sheet, column, zeros=zeros)
    except SheetError as error:
        raise _FriendlyError(str(error)) from None
    students = "1 student" if exported.filled == 1 else f"{exported.filled} students"
    click.echo(f"wrote {exported.path} with the points of {students}")
    _say([*exported.remarks(), *results.notes()])


@main.command()
@_on_results
@click.argument("student")
@click.argument("question", required=False)
@click.option("--full", is_flag=True, help="Show values whole, and all calls of a property.")
def explain(
    name: str, out: Path | None, db: str | None, student: str, question: str | None, full: bool
) -> None:
    """Show why a student lost points.

    For your eyes only: for every property of QUESTION that does not hold, and by default of all questions
    that lost points, the hidden test's input, the student's value, the expected one and the student's
    traceback; and the cell that answers. STUDENT is the id in grades.json, or the number, name, login or
    address that the LMS has. The notebook is judged again as the class was; no grade changes.
    """
    from autograder.judging import WrongTest
    from autograder.master import InvalidMaster, UnknownAssignment
    from autograder.results.explain import Unexplained, explanation
    from autograder.settings import UnusableSettings
    from autograder.submission_store import DamagedStore

    results = _results(name, out, db)
    unusable = (
        Unexplained,
        UnusableSettings,
        DamagedStore,
        UnknownAssignment,
        InvalidMaster,
        sandbox.NoSandbox,
    )
    try:
        for section in explanation(results, student, question, full=full):
            click.secho(section.title, bold=True)
            click.echo("".join(f"{line}\n" for line in section.lines))
    except unusable as error:
        raise _FriendlyError(str(error)) from None
    except WrongTest as error:
        raise click.ClickException(
            f"{error}\nThat is a mistake in the assignment, not in the notebook."
        ) from None
    if results.grades.sandbox == "none":
        click.echo("Student code ran without isolation, as when the class was graded.", err=True)


@main.command()
@_on_results
def report(name: str, out: Path | None, db: str | None) -> None:
    """Write a page on the class.

    NAME/report.html in the results folder: how the class did, question by question, and whose answers are
    alike.
    """
    from autograder.master import UnknownAssignment
    from autograder.results.report import write_report

    results = _results(name, out, db)
    try:
        click.echo(f"wrote {write_report(results)}")
    except UnknownAssignment as error:
        raise _FriendlyError(str(error)) from None
    _say(results.notes())


@main.command()
@click.argument("names", nargs=-1)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder that `grade` wrote to.  [default: autograder/grades]",
)
@click.option("--db", metavar="URL", help="nbgrader gradebook.  [default: the one that `grade` used]")
@click.option("--zeros", is_flag=True, help="0 points for everybody who handed in nothing.")
def total(names: tuple[str, ...], out: Path | None, db: str | None, zeros: bool) -> None:
    """Write the total of a course.

    Into total.csv in the results folder: the points in the assignments NAMES, by default all that have been
    graded, and their sum, weighted as course.toml there says.
    """
    from autograder import grading
    from autograder.results import total

    folder = out or grading.DEFAULT_FOLDER
    try:
        course = total.Course.read(folder)
        chosen = list(dict.fromkeys(names)) or total.graded_assignments(folder, course)
        if not chosen:
            raise _FriendlyError(f"{folder} holds no results. Run `autograder grade NAME PATH` first.")
        classes = [_results(name, out, db) for name in chosen]
        written = total.write_total(classes, folder, course, zeros=zeros)
    except total.InvalidCourse as error:
        raise _FriendlyError(str(error)) from None
    click.echo(f"wrote {written.path} with {written.people} people and {', '.join(chosen)}")
    _say(written.notes)


if __name__ == "__main__":
    main()
