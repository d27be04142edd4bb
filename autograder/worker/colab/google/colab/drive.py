"""A drive with nothing on it."""

import contextlib
import os
import pathlib


def mount(
    mountpoint: str, force_remount: bool = False, timeout_ms: int = 120_000, readonly: bool = False
) -> None:
    """Make the empty folder MyDrive at `mountpoint`, where the worker has a folder /content of its own."""
    top = os.path.join("", *pathlib.Path(mountpoint).parts[:2])
    if os.path.isdir(top):  # without isolation a folder of the machine's would be made
        with contextlib.suppress(OSError):
            os.makedirs(os.path.join(mountpoint, "MyDrive"), exist_ok=True)
    print(f"Mounted at {mountpoint}")


def flush_and_unmount(timeout_ms: int = 24 * 60 * 60 * 1000) -> None:
    """Do nothing: what was written stays until the worker ends."""
