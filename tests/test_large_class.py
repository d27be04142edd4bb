"""A class of two thousand takes the grader no more memory than one of two hundred."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.notebooks import as_bytes, submission

SIZE = 200_000
RIGHT = 3
ROOM_MIB = 30
SCRIPT = """
import resource, sys
from pathlib import Path
from autograder import grading, master

if __name__ == "__main__":
    master.FOLDER = Path(sys.argv[1])
    grades = grading.grade_class("pair", Path(sys.argv[2]), out=Path(sys.argv[3]), jobs=2)
    rows = [row.status for row in grades.submissions]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(rows.count("graded"), rows.count("unreadable"), peak // 1024)
"""


def class_of(number, folder):
    """A class of `number` notebooks of 200 kB; all but a few cannot be read, which is judged quickly."""
    notebook = submission()
    notebook["cells"][0]["attachments"] = {"picture.png": {"image/png": "A" * SIZE}}
    right = as_bytes(notebook)
    folder.mkdir()
    for name, content in (("right", right), ("broken", right[:-1])):
        (folder.parent / name).write_bytes(content)
    for index in range(number):
        name = "right" if index in (1, number // 2, number - 1) else "broken"
        os.link(folder.parent / name, folder / f"student{index:04}.ipynb")
    return folder


def graded(number, folder):
    """How many were graded and how many were unreadable, and the peak memory of the parent in MiB."""
    folder.mkdir()
    path = class_of(number, folder / "class")
    arguments = [sys.executable, "-c", SCRIPT, str(Path(__file__).parent / "masters"), str(path)]
    done = subprocess.run([*arguments, str(folder / "out")], capture_output=True, text=True, check=True)
    return tuple(map(int, done.stdout.split()))


def test_memory_does_not_grow_with_the_class(tmp_path):
    *small, few = graded(200, tmp_path / "small")
    *large, many = graded(2_000, tmp_path / "large")
    assert small == [RIGHT, 200 - RIGHT]
    assert large == [RIGHT, 2_000 - RIGHT]
    rows = json.loads((tmp_path / "large" / "out" / "pair" / "grades.json").read_text())["submissions"]
    assert [row["student"] for row in rows] == [f"student{index:04}" for index in range(2_000)]
    assert many - few < ROOM_MIB
