"""What can happen to a notebook between the student's screen and the grader's disk.

Each function takes the finished notebook as a dictionary and returns it changed, or the bytes of a file.
"""

from __future__ import annotations

import copy
import json
from typing import Any

Notebook = dict[str, Any]

COLAB_BADGE = (
    '<a href="https://colab.research.google.com/github/.../x.ipynb" target="_parent">Open In Colab</a>'
)


def saved_by_colab(notebook: Notebook) -> Notebook:
    """Format 4.0, ids moved into the metadata, Colab's fields, a cell inserted, widgets without state."""
    cells = [_colab_cell(cell, index) for index, cell in enumerate(notebook["cells"])]
    badge = {"id": "view-in-github", "colab_type": "text"}
    metadata = {
        "colab": {"provenance": [], "include_colab_link": True, "gpuType": "T4"},
        "accelerator": "GPU",
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
        "widgets": {"application/vnd.jupyter.widget-state+json": {}},
    }
    first = {"cell_type": "markdown", "metadata": badge, "source": [COLAB_BADGE]}
    return {"nbformat": 4, "nbformat_minor": 0, "metadata": metadata, "cells": [first, *cells]}


def _colab_cell(cell: dict[str, Any], index: int) -> dict[str, Any]:
    changed = {key: value for key, value in cell.items() if key not in ("id", "outputs")}
    changed["metadata"] = {**cell["metadata"], "id": f"c0lab{index:07d}"}
    if cell["cell_type"] == "code":
        user = {"displayName": "Rosa", "userId": "01234567890123456789"}
        changed["metadata"]["executionInfo"] = {"status": "ok", "elapsed": 12, "user": user, "user_tz": -60}
        changed["metadata"]["outputId"] = f"00000000-0000-4000-8000-{index:012d}"
        changed["execution_count"] = index
        changed["outputs"] = [] if index % 2 else [_colab_output()]
    return changed


def _colab_output() -> dict[str, Any]:
    data = {"text/plain": ["2.0"], "application/vnd.google.colaboratory.intrinsic+json": {"type": "float"}}
    return {"output_type": "execute_result", "data": data, "metadata": {}, "execution_count": 1}


def pasted_into_a_new_notebook(notebook: Notebook) -> Notebook:
    """Only the text of the cells is left: every id and all metadata are new."""
    for index, cell in enumerate(notebook["cells"]):
        cell["id"], cell["metadata"] = f"new-{index}", {}
    return notebook


def deleted_a_test_cell(notebook: Notebook) -> Notebook:
    """The second question's test cell is gone."""
    notebook["cells"].remove(_tests(notebook)[1])
    return notebook


def duplicated_a_test_cell(notebook: Notebook) -> Notebook:
    """The second question's test cell stands there twice, metadata included."""
    return _duplicate(notebook, _tests(notebook)[1])


def duplicated_an_answer_cell(notebook: Notebook) -> Notebook:
    """The second question's answer cell stands there twice, the first one left as it was given."""
    answer = _answers(notebook)[1]
    notebook = _duplicate(notebook, answer)
    signature = "".join(answer["source"]).partition("\n")[0]
    answer["source"] = [signature + "\n", "    raise NotImplementedError"]
    return notebook


def turned_an_answer_into_text(notebook: Notebook) -> Notebook:
    """The second question's answer cell is a Markdown cell."""
    answer = _answers(notebook)[1]
    for field in ("outputs", "execution_count"):
        answer.pop(field, None)
    answer["cell_type"] = "markdown"
    return notebook


def joined_an_answer_with_its_test(notebook: Notebook) -> Notebook:
    """The second question's answer and test are one cell, which has the metadata of the answer."""
    answer, test = _answers(notebook)[1], _tests(notebook)[1]
    answer["source"] = [*answer["source"], "\n", "\n", *test["source"]]
    notebook["cells"].remove(test)
    return notebook


def answered_in_a_cell_of_its_own(notebook: Notebook) -> Notebook:
    """The second question's answer stands in a new cell above its answer cell, which is left as it was."""
    answer = _answers(notebook)[1]
    own = _own_cell("my-answer", answer["source"])
    notebook["cells"].insert(notebook["cells"].index(answer), own)
    signature = "".join(answer["source"]).partition("\n")[0]
    answer["source"] = [signature + "\n", "    raise NotImplementedError"]
    return notebook


def passed_by_editing_the_test(notebook: Notebook) -> Notebook:
    """The second question's test cell gives away its points."""
    test = _tests(notebook)[1]
    test["source"] = [str(test["metadata"]["nbgrader"]["points"])]
    return notebook


def added_an_endless_cell(notebook: Notebook) -> Notebook:
    """A cell of the student's own, before the second question, that never ends."""
    place = notebook["cells"].index(_answers(notebook)[1])
    loop = ["lives = 3\n", "while lives > 0:\n", "    pass  # the game goes on"]
    notebook["cells"].insert(place, _own_cell("my-game", loop))
    return notebook


def left_an_endless_loop_in_the_answer_cell(notebook: Notebook) -> Notebook:
    """The second question's answer cell defines the function, then loops for ever."""
    _answers(notebook)[1]["source"] += ["\n", "\n", "while True:  # trying it out\n", "    pass"]
    return notebook


def ended_its_own_process(notebook: Notebook) -> Notebook:
    """A cell of the student's own, before the second question, that kills the kernel."""
    place = notebook["cells"].index(_answers(notebook)[1])
    restart = ["import os, signal\n", "os.kill(os.getpid(), signal.SIGKILL)  # restarts the kernel in Colab"]
    notebook["cells"].insert(place, _own_cell("my-restart", restart))
    return notebook


def cut_off_while_uploading(notebook: Notebook) -> bytes:
    """The first half of the file."""
    whole = json.dumps(notebook, indent=1).encode()
    return whole[: len(whole) // 2]


def emptied(notebook: Notebook) -> bytes:
    """A file of no bytes."""
    return b""


def _own_cell(name: str, source: list[str]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def _duplicate(notebook: Notebook, cell: dict[str, Any]) -> Notebook:
    place = notebook["cells"].index(cell) + 1
    notebook["cells"].insert(place, {**copy.deepcopy(cell), "id": "a-copy"})
    return notebook


def _answers(notebook: Notebook) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("solution")]


def _tests(notebook: Notebook) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade")]
