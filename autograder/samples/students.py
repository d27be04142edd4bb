"""The sample class of every assignment, and what its students write where words are asked for."""

from __future__ import annotations

import importlib
import pkgutil

from autograder import samples
from autograder.samples import mishaps
from autograder.samples.student import Student


def _in_every_class(questions: tuple[str, ...]) -> tuple[Student, ...]:
    """Students whose story is about the notebook and not about an answer."""
    second = questions[1]
    nothing = dict.fromkeys(questions, "missing")
    return (
        Student("ada", "took the solutions from the book"),
        Student("lena", "handed in the notebook as it was given", dict.fromkeys(questions), nothing),
        Student("rosa", "worked in Colab", mishap=mishaps.saved_by_colab),
        Student(
            "sami",
            "sent the copy that the browser had renamed",
            file_name="Copy of {name} (1).ipynb",
            fault="Copy of",
            honest=False,
        ),
        Student(
            "selma",
            "turned an answer into text by a wrong key",
            mishap=mishaps.turned_an_answer_into_text,
            fault="found in a cell of text",
            honest=False,
        ),
        Student("tara", "deleted a test cell", mishap=mishaps.deleted_a_test_cell, fault="was deleted"),
        Student(
            "theo",
            "joined an answer with its test",
            mishap=mishaps.joined_an_answer_with_its_test,
            fault="were joined",
            honest=False,
        ),
        Student(
            "ugo",
            "wrote an answer into a new cell above the one that is meant for it",
            mishap=mishaps.answered_in_a_cell_of_its_own,
            fault="found in a cell of your own",
            honest=False,
        ),
        Student(
            "umar",
            "copied an answer cell and wrote into the copy",
            mishap=mishaps.duplicated_an_answer_cell,
            fault="occurs 2 times",
        ),
        Student(
            "vera",
            "ran a test cell twice, by copying it",
            mishap=mishaps.duplicated_a_test_cell,
            fault="occurs 2 times",
        ),
        Student(
            "wanda",
            "pasted everything into a new notebook",
            mishap=mishaps.pasted_into_a_new_notebook,
            fault="grade ids of the cells were lost",
            honest=False,
        ),
        Student(
            "xaver",
            "left one answer out and made its test give the points",
            {second: None},
            {second: "missing"},
            mishap=mishaps.passed_by_editing_the_test,
            fault="was edited",
        ),
        Student(
            "yara",
            "added a game of her own that never ends",
            mishap=mishaps.added_an_endless_cell,
            honest=False,
        ),
        Student(
            "yuri",
            "left an endless loop below a function",
            expected={second: "timeout"},
            mishap=mishaps.left_an_endless_loop_in_the_answer_cell,
            honest=False,
        ),
        Student(
            "zack",
            "restarts the kernel in a cell of his own",
            mishap=mishaps.ended_its_own_process,
            honest=False,
        ),
        Student(
            "zelda",
            "closed the laptop during the upload",
            expected=nothing,
            mishap=mishaps.cut_off_while_uploading,
            status="unreadable",
            fault="JSON",
            honest=False,
        ),
        Student(
            "zoe",
            "handed in an empty file",
            expected=nothing,
            mishap=mishaps.emptied,
            status="unreadable",
            fault="empty",
            honest=False,
        ),
    )


_MODULES = {
    module.name.removesuffix("_class"): importlib.import_module(f"{samples.__name__}.{module.name}")
    for module in pkgutil.iter_modules(samples.__path__)
    if module.name.endswith("_class")
}

CLASSES = {
    name: tuple(sorted(module.STUDENTS + _in_every_class(module.QUESTIONS), key=lambda student: student.name))
    for name, module in _MODULES.items()
}

WORDS = {name: module.WORDS for name, module in _MODULES.items()}
