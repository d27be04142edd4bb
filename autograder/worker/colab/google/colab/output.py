"""There is no browser."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any


def clear(wait: bool = False, output_tags: object = ()) -> None:
    """Do nothing."""


def eval_js(script: str, ignore_result: bool = False, timeout_sec: float | None = None) -> None:
    """Do nothing: there is no browser to run the script."""


def register_callback(function_name: str, callback: Callable[..., Any]) -> None:
    """Do nothing: nothing calls back."""


def enable_custom_widget_manager() -> None:
    """Do nothing."""


def disable_custom_widget_manager() -> None:
    """Do nothing."""


def no_vertical_scroll() -> None:
    """Do nothing."""


def serve_kernel_port_as_iframe(port: int, path: str = "/", width: str = "100%", height: str = "400") -> None:
    """Do nothing."""


def serve_kernel_port_as_window(port: int, path: str = "/", anchor_text: str = "") -> None:
    """Do nothing."""


@contextlib.contextmanager
def use_tags(tags: object, append: bool = True) -> Iterator[None]:
    """Run the block as it is."""
    yield


@contextlib.contextmanager
def redirect_to_element(element: object) -> Iterator[None]:
    """Run the block as it is."""
    yield
