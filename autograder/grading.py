"""Grading a class: submissions in, `grades.json` and the gradebook out."""

from __future__ import annotations

import contextlib
import dataclasses
import json
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

from autograder import autograded, class_folder, dispatch, gradebook, intake
from autograder.dispatch import Job
from autograder.intake import Submission
from autograder.judging import unreadable
from autograder.master import Master
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

DEFAULT_FOLDER = Path(__file__).parent / "grades"


class CannotGrade(ValueError):
    """The class cannot be graded as asked; the message says why and what to do."""


def grade_class(
    assignment: str,
    path: Path,
    *,
    out: Path = DEFAULT_FOLDER,
    jobs: int | None = None,
    scheduler: str | None = None,
    sandbox_kind: str = "auto",
    seconds: float = 20.0,
    memory_mib: int = 4096,
    db_url: str | None = None,
    regrade: bool = False,
    reseed: bool = False,
    merge: Sequence[Path] = (),
    layout: str = "",
    people_file: Path | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> Grades:
    """Grade the submissions in `path`; write out/NAME/grades.json, the gradebook and out/autograded/.

    Beside it, judged.json says under which key each student's verdict is stored, and people.json who
    the students are in the LMS.

    jobs: local processes (default: one per core); scheduler: address of a dask.distributed
    scheduler to use instead; sandbox_kind: see `autograder.sandbox`; seconds: limit for one
    cell or call; memory_mib: limit for one worker; db_url: gradebook (default: SQLite in
    `out`); regrade: judge again what has a verdict; reseed: draw new hidden inputs, so that
    all is judged again; merge: results folders of other machines, whose verdicts are taken over;
    layout, people_file: whose files are whose, where that is not left to `intake.collect`; say: is called
    with every line that an instructor should know about the download.
    Raises UnknownAssignment, IntakeError, NoSandbox, NoCluster, CannotGrade or NoGradebook before any
    verdict is kept; all but the first three also later, when what they need is gone.
    """
    master = Master.read(assignment)
    submissions = intake.collect(path, assignment, layout=layout, people=people_file)
    for note in submissions.notes:
        say(note)
    folder = out / assignment
    others = [other / assignment for other in merge]
    known = _known_seed(folder, others, reseed)
    with dispatch.crew(jobs, scheduler) as crew:
        limits = Limits(float(seconds), memory_mib, crew.resolve(sandbox_kind))
        class_folder.make_private(out, assignment)
        with class_folder.alone_in(folder), ThreadPoolExecutor(1) as beside:
            _remove_half_written(folder)
            db_url = db_url or gradebook.default_url(out)
            gradebook_is_there = beside.submit(gradebook.prepare, db_url)  # while judging starts up
            seed = secret_seed(folder / "secret_seed", known, anew=reseed)
            kept = SubmissionStore(folder)
            stores = [VerdictStore(place / "verdicts") for place in (folder, *others)]
            run = _Run(master, seed, limits, stores, kept, regrade, out)
            with _progress(assignment) as progress:
                task = progress.add_task(assignment, total=len(submissions))
                run.grade(submissions, crew, gradebook_is_there.result, lambda: progress.advance(task))
            gradebook_is_there.result()
            grades = run.grades()
            kept.keep_only({row.student for row in grades.submissions})
            gradebook.record(db_url, master, grades, _last_grades(folder / "grades.json"))
            write_atomically(folder / "judged.json", json.dumps(run.keys, indent=1) + "\n")
            kept.save()
            write_grades(folder / "grades.json", grades)
    return grades


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


def _last_grades(path: Path) -> Grades | None:
    """The class as the last run left it."""
    with contextlib.suppress(OSError, ValueError):
        return Grades.model_validate_json(path.read_bytes())
    return None


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
        kept: SubmissionStore,
        regrade: bool,
        out: Path,
    ) -> None:
        """stores: verdicts are written to the first and looked for in all; kept: for what is handed in now;
        out: for the graded notebooks."""
        self.keys: dict[str, str] = {}
        self._master = master
        self._seed = seed
        self._limits = limits
        self._stores = stores
        self._kept = kept
        self._regrade = regrade
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
            if judged.verdict.status != "crashed":  # the grader's own trouble: the next run tries again
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
            self._kept.put(item)
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
        return None if self._regrade else self._stored(key)

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
        row = judged.verdict.model_copy(update={"faults": faults, "late": item.late})
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
