"""From a submitted notebook to what the grader does with it: what to run, what to judge, what to tell.

`notebook` reads the bytes, `definitions` finds what code defines and uses, `matching` which cell of
the master a cell is, `answers` what answers which question, `written` the answers in words; `steps`
puts it together.
"""

from autograder.alignment.notebook import Unreadable
from autograder.alignment.steps import Aligned, Judge, Run, align
from autograder.alignment.written import written_answers

__all__ = ["Aligned", "Judge", "Run", "Unreadable", "align", "written_answers"]
