"""Runs a notebook where Colab's packages are: `python colab/check.py NOTEBOOK`; exits with 1 if a cell fails.

A chapter must run to its end. An assignment runs as students get it, without answers: a cell may stop with
the NotImplementedError of an answer, and of the training, which needs them all, only the imports are run.
"""

import ast
import importlib.util
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

SECONDS = 1_200  # for one cell
UNANSWERED = "NotImplementedError"
TRAINING = "training"  # the tag of the cells that train
# The kernel that Colab itself starts: the setup cell looks for it.
COLABS_KERNEL = "--IPKernelApp.kernel_class=google.colab._kernel.Kernel"
READY = "Ready: "  # what the setup cell ends with


def main(path: Path) -> int:
    """Run the notebook in an empty folder, and print each cell that failed: 1 if there is one, else 0."""
    notebook = nbformat.read(path, as_version=4)
    in_colab = _has("google.colab")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in code:
        if TRAINING in cell.metadata.get("tags", ()):
            cell.source = _imports(cell.source)
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook,
            timeout=SECONDS,
            kernel_name="python3",
            allow_errors=True,
            extra_arguments=[COLABS_KERNEL] if in_colab else [],
            resources={"metadata": {"path": folder}},
        )
        client.execute()
    failures = [text for number, cell in enumerate(code, start=1) for text in _failures(number, cell)]
    if in_colab and READY not in _printed(code[0]):
        failures.append(f"The setup cell did not say that it is done. It printed:\n{_printed(code[0])}")
    print(*failures, f"{path.name}: {len(failures) or 'nothing'} failed", sep="\n")
    return int(bool(failures))


def _has(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # of the package around it
        return False


def _imports(source: str) -> str:
    """The import statements of a cell, without what depends on anything."""
    statements = ast.parse(source).body
    found = [each for each in statements if isinstance(each, ast.Import | ast.ImportFrom)]
    return "\n".join(map(ast.unparse, found))


def _failures(number: int, cell: nbformat.NotebookNode) -> list[str]:
    return [
        f"Code cell {number} stopped with {output.ename}: {output.evalue}\n{cell.source}\n"
        for output in cell.outputs
        if output.output_type == "error" and output.ename != UNANSWERED
    ]


def _printed(cell: nbformat.NotebookNode) -> str:
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
