"""What a forked process in the sandbox does: runs a student's cells and answers calls with plain data.

Nothing here is trusted by the grader. Hidden tests are never sent to it: it sees only
cells to run, names to call, and expressions to evaluate.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import select
import socket
import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder import protocol

_MESSAGE_LENGTH = 500
_OUTPUT_LENGTH = 5_000
_TRACEBACK_LENGTH = 5_000
_CELLS = ("<cell ", "<ipython-input-")  # how the files of tracebacks begin that are cells
_MAX_OBJECTS = 10_000
_POLL_SECONDS = 0.02
_STAND_IN = Path(__file__).parent / "colab"  # the folder of Colab's own package


def serve(fd: int, shell: Any) -> None:
    """Serve requests on the socket `fd` until the grader closes it."""
    channel = socket.socket(fileno=fd)
    protocol.send(channel, ["ready"])
    output, objects = _Output(), _Objects()
    sys.path.insert(0, "")  # wherever `%cd` leads, as in Jupyter
    own_pid = os.getpid()
    while True:
        try:
            request = protocol.receive(channel, libraries=True, held=objects.__getitem__)
        except EOFError:
            return
        reply = _answer(shell, output, request)
        if os.getpid() != own_pid:
            os._exit(0)  # a process that the student's code forked, and that came back here
        try:
            protocol.send(channel, reply, keep=objects.keep)
        except protocol.NotPlainData as error:
            protocol.send(channel, ["forbidden", str(error)])


def notebook_shell() -> Any:
    """The IPython shell that runs cells as a notebook does: magics, `!`, display, await, `google.colab`."""
    from IPython.core.compilerop import CachingCompiler
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class NumberedCells(CachingCompiler):
        """Tracebacks call a cell by its number in the notebook."""

        cell = 0

        def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:
            if self.cell:
                return f"<cell {self.cell}>"
            return super().get_code_name(raw_code, transformed_code, number)

    class NotebookShell(InteractiveShell):
        compiler_class = NumberedCells

        failure: BaseException | None = None  # of the last cell, or of one that it ran in turn

        def run_cell(self, *arguments: Any, **keywords: Any) -> Any:
            """As usual, and keep what goes wrong, also where `%%capture` is silent about it."""
            result = super().run_cell(*arguments, **keywords)
            self.failure = result.error_before_exec or result.error_in_exec or self.failure
            return result

        def enable_gui(self, gui: str | None = None) -> None:
            """No event loop is wanted here."""

        def enable_matplotlib(self, gui: str | None = None) -> tuple[str | None, str]:
            """`%matplotlib ...` changes nothing: figures are drawn, and shown to nobody."""
            return gui, "agg"

        def ask_exit(self) -> None:
            """`exit` ends a notebook's session, and the cells below it are run in the next one."""

        def system(self, command: str) -> None:
            """`!command`, without the terminal that a sandbox may not have."""
            given = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
            with subprocess.Popen(self.var_expand(command, depth=1), shell=True, **given) as process:
                for part in _until_it_ends(process):
                    print(part.decode(errors="replace"), end="")
            self.user_ns["_exit_code"] = process.returncode

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.xmode = "Plain"  # the others read source files, for a tenth of a second
    shell = NotebookShell.instance(config=config)
    shell.db = {}  # the folders that `%cd` has seen: else in a file that a worker may not write
    shell.magics_manager.register_alias("shell", "bash", "cell")  # as in Colab
    sys.path.append(str(_STAND_IN))
    return shell


