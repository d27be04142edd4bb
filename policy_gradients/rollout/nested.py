"""Trees: dicts, lists, tuples and named tuples, nested at will, of arrays, tensors or numbers, the leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np


def map(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """The tree with `function(leaf, *leaves of the others in its place)` for each leaf.

    The others have the first one's structure; a dict's order does not matter. Raises ValueError, with what
    was found, where a structure differs.
    """
    if isinstance(tree, dict):
        _require_alike(tree, others, lambda other: isinstance(other, dict) and other.keys() == tree.keys())
        return {key: map(function, tree[key], *(other[key] for other in others)) for key in tree}
    if isinstance(tree, (tuple, list)):
        _require_alike(
            tree, others, lambda other: isinstance(other, (tuple, list)) and len(other) == len(tree)
        )
        parts = [map(function, *parts) for parts in zip(tree, *others, strict=True)]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    _require_alike(tree, others, lambda other: not isinstance(other, (dict, tuple, list)))
    return function(tree, *others)


def leaves(tree: Any) -> Iterator[Any]:
    """The leaves, in the order of the structure."""
    if isinstance(tree, dict):
        tree = tree.values()
    elif not isinstance(tree, (tuple, list)):
        yield tree
        return
    for part in tree:
        yield from leaves(part)


def stack(trees: Sequence[Any]) -> Any:
    """One tree of arrays (N, ...) of N trees of numbers or arrays (...)."""
    return map(lambda *parts: np.stack([as_array(part) for part in parts]), *trees)


def as_array(leaf: Any) -> np.ndarray:
    """A NumPy array of a number, array or tensor; TypeError for what cannot be one."""
    array = leaf.detach().cpu().numpy() if hasattr(leaf, "detach") else np.asarray(leaf)
    if array.dtype == object or array.dtype.kind in "US":
        raise TypeError(
            f"{leaf!r} is no number and no array of numbers. Observations, actions and what an actor says "
            "about them are numbers or arrays, or dicts, lists and tuples of those."
        )
    return array


def write(target: Any, index: Any, source: Any) -> None:
    """target[index] = source, leaf by leaf."""

    def assign(array: np.ndarray, leaf: Any) -> None:
        array[index] = as_array(leaf)

    map(assign, target, source)


def unstack(tree: Any, n: int) -> list[Any]:
    """N trees of a tree of arrays (N, ...); integers become Python's own."""
    if isinstance(tree, np.ndarray) and tree.ndim == 1:
        return tree.tolist()
    return [map(lambda leaf: leaf[i].item() if leaf.ndim == 1 else leaf[i], tree) for i in range(n)]


def _require_alike(tree: Any, others: Sequence[Any], alike: Callable[[Any], bool]) -> None:
    for other in others:
        if not alike(other):
            raise ValueError(f"These two differ in structure: {_shape(tree)} and {_shape(other)}.")


def _shape(tree: Any) -> str:
    if isinstance(tree, dict):
        return "a dict of " + (", ".join(str(key) for key in tree) or "nothing")
    if isinstance(tree, (tuple, list)):
        return f"a {type(tree).__name__} of {len(tree)}"
    return f"a single {type(tree).__name__}"
