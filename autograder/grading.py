"""Grading a class: submissions in, `grades.json` and the gradebook out."""

from __future__ import annotations

import collections
import dataclasses
import json
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from autograder import autograded, class_folder, dispatch, gradebook, intake, merging
from autograder.dispatch import Job
from autograder.intake import Person, Submission, Submissions
from autograder.intake.choice import Assignment
from autograder.intake.people import FILE_NAME, read_people
from autograder.judging import unreadable
from autograder.master import Master, names
from autograder.merging import Changes
from autograder.settings import ClassSettings, GradebookAddress
from autograder.student import Limits
from autograder.submission_store import SubmissionStore
from autograder.verdicts import (
    Grades,
    Judged,
    SubmissionVerdict,
    VerdictStore,
    engine_version,
    secret_seed,
    verdict_key,
    write_atomically,
    write_grades,
)

_log = logging.getLogger(__name__)

DEFAULT_FOLDER = Path(__file__).parent / "grades"


class CannotGrade(ValueError):
    """The class cannot be graded as asked; the message says why and what to do."""


class WrongAssignment(CannotGrade):
    """All that can be read was handed in for another assignment."""


def grade_class(
    assignment: str,
    path: Path | None,
    *,
    out: Path = DEFAULT_FOLDER,
    jobs: int | None = None,
    scheduler: str | None = None,
    sandbox_kind: str = "auto",
    seconds: float | None = None,
    memory_mib: int | None = None,
    db_url: str | None = None,
    regrade: bool = False,
    reseed: bool = False,
    merge: Sequence[Path] = (),
    layout: str = "",
    people_file: Path | None = None,
    only_these: bool = False,
    student: str | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Grades:
    """Grade the submissions in `path`; write out/NAME/grades.json, the gradebook and out/autograded/.

    The class is everybody who has ever handed in: those who are not in `path` keep what they handed in
    before, and are judged again only where the master, the seed, the limits or the engine have changed.
    Beside grades.json, judged.json says under which key each student's verdict is stored, people.json who
    the students are in the LMS, and submissions/ has the notebooks that count.

    path: None to grade what was handed in before; jobs: local processes (default: one per core);
    scheduler: address of a dask.distributed scheduler to use instead; sandbox_kind: see
    `autograder.sandbox`; seconds: limit for one cell or call; memory_mib: limit for one worker; db_url:
    gradebook; the default of these three is what the class was graded with last, and 20 s, 4096 MiB and
    SQLite in `out` at first; regrade: judge again what has a verdict; reseed: draw new hidden inputs, so that
    all is judged again; merge: results folders of other machines, whose verdicts are taken over;
    layout, people_file: whose files are whose, where that is not left to `intake.collect`;
    only_these: the class is what is in `path`; student: judge this one in any case, and take nothing else
    from `path`; say: is called with every line that an instructor should know.
    Raises UnknownAssignment, IntakeError, NoSandbox, NoCluster, CannotGrade, UnclearIdentity,
    UnusableSettings, DamagedStore, InUse or NoGradebook before any verdict is kept; NoSandbox, NoCluster,
    NoGradebook and DamagedStore also later, when what they need is gone.
    """
    master = Master.read(assignment).filled
    folder = out / assignment
    submissions = None
    if path is not None:
        so_far = _people_so_far(folder)
        submissions = intake.collect(path, assignment, layout=layout, people=people_file, known=so_far)
        for note in submissions.notes:
            say(note)
    others = [other / assignment for other in merge]
    known = _known_seed(folder, others, reseed)
    with dispatch.crew(jobs, scheduler) as crew:
        sandbox_kind = crew.resolve(sandbox_kind)
        address = GradebookAddress.of(out, db_url)
        if submissions is not None:
            _check_assignment(submissions, assignment)
        class_folder.make_private(out, assignment)
        with class_folder.alone_in(folder), ThreadPoolExecutor(1) as beside:
            _remove_half_written(folder)
            settings = _settings(folder, seconds, memory_mib, say)
            limits = Limits(settings.seconds, settings.memory_mib, sandbox_kind)
            last, kept, changes = _last_grades(folder / "grades.json"), SubmissionStore(folder), Changes()
            class_now = _class_now(submissions, kept, last, changes, only_these=only_these, student=student)
            gradebook_is_there = beside.submit(gradebook.prepare, address.url)  # while judging starts up
            seed = secret_seed(folder / "secret_seed", known, anew=reseed)
            stores = [VerdictStore(place / "verdicts") for place in (folder, *others)]
            again = (lambda name: name == student) if student else (lambda name: regrade)
            run = _Run(master, seed, limits, stores, again, out)
            with class_folder.logged(folder) as log, _progress(assignment) as progress:
                task = progress.add_task(assignment, total=class_now.size)
                run.grade(
                    class_now.submissions, crew, gradebook_is_there.result, lambda: progress.advance(task)
                )
            gradebook_is_there.result()
            grades = run.grades()
            gradebook.record(address.url, master, grades, last)
            grades = gradebook.with_marks(grades, gradebook.marks(address.url, assignment))
            write_atomically(folder / "judged.json", json.dumps(run.keys, indent=1) + "\n")
            kept.save()
            settings.write(folder)
            address.remember()
            write_grades(folder / "grades.json", grades)
    for line in changes.lines():
        say(line)
    crashed = [row.student for row in grades.submissions if row.status == "crashed"]
    if crashed:
        say(
            f"The grader itself failed on {merging.listed(crashed)}, who have no points yet. {log} says why; "
            "then run the command again."
        )
    return grades


def _settings(
    folder: Path, seconds: float | None, memory_mib: int | None, say: Callable[[str], None]
) -> ClassSettings:
    """The limits for this run, those of the last one where they are not given."""
    before = ClassSettings.read(folder)
    now = before.changed(seconds, memory_mib)
    if now != before and (folder / "grades.json").exists():
        say(
            f"The limits are {now.seconds:g} s and {now.memory_mib} MiB now, after {before.seconds:g} s and "
            f"{before.memory_mib} MiB before: the whole class is judged again."
        )
    return now


@dataclasses.dataclass(frozen=True)
class _ClassNow:
    """Everybody who is in the class after this run, with what counts of them."""

    submissions: Iterator[Submission]
    size: int


def _class_now(
    handed_in: Submissions | None,
    kept: SubmissionStore,
    last: Grades | None,
    changes: Changes,
    *,
    only_these: bool,
    student: str | None,
) -> _ClassNow:
    """The students and notebooks to grade. Raises CannotGrade or UnclearIdentity."""
    if handed_in is None and not kept:
        raise CannotGrade("Nothing has been handed in so far: say where the submissions are (PATH).")
    people = {} if handed_in is None else handed_in.people
    if student is not None:
        known = kept if handed_in is None else people
        merging.check_student(student, known)
        people = {student: people[student]} if people else {}
    if only_these:
        kept.keep_only(set(people))
        changes.left_out.extend(name for name in _names(last) if name not in people)
    merging.check_identities(people, kept)
    lost = [name for name in _names(last) if name not in kept and name not in people]
    if lost and not only_these:
        raise CannotGrade(
            f"{len(lost)} students were graded by an older version of the autograder, which kept no "
            "notebooks. Grade the submissions of the whole class once more."
        )
    wanted = (item for item in handed_in or () if item.student in people)
    submissions = merging.merged(wanted, kept, changes, as_it_is=only_these or student is not None)
    return _ClassNow(submissions, len({*people, *kept}))


def _names(grades: Grades | None) -> list[str]:
    return [row.student for row in grades.submissions] if grades else []


def _check_assignment(submissions: Submissions, assignment: str) -> None:
    """Raise WrongAssignment where every notebook is more like that of another assignment."""
    ours = Assignment(assignment)
    others = [Assignment(name) for name in names() if name != assignment]
    found: collections.Counter[str] = collections.Counter()
    for item in submissions:
        if not item.content:
            continue
        likeness, _ = ours.likeness(item.content)
        if 2 * likeness >= ours.size:
            return
        most, name = max(((other.likeness(item.content)[0], other.name) for other in others), default=(0, ""))
        if likeness >= most:
            return
        found[name] += 1
    if found:
        likely = " or ".join(name for name, _ in found.most_common(2))
        raise WrongAssignment(
            f"No notebook there is one of {assignment!r}: they look like {likely}. Nothing was graded."
        )


def _known_seed(folder: Path, others: list[Path], reseed: bool) -> int | None:
    """The seed of the verdicts there are, in `folder` and in the results to be merged."""
    if reseed and others:
        raise CannotGrade("After --reseed all is judged again, so nothing can be merged: leave out --merge.")
    places = others if reseed or not (folder / "secret_seed").exists() else [folder, *others]
    seeds = {place: _read_seed(place / "secret_seed") for place in places}
    if len(set(seeds.values())) > 1:
        raise CannotGrade(
            f"Results with different secret seeds cannot be merged: {', '.join(map(str, seeds))}. Copy the "
            "file secret_seed from one machine into this folder of the others, and grade there again."
        )
    return next(iter(seeds.values()), None)


def _read_seed(path: Path) -> int:
    try:
        return int(path.read_text())
    except OSError as error:
        raise CannotGrade(
            f"{path} cannot be read ({error.strerror}). With --merge give the folder that was --out on the "
            "other machine."
        ) from None
    except ValueError:
        raise CannotGrade(
            f"{path} does not hold a number. Put back the file from a backup, or delete it: then a new seed "
            "is drawn, and all submissions are judged again."
        ) from None


def _people_so_far(folder: Path) -> dict[str, Person]:
    """Who is in the class by now; nobody where the file is damaged, which SubmissionStore says."""
    try:
        return read_people(folder / FILE_NAME)
    except (OSError, ValueError):
        return {}


def _last_grades(path: Path) -> Grades | None:
    """The class as the last run left it."""
    try:
        return Grades.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError:
        raise CannotGrade(
            f"{path} is damaged. Remove it and run the command again, which writes it; nothing else is lost."
        ) from None


def _remove_half_written(folder: Path) -> None:
    """Remove what a killed run left."""
    for pattern in (".secret_seed.*", ".*.json.*", "verdicts/.*", "submissions/.*"):
        for path in folder.glob(pattern):
            path.unlink()


class _Run:
    """One grading of a class: a row for everybody, judged only where there is no verdict yet."""

    def __init__(
        self,
        master: Master,
        seed: int,
        limits: Limits,
        stores: list[VerdictStore],
        again: Callable[[str], bool],
        out: Path,
    ) -> None:
        """stores: verdicts are written to the first and looked for in all; again: whether a student is judged
        in any case; out: for the graded notebooks."""
        self.keys: dict[str, str] = {}
        self._master = master
        self._seed = seed
        self._limits = limits
        self._stores = stores
        self._again = again
        self._out = out
        self._rows: dict[str, SubmissionVerdict] = {}
        self._judging: dict[str, Submission] = {}  # without their bytes

    def grade(
        self,
        submissions: Iterable[Submission],
        crew: dispatch.Crew,
        make_sure: Callable[[], None],
        advance: Callable[[], None],
    ) -> None:
        """Judge what has to be; `make_sure` is called before a verdict is kept, `advance` for every row."""
        for judged in crew.judge(self._jobs(submissions, advance)):
            make_sure()
            student = judged.verdict.student
            if judged.verdict.status == "crashed":  # the next run tries again
                _log.error("The grader failed on %s:\n%s", student, judged.trouble)
            else:
                self._stores[0].save(self.keys[student], judged)
            self._add(self._judging.pop(student), judged)
            advance()

    def grades(self) -> Grades:
        """The class, in the order of the students."""
        return Grades(
            assignment=self._master.name,
            max_score=self._master.max_score,
            sandbox=self._limits.sandbox,
            submissions=tuple(self._rows[student] for student in sorted(self._rows)),
        )

    def _jobs(self, submissions: Iterable[Submission], advance: Callable[[], None]) -> Iterator[Job]:
        master = dataclasses.replace(self._master)  # as sent: without what is derived from it
        engine = engine_version()
        for item in submissions:
            judged = self._known(item, engine)
            if judged is None:
                self._judging[item.student] = dataclasses.replace(item, content=b"")
                yield Job(item.student, item.content, master, self._seed, self._limits, engine)
                continue
            self._add(item, judged)
            advance()

    def _known(self, item: Submission, engine: str) -> Judged | None:
        """The verdict on a submission that need not be judged."""
        if item.problem:
            return unreadable(item.student, self._master, item.problem)
        parts = (self._master.sha256, str(self._seed), engine, repr(self._limits))
        key = self.keys[item.student] = verdict_key(item.student, item.content, *parts)
        return None if self._again(item.student) else self._stored(key)

    def _stored(self, key: str) -> Judged | None:
        own, *others = self._stores
        if judged := own.load(key):
            return judged
        judged = next(filter(None, (store.load(key) for store in others)), None)
        if judged:
            own.save(key, judged)
        return judged

    def _add(self, item: Submission, judged: Judged) -> None:
        faults = item.faults + judged.verdict.faults
        notices = item.faults + judged.verdict.notices
        row = judged.verdict.model_copy(update={"faults": faults, "notices": notices, "late": item.late})
        self._rows[item.student] = row
        autograded.write(self._out, self._master, judged.model_copy(update={"verdict": row}))


class _Rate(ProgressColumn):
    """Submissions per second."""

    def render(self, task: Task) -> str:
        return f"{task.speed:.1f}/s" if task.speed else ""


def _progress(assignment: str) -> Progress:
    return Progress(
        TextColumn("Grading {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