def _until_it_ends(process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """What it prints; `command &` may hold the other end of the pipe for longer, as servers do."""
    output = process.stdout.fileno()
    while True:
        ended = process.poll() is not None
        if select.select([output], [], [], 0 if ended else _POLL_SECONDS)[0]:
            if not (part := os.read(output, 2**16)):
                return
            yield part
        elif ended:
            return


def write_data(folder: Path, files: dict[str, bytes]) -> None:
    """Write data files, for reading only, into the folder `data` of `folder`."""
    place = folder / "data"
    place.mkdir(exist_ok=True)
    for name, content in files.items():
        (place / name).unlink(missing_ok=True)  # without isolation, of the notebook before this one
        handle = os.open(place / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
        with os.fdopen(handle, "wb") as file:
            file.write(content)


class _Output(io.TextIOBase):
    """Takes what cells print, and keeps its beginning."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text[: max(0, _OUTPUT_LENGTH - len(self.text))]
        return len(text)


class _Objects(list):
    """Objects of the student's own classes, of which the grader knows the numbers only."""

    def keep(self, value: Any) -> protocol.Handle:
        if type(value).__module__ != "__main__" or len(self) == _MAX_OBJECTS:
            raise protocol.NotPlainData(f"It returned a {type(value).__name__}, which is not plain data.")
        self.append(value)
        return protocol.Handle(len(self) - 1)


def _answer(shell: Any, output: _Output, request: list[Any]) -> list[Any]:
    verb, *arguments = request
    traced = verb == "traced"
    if traced:
        verb, *arguments = arguments
    try:
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            return ["ok", _perform(shell, output, verb, *arguments)]
    except NotImplementedError as error:
        return ["missing", "not written yet", *([_traceback(error)] if traced else [])]
    except BaseException as error:  # SystemExit and KeyboardInterrupt are the student's as well
        return ["error", type(error).__name__, _text_of(error), *([_traceback(error)] if traced else [])]


def _perform(shell: Any, output: _Output, verb: str, *arguments: Any) -> Any:
    if verb == "run":
        output.text = ""
        source, shell.compile.cell = arguments
        shell.failure = None
        shell.run_cell(source, store_history=False)
        if shell.failure is not None:
            raise shell.failure
        return None
    if verb == "data":
        return write_data(Path(), *arguments)
    if verb == "output":
        return output.text
    if verb == "method":
        return _method(*arguments)
    if verb == "value":
        return _value(shell.user_ns, *arguments)
    if verb == "attribute":
        return _attribute(shell.user_ns, *arguments)
    if verb == "set":
        return setattr(*arguments)
    if verb == "undefined":
        return [name for name in arguments[0] if name not in shell.user_ns]
    return _call(shell.user_ns, *arguments) if verb == "call" else _evaluate(shell.user_ns, *arguments)


def _call(namespace: dict[str, Any], name: str, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    return _found(namespace, name)(*arguments, **keywords)


def _found(namespace: dict[str, Any], name: str) -> Any:
    """What a name stands for, also one with dots."""
    first, *attributes = name.split(".")
    if first not in namespace:
        raise NameError(f"name {first!r} is not defined")
    return functools.reduce(getattr, attributes, namespace[first])


def _value(namespace: dict[str, Any], name: str) -> Any:
    value = _plain(_found(namespace, name))
    if _is_blank(value):
        raise NotImplementedError
    return value


def _plain(value: Any) -> Any:
    """The value with None for each `...` that stands where nothing is filled in yet."""
    if type(value) in (list, tuple):
        return type(value)(map(_plain, value))
    if type(value) is dict:
        return {key: _plain(item) for key, item in value.items()}
    return None if value is ... else value


def _is_blank(value: Any) -> bool:
    """Whether nothing is filled in."""
    if type(value) is dict:
        value = list(value.values())
    return all(map(_is_blank, value)) if type(value) in (list, tuple) and value else value is None


def _attribute(namespace: dict[str, Any], owner: Any, name: str) -> tuple[bool, Any]:
    """Whether an attribute of an object, or of the class of a name, is to be called, and else its value."""
    value = getattr(_found(namespace, owner) if isinstance(owner, str) else owner, name)
    own = type(value).__module__ == "__main__"
    is_called = callable(value) and not own and not hasattr(value, "__array__")
    return [is_called, None if is_called else value]


def _method(owner: Any, name: str, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    return getattr(owner, name)(*arguments, **keywords)


def _evaluate(namespace: dict[str, Any], expression: str, values: dict[str, Any]) -> Any:
    return eval(expression, {**namespace, **values})  # the author's expression among the student's names


def _traceback(error: BaseException) -> str:
    """The lines of the notebook through which `error` came, and what it says."""
    try:
        frames = traceback.extract_tb(error.__traceback__)
        frames = [item for item in frames if item.filename.startswith(_CELLS)]
        lines = [*traceback.format_list(frames), *traceback.format_exception_only(error)]
        return "".join(lines)[-_TRACEBACK_LENGTH:]
    except Exception:
        return "(its traceback cannot be shown)"


def _text_of(error: BaseException) -> str:
    try:
        if isinstance(error, SyntaxError):
            return f"{error.msg} (line {error.lineno} of its cell)"
        return str(error)[:_MESSAGE_LENGTH]
    except Exception:
        return "(its message cannot be shown)"
