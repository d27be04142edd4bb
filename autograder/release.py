"""Release: from a master to the student's notebook, the solved notebook and nbgrader's source."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from autograder.master import (
    DATA,
    SETUP,
    InvalidMaster,
    Master,
    is_answer,
    is_written,
    nbgrader_config,
    repository_url,
)

import nbformat  # isort: skip  (master.py makes this import fast)
from nbformat import NotebookNode

ROOT = Path(__file__).parents[1]
_SOLUTION_MARKER = re.compile(r"^ *### (BEGIN|END) SOLUTION\n?", re.MULTILINE)
_CELL_TIMEOUT = 3600  # seconds: solutions train their agents in full
_QUIET = {"TQDM_DISABLE": "1", "SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
_LANGUAGE = {
    "name": "python",
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "pygments_lexer": "ipython3",
}
_SCRUBBED = [
    (re.compile(r"\S{0,100}/ipykernel_\d+/\d+\.py"), "<cell>"),
    (re.compile(r"(?<= at )0x[0-9a-f]+"), "0x..."),
    (re.compile(re.escape(str(ROOT))), "."),
    (re.compile(re.escape(str(Path.home())) + r"(?=/)"), "~"),
]


def assignment_path(name: str, root: Path = ROOT) -> Path:
    """The notebook that students open."""
    return root / "assignments" / name / f"{name}.ipynb"


def solution_path(name: str, root: Path = ROOT) -> Path:
    """The solved notebook, with the outputs of its training."""
    return root / "solutions" / f"{name}.ipynb"


def source_path(name: str, root: Path = ROOT) -> Path:
    """The notebook that nbgrader starts from; it holds everything and is never committed."""
    return root / "autograder" / "source" / name / f"{name}.ipynb"


def write(
    name: str, root: Path = ROOT, *, train: bool = False, say: Callable[[str], None] = lambda _: None
) -> list[Path]:
    """Write the three notebooks of a master, and return the paths of those that changed.

    The master is judged first, see `autograder.trial`; `say` gets what its author should know. The solved
    notebook is executed, with its training, when its code has changed, or to `train` again.
    Raises UnknownAssignment, or InvalidMaster, also when a cell of the solved notebook stops.
    """
    from autograder import trial  # slow to import: the grader

    master = _checked(name)
    trial.judge(master, say)
    notebooks = {
        assignment_path(name, root): assignment_notebook(master),
        source_path(name, root): source_notebook(master),
        solution_path(name, root): (
            _executed(solution_notebook(master), name, master.data)
            if train
            else _with_outputs(solution_notebook(master), solution_path(name, root), master.data)
        ),
    }
    written = [path for path, notebook in notebooks.items() if write_notebook(path, notebook)]
    return written + [
        path for folder in _data_folders(name, root) for path in _write_data(folder, master.data)
    ]


def drift(name: str, root: Path = ROOT) -> list[str]:
    """How the derived notebooks differ from what the master gives: one sentence each; executes nothing."""
    master = _checked(name)
    remedy = f"run `autograder release {name}`."
    messages = []
    assignment, source, solution = (
        assignment_path(name, root),
        source_path(name, root),
        solution_path(name, root),
    )
    if _read_text(assignment) != _text(assignment_notebook(master)):
        messages.append(f"{_shown(assignment, root)} is {_fault(assignment)}: {remedy}")
    if source.exists() and _read_text(source) != _text(source_notebook(master)):
        messages.append(f"{_shown(source, root)} is {_fault(source)}: {remedy}")
    for folder in _data_folders(name, root):
        if folder.parent.exists() and _read_data(folder) != master.data:
            messages.append(f"{_shown(folder, root)} does not hold the master's data files: {remedy}")
    if not _is_current(_read(solution), solution_notebook(master)):
        messages.append(f"{_shown(solution, root)} is {_fault(solution)}: {remedy} It may train for minutes.")
    return messages


def _data_folders(name: str, root: Path) -> list[Path]:
    """Where an assignment's data files stand beside its notebooks."""
    return [path(name, root).with_name(DATA) for path in (assignment_path, source_path)]


def _read_data(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*") if path.is_file()}


def _write_data(folder: Path, data: dict[str, bytes]) -> list[Path]:
    """Let `folder` hold these files and no others, and return the paths of those that changed."""
    there = _read_data(folder)
    for name in there.keys() - data.keys():
        (folder / name).unlink()
    changed = [folder / name for name, content in data.items() if there.get(name) != content]
    for path in changed:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data[path.name])
    if not data and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    return changed


def assignment_notebook(master: Master) -> NotebookNode:
    """The student's notebook: as nbgrader's generate_assignment makes it."""
    from nbgrader.preprocessors import (
        CheckCellMetadata,
        ClearHiddenTests,
        ClearOutput,
        ClearSolutions,
        ComputeChecksums,
        LockCells,
    )

    steps = [LockCells, ClearSolutions, ClearOutput, ClearHiddenTests, ComputeChecksums, CheckCellMetadata]
    return _preprocessed(source_notebook(master), steps)


def solved_submission(master: Master) -> NotebookNode:
    """What a student hands in who wrote the author's solutions and model answers into the notebook."""
    notebook = assignment_notebook(master)
    solved = {cell.id: cell.source for cell in solution_notebook(master).cells}
    for cell in notebook.cells:
        if is_answer(cell) or is_written(cell):
            cell.source = solved[cell.id]
    return notebook


