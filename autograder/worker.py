"""What a forked process in the sandbox does: runs a student's cells and answers calls with plain data.

Nothing here is trusted by the grader. Hidden tests are never sent to it: it sees only
cells to run, names to call, and expressions to evaluate.
"""

from __future__ import annotations

import resource
import socket
from typing import Any

from autograder import protocol

_MESSAGE_LENGTH = 500


def serve(fd: int, shell: Any, memory_mib: int) -> None:
    """Serve requests on the socket `fd` until the grader closes it."""
    _limit_resources(memory_mib)
    channel = socket.socket(fileno=fd)
    protocol.send(channel, ["ready"])
    while True:
        try:
            request = protocol.receive(channel, libraries=True)
        except EOFError:
            return
        reply = _answer(shell, request)
        try:
            protocol.send(channel, reply)
        except protocol.NotPlainData as error:
            protocol.send(channel, ["forbidden", str(error)])


def _limit_resources(memory_mib: int) -> None:
    limits = {
        resource.RLIMIT_AS: memory_mib * 2**20,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 256 * 2**20,
        resource.RLIMIT_NOFILE: 256,
        resource.RLIMIT_NPROC: 128,
    }
    for name, value in limits.items():
        resource.setrlimit(name, (value, value))


def notebook_shell() -> Any:
    """The IPython shell that runs cells as a notebook does: magics, `!`, display, await."""
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class NotebookShell(InteractiveShell):
        def enable_gui(self, gui: str | None = None) -> None:
            """`%matplotlib inline` asks for no event loop here: figures are drawn, and shown to nobody."""

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    return NotebookShell.instance(config=config)


def _answer(shell: Any, request: list[Any]) -> list[Any]:
    verb, *arguments = request
    try:
        if verb == "run":
            result = shell.run_cell(*arguments, store_history=False)
            result.raise_error()
            return ["ok", None]
        if verb == "call":
            return ["ok", _call(shell.user_ns, *arguments)]
        return ["ok", _evaluate(shell.user_ns, *arguments)]
    except NotImplementedError:
        return ["missing", "not written yet"]
    except BaseException as error:  # SystemExit and KeyboardInterrupt are the student's as well
        return ["error", type(error).__name__, _text_of(error)]


def _call(namespace: dict[str, Any], name: str, arguments: list[Any], keywords: dict[str, Any]) -> Any:
    if name not in namespace:
        raise NameError(f"name {name!r} is not defined")
    return namespace[name](*arguments, **keywords)


def _evaluate(namespace: dict[str, Any], expression: str, values: dict[str, Any]) -> Any:
    return eval(
        expression, {**namespace, **values}
    )  # the expression is the author's, the names the student's


def _text_of(error: BaseException) -> str:
    try:
        if isinstance(error, SyntaxError):
            return f"{error.msg} (line {error.lineno} of its cell)"
        return str(error)[:_MESSAGE_LENGTH]
    except Exception:
        return "(its message cannot be shown)"
