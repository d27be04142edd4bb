"""A drive with nothing on it."""

import contextlib
import os


def mount(
    mountpoint: str, force_remount: bool = False, timeout_ms: int = 120_000, readonly: bool = False
) -> None:
    """Make the empty folder MyDrive at `mountpoint`, where the worker may write there."""
    with contextlib.suppress(OSError):
        os.makedirs(os.path.join(mountpoint, "MyDrive"), exist_ok=True)
    print(f"Mounted at {mountpoint}")


def flush_and_unmount(timeout_ms: int = 24 * 60 * 60 * 1000) -> None:
    """Do nothing: what was written stays until the worker ends."""
