"""What becomes of a graded class: feedback, exports and the report, with the marks that people gave.

`graded` reads what `autograder grade` left, `late` what being late costs; all others start from these.
"""

from autograder.results.graded import MissingResults, Question, Results, Student

__all__ = ["MissingResults", "Question", "Results", "Student"]
