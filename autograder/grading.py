"""Grading a class: submissions in, `grades.json` and the gradebook out."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path

from dask.distributed import Client, as_completed
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from autograder import gradebook, intake, sandbox
from autograder.intake import Submission
from autograder.judging import Limits, judge_submission, unreadable
from autograder.master import Master
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
) -> Grades:
    """Grade the submissions in `path` and write out/NAME/grades.json and the gradebook.

    Beside it, judged.json says under which key each student's verdict is stored.

    jobs: local processes (default: one per core); scheduler: address of a dask.distributed
    scheduler to use instead; sandbox_kind: see `autograder.sandbox`; seconds: limit for one
    cell or call; memory_mib: limit for one worker; db_url: gradebook (default: SQLite in
    `out`); regrade: judge again what has a verdict.
    Raises UnknownAssignment, IntakeError or NoSandbox before anything is written.
    """
    master = Master.read(assignment)
    submissions = intake.collect(path, assignment)
    limits = Limits(seconds, memory_mib, sandbox.resolve(sandbox_kind))
    folder = out / assignment
    seed = secret_seed(folder / "secret_seed")
    store = VerdictStore(folder / "verdicts")
    keys = {item.student: _key(item, master, seed, limits) for item in submissions}
    done = {} if regrade else _finished(store, keys)
    done |= {
        item.student: unreadable(item.student, master, item.problem) for item in submissions if item.problem
    }
    waiting = [item for item in submissions if item.student not in done]
    with _progress(assignment) as progress:
        task = progress.add_task(assignment, total=len(submissions), completed=len(done))
        for judged in _judge_all(waiting, master, seed, limits, jobs, scheduler):
            if judged.verdict.status != "crashed":  # the grader's own trouble: the next run tries again
                store.save(keys[judged.verdict.student], judged)
            done[judged.verdict.student] = judged
            progress.advance(task)
    rows = tuple(_with_intake_faults(done[item.student].verdict, item) for item in submissions)
    grades = Grades(
        assignment=assignment, max_score=master.max_score, sandbox=limits.sandbox, submissions=rows
    )
    gradebook.record(db_url or gradebook.default_url(out), master, grades)
    handed_in = {item.student: keys[item.student] for item in submissions if not item.problem}
    write_atomically(folder / "judged.json", json.dumps(handed_in, indent=1) + "\n")
    write_grades(folder / "grades.json", grades)
    return grades


def _key(submission: Submission, master: Master, seed: int, limits: Limits) -> str:
    parts = (master.sha256, str(seed), engine_version(), repr(limits))
    return verdict_key(submission.student, submission.content, *parts)


def _finished(store: VerdictStore, keys: dict[str, str]) -> dict[str, Judged]:
    stored = {student: store.load(key) for student, key in keys.items()}
    return {student: judged for student, judged in stored.items() if judged is not None}


def _with_intake_faults(verdict: SubmissionVerdict, submission: Submission) -> SubmissionVerdict:
    return verdict.model_copy(update={"faults": submission.faults + verdict.faults})


def _judge_all(
    submissions: list[Submission],
    master: Master,
    seed: int,
    limits: Limits,
    jobs: int | None,
    scheduler: str | None,
) -> Iterator[Judged]:
    """Verdicts in the order in which they are finished."""
    if not submissions:
        return
    with _client(scheduler, min(jobs or os.cpu_count() or 1, len(submissions))) as client:
        futures = {
            client.submit(
                judge_submission, item.student, item.content, master, seed, limits, pure=False, retries=2
            ): item.student
            for item in submissions
        }
        for future in as_completed(futures):
            student = futures[future]
            error = future.exception()
            yield future.result() if error is None else _crashed(student, master, error)


def _crashed(student: str, master: Master, error: BaseException) -> Judged:
    reason = (
        f"The grader could not judge this notebook ({type(error).__name__}); an instructor has to look at it."
    )
    return Judged(
        verdict=unreadable(student, master, reason).verdict.model_copy(update={"status": "crashed"})
    )


def _client(scheduler: str | None, jobs: int) -> Client:
    if scheduler is not None:
        return Client(scheduler)
    return Client(
        n_workers=jobs,
        threads_per_worker=1,
        processes=True,
        dashboard_address=":0",
        memory_limit=0,
        silence_logs=logging.CRITICAL,
    )


def _progress(assignment: str) -> Progress:
    return Progress(
        TextColumn("Grading {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
