"""nbgrader's settings for this course; run nbgrader, and Jupyter with its formgrader, in this folder.

They show the results in `grades/`. For those of `autograder grade --out DIR --db URL`, set
AUTOGRADER_OUT=DIR and AUTOGRADER_DB=URL before starting Jupyter or nbgrader.
The texts that students get in place of a solution are set here and nowhere else:
`autograder release` reads them too.
"""

import contextlib
import os
from pathlib import Path

c = get_config()  # noqa: F821  nbgrader defines it

here = Path(__file__).resolve().parent
results = Path(os.environ.get("AUTOGRADER_OUT") or here / "grades").resolve()
with contextlib.suppress(OSError):  # SQLite makes the file, not its folder
    results.mkdir(mode=0o700, parents=True, exist_ok=True)

c.CourseDirectory.root = str(here)
c.CourseDirectory.db_url = os.environ.get("AUTOGRADER_DB") or f"sqlite:///{results / 'gradebook.db'}"
c.CourseDirectory.source_directory = "source"
c.CourseDirectory.release_directory = "release"
c.CourseDirectory.submitted_directory = "submitted"
c.CourseDirectory.autograded_directory = str(results / "autograded")
c.CourseDirectory.feedback_directory = "feedback"

c.ClearSolutions.code_stub = {
    "python": "# Your code here: replace the next line.\n"
    'raise NotImplementedError("This is waiting for your code.")'
}
c.ClearSolutions.text_stub = "*Your answer here.*"

c.OverwriteCells.add_missing_cells = True  # a deleted test cell is put back

c.Execute.skip_cells_with_tag = "training"  # no grader trains an agent
c.Execute.timeout = 60  # seconds for one cell
c.IgnorePattern.enabled = True  # a warning on stderr is no reason for zero points
c.IgnorePattern.pattern = "."
c.Execute.extra_arguments = ["--IPKernelApp.log_level=ERROR"]  # no note per kernel on how it is reached
