"""Attempts to change the judge from within the student's process, which holds no judge."""

import textwrap

from tests.hostile import RIGHT, WRONG, cheat


def patch(name, tries, source, *args, **options):
    """Code that runs before a wrong answer is defined."""
    return cheat(
        name, tries, textwrap.dedent(source).lstrip("\n") + WRONG, *args, **({"anywhere": True} | options)
    )


ENTRIES = [
    patch(
        "AST transformer",
        "An AST transformer of IPython that deletes every assert.",
        """
        import ast
        class NoAsserts(ast.NodeTransformer):
            def visit_Assert(self, node): return ast.Pass()
            def visit_With(self, node): return ast.Pass()
        get_ipython().ast_transformers.append(NoAsserts())
        """,
    ),
    patch(
        "optimised Python",
        "The flag -O, by the environment and by the compiler's own settings.",
        """
        import builtins, os
        os.environ["PYTHONOPTIMIZE"] = "2"
        given = builtins.compile
        builtins.compile = lambda *a, **k: given(*a, **{**k, "optimize": 2})
        """,
    ),
    patch(
        "patched NumPy",
        "NumPy functions that find everything near and finite.",
        """
        for name in ("abs", "isfinite", "allclose", "asarray", "isclose", "array_equal"):
            setattr(np, name, lambda *a, **k: np.ones(3, bool))
        np.testing.assert_allclose = lambda *a, **k: None
        """,
        double=("partial", 1),
    ),
    patch(
        "patched checks",
        "The course's own checks, replaced by ones that always hold.",
        """
        import policy_gradients.checks as checks
        checks.close = checks.numbers = lambda *a, **k: None
        checks.Checks.score = lambda self: 3.0
        checks.Checks.__call__ = checks.Checks.hide = lambda *a, **k: __import__("contextlib").nullcontext()
        close = checks.close
        """,
    ),
    patch(
        "Checks of its own",
        "The names that test cells use, defined by the student.",
        """
        class Checks:
            def __init__(self, *a, **k): pass
            def score(self): return 3.0
        check = Checks()
        close = test_running_sum = lambda *a, **k: True
        """,
    ),
    patch(
        "patched builtins",
        "Builtins that say yes.",
        """
        import builtins
        builtins.isinstance = lambda *a: True
        builtins.all = builtins.any = builtins.callable = lambda *a: True
        builtins.AssertionError = builtins.NameError = ZeroDivisionError
        builtins.abs = builtins.float = lambda *a: 0.0
        """,
        status="error",
        double=("error", 0),
    ),
    patch(
        "patched worker",
        "The worker's functions that answer requests.",
        """
        import sys
        names = ("__main__", "autograder.worker.cells", "autograder.worker.template")
        for module in map(sys.modules.get, names):
            for name in ("_answer", "_call", "_evaluate", "_perform"):
                if module: setattr(module, name, lambda *a: ["ok", [1, 3, 6]])
        """,
        status="partial",
        points=1,
        double=("failed", 0),
    ),
    patch(
        "patched protocol",
        "The worker's side of the protocol: what it sends becomes what the visible check wants.",
        """
        import sys
        protocol = sys.modules["autograder.protocol"]
        given = protocol.encode
        protocol.encode = lambda value, *a: given(["ok", True] if value[0] == "error" else value, *a)
        """,
    ),
    patch(
        "patched msgpack",
        "The serialiser that the protocol uses.",
        """
        import msgpack
        given = msgpack.packb
        msgpack.packb = lambda value, **k: given(["ok", [1, 3, 6]] if isinstance(value, list) else value, **k)
        """,
        status="partial",
        points=1,
        double=("failed", 0),
    ),
    patch(
        "patched socket",
        "A socket class that sends the student's own bytes.",
        """
        import socket
        given = socket.socket.sendall
        socket.socket.sendall = lambda self, data: given(self, data)
        socket.socket.recv = lambda self, n, recv=socket.socket.recv: recv(self, n)
        """,
    ),
    patch(
        "callers' frames",
        "Local names of all callers, rewritten from the call.",
        """
        import ctypes, sys
        def everywhere():
            frame = sys._getframe(1)
            while frame:
                for name in ("score", "reply", "question", "passed", "points"):
                    if name in frame.f_locals:
                        frame.f_locals[name] = ["ok", 3.0]
                        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
                frame = frame.f_back
        """,
    ),
    patch(
        "garbage collector",
        "Every object in memory that could be a check or a score.",
        """
        import gc
        for thing in gc.get_objects():
            if type(thing).__name__ in ("Checks", "Property", "Score", "Student", "Question"):
                thing.__class__ = dict
            if isinstance(thing, dict) and "points" in thing: thing["points"] = 3
        """,
    ),
    patch(
        "tracing",
        "A trace function that changes what functions return.",
        """
        import sys, threading
        def trace(frame, event, argument): return trace
        sys.settrace(trace); sys.setprofile(trace); threading.settrace(trace)
        """,
    ),
    patch(
        "IPython events",
        "Callbacks before and after each cell that set the points.",
        """
        shell = get_ipython()
        for event in ("pre_execute", "post_execute", "pre_run_cell", "post_run_cell"):
            shell.events.register(event, lambda *a: globals().update(score=3.0, points=3))
        """,
    ),
    patch(
        "IPython's exception handler",
        "A custom handler that swallows every exception.",
        """
        get_ipython().set_custom_exc((BaseException,), lambda *a, **k: None)
        get_ipython().showtraceback = lambda *a, **k: None
        """,
    ),
    patch(
        "display hook",
        "A display hook that shows 3.0 as every cell's value.",
        """
        import sys
        sys.displayhook = lambda value: 3.0
        get_ipython().display_formatter.format = lambda *a, **k: ({"text/plain": "3.0"}, {})
        """,
    ),
    patch(
        "import hooks",
        "A finder that puts the student's modules in place of all others.",
        """
        import importlib.abc, sys, types
        class Finder(importlib.abc.MetaPathFinder):
            def find_spec(self, name, path, target=None):
                sys.modules[name] = types.ModuleType(name)
        sys.meta_path.insert(0, Finder())
        sys.modules["policy_gradients.checks"] = sys.modules["autograder"] = types.ModuleType("checks")
        """,
    ),
    patch(
        "modules in the working folder",
        "A numpy.py, a sitecustomize.py, a .pth file and a startup file of IPython, for whoever comes next.",
        """
        import pathlib
        evil = "def cumsum(*a): return 0\\nasarray = cumsum\\n"
        for name in ("numpy.py", "autograder.py", "msgpack.py", "sitecustomize.py", "x.pth"):
            pathlib.Path(name).write_text(evil)
        startup = pathlib.Path.home() / ".ipython" / "profile_default" / "startup"
        startup.mkdir(parents=True, exist_ok=True)
        (startup / "00-evil.py").write_text(evil)
        """,
    ),
    patch(
        "exit handlers and signals",
        "Handlers for the end of the process and for every signal.",
        """
        import atexit, faulthandler, signal
        atexit.register(lambda: print("3.0"))
        faulthandler.cancel_dump_traceback_later()
        for number in signal.valid_signals():
            try: signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError): pass
        """,
    ),
    patch(
        "limits and priority",
        "Wider limits and a higher priority for its own process and its parent.",
        """
        import os, resource
        for attempt in (
            lambda: resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2),
            lambda: resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1)),
            lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), 19),
            lambda: os.nice(-20),
        ):
            try: attempt()
            except (OSError, ValueError): pass
        """,
    ),
    cheat(
        "code surgery",
        "The function's code, constants and defaults, exchanged after its definition.",
        RIGHT + "running_sum.__code__ = (lambda values, start=0.0: [0.0] * len(values)).__code__",
        anywhere=True,
    ),
    patch(
        "patched JAX and torch",
        "Both libraries' conversions and comparisons.",
        """
        import jax, torch
        jax.numpy.asarray = torch.from_numpy = torch.allclose = lambda *a, **k: True
        torch.Tensor.__eq__ = torch.Tensor.detach = lambda self, *a: True
        """,
        seconds=20,
        anywhere=False,
    ),
    patch(
        "runs Python anew",
        "A new interpreter with -O in place of the worker.",
        """
        import os, sys
        os.execv(sys.executable, [sys.executable, "-O", "-c", "while True: pass"])
        """,
        "timeout",
        seconds=1,
    ),
    patch(
        "no builtins",
        "A namespace without builtins.",
        "__builtins__ = {}\nimport builtins\nbuiltins.__dict__.clear()\n",
        "error",
    ),
    patch("%reset", "All names deleted, those of the course too.", "%reset -f\n"),
    patch(
        "own kernel",
        "The kernel object of a notebook server.",
        "get_ipython().kernel = None\nget_ipython().kernel.do_shutdown(True)\n",
        "error",
    ),
    patch(
        "input transformer",
        "A transformer that empties all later cells.",
        """
        get_ipython().input_transformers_cleanup.append(lambda lines: [])
        """,
        double=("error", 0),
    ),
    patch(
        "run_cell",
        "IPython's own function that runs a cell.",
        """
        shell = get_ipython()
        class Result:
            def raise_error(self): pass
        shell.run_cell = type(shell).run_cell = lambda *a, **k: Result()
        """,
        double=("error", 0),
    ),
    patch(
        "user_ns",
        "A namespace that answers every name with the same function.",
        """
        class Everything(dict):
            def __contains__(self, name): return True
            def __getitem__(self, name): return lambda *a, **k: [1, 3, 6]
        get_ipython().user_ns = Everything(get_ipython().user_ns)
        """,
        "partial",
        1,
        double=("partial", 1),
    ),
]
