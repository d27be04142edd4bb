"""Plain data between grader and worker: what may cross, and how it is checked.

Values are msgpack. Beyond msgpack's own types there are tuples, integers of any size,
arrays (library, dtype, shape, raw bytes), and handles: numbers that stand for objects of the
student's own classes, which never leave the worker. Nothing is ever unpickled or evaluated
while decoding, and size, depth, number of items, dtypes and shapes are checked.
"""

from __future__ import annotations

import collections
import functools
import math
import socket
import struct
import sys
import time
from collections.abc import Callable
from typing import Any

import msgpack
import numpy as np

MAX_MESSAGE = 16 * 2**20
MAX_DEPTH = 32
MAX_ITEMS = 2**20  # of lists, tuples and dicts in a message: a byte on the wire is up to 72 in memory
MAX_KEYS = 2**10  # of one dict: keys may be chosen to collide, which costs time by the square of their number

_TUPLE, _BIG_INTEGER, _ARRAY, _HANDLE = 1, 2, 3, 4
_DTYPES = {f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)}
_DTYPES |= {"bool", "float16", "float32", "float64", "complex64", "complex128"}
_LENGTH = struct.Struct(">I")


class NotPlainData(ValueError):
    """A value that cannot be sent: not plain data, too deep or too large."""


class MalformedMessage(ValueError):
    """Bytes that are not a message of this protocol."""


class Handle:
    """Stands for an object that the worker keeps under this number."""

    def __init__(self, number: int) -> None:
        self.handle_number = number


class Array(np.ndarray):
    """An array from the worker; `origin` says what it was there: "numpy", "jax" or "torch"."""

    origin = "numpy"


def encode(value: Any, keep: Callable[[Any], Handle] | None = None) -> bytes:
    """`value` as bytes.

    Scalars, str, bytes, list, tuple, dict, deque, range, handles, and whatever NumPy can view as an
    array of numbers (NumPy, JAX and torch arrays and scalars). For any other object `keep` may give a
    handle. Raises NotPlainData otherwise.
    """
    try:
        data = msgpack.packb(value, default=functools.partial(_extend, keep), strict_types=True)
    except NotPlainData:
        raise
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise NotPlainData(f"It returned something that is not plain data ({error}).") from None
    _check_size(len(data))
    return data


def _check_size(size: int) -> None:
    if size > MAX_MESSAGE:
        raise NotPlainData(f"It returned {size / 2**20:.0f} MiB; at most {MAX_MESSAGE // 2**20} are allowed.")


def _extend(keep: Callable[[Any], Handle] | None, value: Any) -> Any:
    if isinstance(value, Handle):
        return msgpack.ExtType(_HANDLE, _LENGTH.pack(value.handle_number))
    if isinstance(value, tuple):
        return msgpack.ExtType(_TUPLE, encode(list(value), keep))
    if isinstance(value, bool | int):
        return msgpack.ExtType(_BIG_INTEGER, str(int(value)).encode())
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, list | collections.deque | range):
        return list(value)
    if hasattr(value, "__array__") or hasattr(value, "detach"):
        return _encode_array(value)
    if keep is not None:
        return _extend(None, keep(value))
    raise NotPlainData(f"It returned a {type(value).__name__}, which is not plain data.")


def _encode_array(value: Any) -> Any:
    library = type(value).__module__.partition(".")[0]
    if library == "torch":
        value = value.detach().cpu()
    array = np.asarray(value)
    if array.dtype == object:
        return array.tolist()
    if array.dtype.name == "bfloat16":
        array = array.astype(np.float32)
    if array.dtype.name not in _DTYPES:
        raise NotPlainData(f"It returned an array of {array.dtype}, which are not numbers.")
    _check_size(array.nbytes)  # before it is copied
    library = {"jaxlib": "jax", "jax": "jax", "torch": "torch"}.get(library, "numpy")
    if isinstance(value, Array):
        library = value.origin  # it goes back as what it came
    parts = [library, array.dtype.name, list(array.shape), np.ascontiguousarray(array).tobytes()]
    return msgpack.ExtType(_ARRAY, msgpack.packb(parts))


def decode(data: bytes, *, libraries: bool = False, held: Callable[[int], Any] = Handle) -> Any:
    """The value in `data`; raises MalformedMessage.

    libraries: rebuild JAX arrays and torch tensors as such (in the worker); otherwise every array
    comes back as an `Array` (in the grader, which need not have the libraries); held: from the
    number of a handle to what stands in its place, KeyError if there is no such handle.
    """
    if len(data) > MAX_MESSAGE:
        raise MalformedMessage("message too large")
    return _decode(data, libraries, held, MAX_DEPTH, _Budget())


