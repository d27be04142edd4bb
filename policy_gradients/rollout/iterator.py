"""The iterator that all collectors return."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable, Generator, Iterator

from policy_gradients.rollout.fragment import Fragment


class Rollout(Iterator[Fragment]):
    """Fragments without end. To be closed, or used in a `with` block; what is not, is closed when it is
    forgotten, or when Python exits. After an error it is closed already."""

    def __init__(self, generator: Generator[Fragment | None]) -> None:
        self._generator = generator
        self._close = weakref.finalize(self, generator.close)
        next(generator)  # up to where everything has been started, so that errors are raised here

    def __next__(self) -> Fragment:
        return next(self._generator)

    def close(self) -> None:
        """End the iteration, the workers and, if so chosen, the environments. A second call does nothing."""
        self._close()

    def __enter__(self) -> Rollout:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def as_rollout(function: Callable[..., Generator[Fragment | None]]) -> Callable[..., Rollout]:
    """Make a generator function, which yields None once it is prepared, return a `Rollout`."""

    @functools.wraps(function)
    def prepared(*args: object, **options: object) -> Rollout:
        return Rollout(function(*args, **options))

    return prepared