def solution_notebook(master: Master) -> NotebookNode:
    """The solved notebook without hidden tests, not executed; it carries the master's digest."""
    from nbgrader.preprocessors import ClearHiddenTests

    notebook = _preprocessed(source_notebook(master), [ClearHiddenTests])
    for cell in notebook.cells:
        if "### BEGIN SOLUTION" in cell.source:
            cell.source = _SOLUTION_MARKER.sub("", cell.source).rstrip("\n")
        cell.metadata.pop("nbgrader", None)
    code = _code_sha256(notebook, master)
    notebook.metadata["policy_gradients"] = {"master_sha256": master.sha256, "code_sha256": code}
    return notebook


def source_notebook(master: Master) -> NotebookNode:
    """nbgrader's source notebook: everything, hidden tests included."""
    notebook = copy.deepcopy(master.notebook)
    notebook.metadata = nbformat.from_dict({"kernelspec": _KERNEL, "language_info": _LANGUAGE})
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def _checked(name: str) -> Master:
    master = Master.read(name)
    master.check()
    return master


def _preprocessed(notebook: NotebookNode, steps: list[type]) -> NotebookNode:
    for step in steps:
        notebook, _ = step(config=nbgrader_config()).preprocess(notebook, {})
    return notebook


def _code_sha256(notebook: NotebookNode, master: Master) -> str:
    """Digest of the code and the data that the outputs come from.

    Two things do not count, so that they change without another training: the repository's address, and the
    setup cell, which does nothing outside of Colab and so nothing where solutions are executed.
    """
    cells = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.id != SETUP]
    code = "\0".join(cell.source.replace(repository_url(), "") for cell in cells).encode()
    return hashlib.sha256(b"\0".join([code, *master.data.values()])).hexdigest()


def _is_current(old: NotebookNode | None, new: NotebookNode) -> bool:
    return (
        old is not None and old.metadata == new.metadata and _cells(old) == _cells(new) and _is_executed(old)
    )


def _cells(notebook: NotebookNode) -> list[tuple]:
    return [(cell.id, cell.cell_type, cell.source, cell.metadata) for cell in notebook.cells]


def _is_executed(notebook: NotebookNode) -> bool:
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return all(cell.execution_count == place for place, cell in enumerate(code, start=1))


def _with_outputs(new: NotebookNode, path: Path, data: dict[str, bytes]) -> NotebookNode:
    """`new` with the outputs of the committed notebook when they come from the same code, else executed."""
    old = _read(path)
    digest = new.metadata.policy_gradients.code_sha256
    if (
        old is None
        or old.metadata.get("policy_gradients", {}).get("code_sha256") != digest
        or not _is_executed(old)
    ):
        return _executed(new, path.stem, data)
    executed = iter([cell for cell in old.cells if cell.cell_type == "code"])
    for cell in new.cells:
        if cell.cell_type == "code":
            previous = next(executed)
            cell.outputs, cell.execution_count = previous.outputs, previous.execution_count
    return new


def _executed(notebook: NotebookNode, name: str, data: dict[str, bytes]) -> NotebookNode:
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from tqdm import tqdm

    code_cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    metadata = copy.deepcopy(notebook.metadata)
    with (
        tempfile.TemporaryDirectory() as folder,
        tqdm(total=code_cells, desc=f"solving {name}", unit="cell") as bar,
    ):
        _write_data(Path(folder, DATA), data)
        client = NotebookClient(
            notebook,
            timeout=_CELL_TIMEOUT,
            kernel_name="python3",
            extra_arguments=nbgrader_config().Execute.extra_arguments,
            resources={"metadata": {"path": folder}},
            record_timing=False,
            store_widget_state=False,
            coalesce_streams=True,
            on_cell_executed=lambda **_: bar.update(),
        )
        try:
            client.execute(env={**os.environ, **_QUIET})
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            raise InvalidMaster(
                f"The master {name!r} cannot be released: its solved notebook stops.\n{error}"
            ) from None
        _scrub(notebook, folder)
    notebook.metadata = metadata
    return notebook


def _scrub(notebook: NotebookNode, folder: str) -> None:
    """Take out of the outputs what is noise or differs from machine to machine."""
    rules = [(re.compile(re.escape(folder)), "."), *_SCRUBBED]
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs = [_scrubbed(output, rules) for output in cell.outputs if not _is_noise(output)]


def _is_noise(output: NotebookNode) -> bool:
    if output.output_type == "stream":
        return output.name == "stderr"
    return "application/vnd.jupyter.widget-view+json" in output.get("data", {})


def _scrubbed(output: NotebookNode, rules: list[tuple[re.Pattern, str]]) -> NotebookNode:
    texts = output if output.output_type == "stream" else output.get("data", {})
    for key in ("text", "text/plain", "text/html", "text/markdown"):
        if isinstance(texts.get(key), str):
            for pattern, replacement in rules:
                texts[key] = pattern.sub(replacement, texts[key])
    return output


def _text(notebook: NotebookNode) -> str:
    nbformat.validate(notebook)
    return nbformat.writes(notebook, sort_keys=True) + "\n"


def _read(path: Path) -> NotebookNode | None:
    """The notebook at `path`, or None where there is none that can be read."""
    with contextlib.suppress(OSError, ValueError, nbformat.ValidationError):
        return nbformat.read(path, as_version=4)
    return None


def _read_text(path: Path) -> str | None:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return path.read_text(encoding="utf-8")
    return None


def _shown(path: Path, root: Path) -> str:
    return str(path.relative_to(root))


def _fault(path: Path) -> str:
    return "not what its master gives" if path.exists() else "missing"


def write_notebook(path: Path, notebook: NotebookNode) -> bool:
    """Write a notebook, whole or not at all, if it is not what stands there; whether it was written."""
    text = _text(notebook)
    if _read_text(path) == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    beside.write_text(text, encoding="utf-8")
    os.replace(beside, path)
    return True