class _Budget:
    """Counts what a message builds in memory."""

    def __init__(self) -> None:
        self._left = MAX_ITEMS

    def spend(self, container: Any) -> Any:
        self._left -= 1 + len(container)
        if self._left < 0:
            raise MalformedMessage("too many items")
        return container


def _decode(data: bytes, libraries: bool, held: Callable[[int], Any], depth: int, budget: _Budget) -> Any:
    if depth == 0:
        raise MalformedMessage("nested too deeply")

    def extension(code: int, body: bytes) -> Any:
        if code == _TUPLE:
            items = _decode(body, libraries, held, depth - 1, budget)
            if not isinstance(items, list):
                raise MalformedMessage("a tuple that is not a list of items")
            return tuple(items)
        if code == _BIG_INTEGER:
            return _decode_integer(body)
        if code == _ARRAY:
            return _decode_array(body, libraries)
        if code == _HANDLE:
            return held(*_LENGTH.unpack(body))
        raise MalformedMessage(f"unknown extension {code}")

    try:
        value = msgpack.unpackb(
            data,
            ext_hook=extension,
            list_hook=budget.spend,
            object_hook=budget.spend,
            max_array_len=MAX_ITEMS,
            max_map_len=MAX_KEYS,
            strict_map_key=False,
        )
    except MalformedMessage:
        raise
    except Exception as error:
        raise MalformedMessage(str(error)) from None
    _check_plain(value, depth)
    return value


def _check_plain(value: Any, depth: int) -> None:
    if depth == 0:
        raise MalformedMessage("nested too deeply")
    if isinstance(value, msgpack.Timestamp):
        raise MalformedMessage("a timestamp")
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list | tuple):
        for item in value:
            _check_plain(item, depth - 1)


def _decode_integer(body: bytes) -> int:
    text = body.decode("ascii")
    if len(text) > 1000 or not text.removeprefix("-").isdigit():
        raise MalformedMessage("not an integer")
    return int(text)


def _decode_array(body: bytes, libraries: bool) -> Any:
    library, dtype, shape, raw = msgpack.unpackb(body)
    if dtype not in _DTYPES:
        raise MalformedMessage(f"dtype {dtype!r}")
    if len(shape) > 16 or any(type(size) is not int or size < 0 for size in shape):
        raise MalformedMessage("not a shape")
    if math.prod(shape) * np.dtype(dtype).itemsize != len(raw):
        raise MalformedMessage("shape and size differ")
    if math.prod(max(size, 1) for size in shape) > MAX_MESSAGE:  # a loop over an empty array's rows must end
        raise MalformedMessage("not a shape")
    if dtype == "bool" and raw.translate(None, b"\0\1"):
        raise MalformedMessage("neither true nor false")
    array = np.frombuffer(raw, dtype=dtype).reshape(shape).copy()
    if library not in ("numpy", "jax", "torch"):
        raise MalformedMessage("not a library")
    if not libraries:
        array = array.view(Array)
        array.origin = library
        return array
    if library == "numpy":
        return array[()] if array.shape == () else array
    if library == "jax":
        import jax.numpy as jnp

        return jnp.asarray(array)
    import torch

    return torch.from_numpy(array)


def send(
    channel: socket.socket,
    value: Any,
    seconds: float | None = None,
    keep: Callable[[Any], Handle] | None = None,
) -> None:
    """Write one message, waiting for at most `seconds` for the other side to read; `keep` as in `encode`.

    Raises NotPlainData before anything is written, or OSError (TimeoutError is one).
    """
    data = encode(value, keep)
    channel.settimeout(seconds)
    channel.sendall(_LENGTH.pack(len(data)) + data)


def receive(
    channel: socket.socket,
    seconds: float | None = None,
    *,
    libraries: bool = False,
    held: Callable[[int], Any] = Handle,
) -> Any:
    """Read one message, waiting for at most `seconds` in all; `libraries` and `held` as in `decode`.

    Raises TimeoutError, EOFError when the other side is gone, or MalformedMessage.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    (length,) = _LENGTH.unpack(_read(channel, _LENGTH.size, deadline))
    if length > MAX_MESSAGE:
        raise MalformedMessage("message too large")
    return decode(_read(channel, length, deadline), libraries=libraries, held=held)


def _read(channel: socket.socket, size: int, deadline: float | None) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        channel.settimeout(None if deadline is None else max(deadline - time.monotonic(), 1e-3))
        part = channel.recv(min(size - len(parts), 2**20))
        if not part:
            raise EOFError("the other side closed the channel")
        parts += part
    return bytes(parts)


if sys.byteorder != "little":  # raw bytes of arrays are sent as they lie in memory
    raise ImportError("the protocol assumes a little-endian machine")
