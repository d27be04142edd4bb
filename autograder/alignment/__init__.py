"""From a submitted notebook to what the grader does with it: what to run, what to judge, what to tell.

`notebook` reads the bytes, `definitions` finds what code defines and uses, `matching` which cell of
the master a cell is, `answers` what answers which question, `origins` where the names come from that an
answer uses, `written` the answers in words; `steps` puts it together.
"""

from autograder.alignment.notebook import Unreadable
from autograder.alignment.origins import ANY_NAME, Needs, Origin
from autograder.alignment.steps import Aligned, Judge, Run, align
from autograder.alignment.written import written_answers

__all__ = [
    "ANY_NAME",
    "Aligned",
    "Judge",
    "Needs",
    "Origin",
    "Run",
    "Unreadable",
    "align",
    "written_answers",
]
