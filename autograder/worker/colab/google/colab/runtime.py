"""The runtime is the worker, which the grader ends."""


def unassign() -> None:
    """Do nothing."""
