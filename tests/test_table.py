"""The class as a table: what the command line prints."""

import io

from rich.console import Console

from autograder.results.table import class_table
from tests.written import judged, write_results


def printed(students, tmp_path):
    console = Console(file=io.StringIO(), width=120)
    console.print(class_table(write_results(tmp_path, students).grades))
    return {
        line.split()[0]: " ".join(line.split())
        for line in console.file.getvalue().splitlines()
        if line.strip()
    }


def test_remarks_say_what_is_to_be_known(tmp_path):
    rows = printed(
        [
            judged("ada", (3, 2)),
            judged("ben", late=True, review="double", faults=("'ben.ipynb' was handed in late", "a", "b")),
            judged("cy", faults=("a",)),
            judged("dora", (0, 0), status="unreadable", faults=("The file is empty.",), late=True),
        ],
        tmp_path,
    )
    assert rows["ada"] == "ada 3 2 5"
    assert rows["ben"] == "ben 1.5 2? 3.5 late, 1 to look at, 2 repairs"
    assert rows["cy"] == "cy 1.5 2 3.5 1 repair"
    assert rows["dora"] == "dora 0 0 0 unreadable, late"


def test_a_students_brackets_are_text(tmp_path):
    assert printed([judged("[red]ada[/]")], tmp_path)["[red]ada[/]"].endswith("1.5 2 3.5")
