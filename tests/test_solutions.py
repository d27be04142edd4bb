"""Every solved notebook runs from its first cell to its last, in quick mode: few seeds, short training."""

from __future__ import annotations

import os

import nbformat
import pytest
from nbclient import NotebookClient

from autograder.master import Master, names
from autograder.release import solution_notebook

CELL_SECONDS = 900  # so that a loaded machine does not matter; the slowest takes a fraction of it


@pytest.mark.parametrize("name", names())
def test_the_solution_trains_in_quick_mode(name, tmp_path):
    notebook = solution_notebook(Master.read(name))
    client = NotebookClient(notebook, timeout=CELL_SECONDS, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(env={**os.environ, "POLICY_GRADIENTS_QUICK": "1"})
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    trained = [cell for cell in code if "training" in cell.metadata.get("tags", [])]
    shown = [output for cell in trained for output in cell.outputs if "data" in output]
    assert trained and any("image/png" in output.data for output in shown), "no figure of the training"
    assert nbformat.validate(notebook) is None
