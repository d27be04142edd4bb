"""What crosses between grader and worker: plain data comes back equal, everything else is refused."""

import collections
import contextlib
import socket

import jax.numpy as jnp
import msgpack
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder import protocol

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
PLAIN = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text() | st.integers(), inner)
    ),
    max_leaves=20,
)
ARRAYS = hnp.arrays(
    st.sampled_from(["bool", "int8", "uint32", "int64", "float16", "float32", "float64"]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0),
)


@given(PLAIN)
def test_plain_data_comes_back_equal_and_of_the_same_type(value):
    received = protocol.decode(protocol.encode(value))
    assert repr(received) == repr(value)


@given(ARRAYS)
def test_arrays_come_back_bit_for_bit(array):
    received = np.asarray(protocol.decode(protocol.encode(array)))
    assert received.dtype == array.dtype
    assert received.shape == array.shape
    assert received.tobytes() == array.tobytes()


@pytest.mark.parametrize("make", [np.asarray, jnp.asarray, torch.tensor], ids=["numpy", "jax", "torch"])
def test_the_worker_gets_arrays_of_the_library_they_came_from(make):
    array = make([[1.5, 2.5]])
    received = protocol.decode(protocol.encode(array), libraries=True)
    assert type(received) is type(array)
    assert received.dtype == array.dtype
    assert received.tolist() == [[1.5, 2.5]]


def test_a_tensor_that_requires_a_gradient_can_be_sent():
    assert protocol.decode(protocol.encode(torch.ones(2, requires_grad=True))).tolist() == [1, 1]


@pytest.mark.parametrize("value", [collections.deque([1, 2]), range(1, 3), np.array([1, 2], dtype=object)])
def test_other_sequences_arrive_as_lists(value):
    assert protocol.decode(protocol.encode(value)) == [1, 2]


def endless() -> list:
    loop: list = []
    loop.append(loop)
    return loop


@pytest.mark.parametrize(
    "value",
    [object(), iter([1]), (i for i in range(2)), {1, 2}, np.array(["text"]), len, endless(), 1j],
    ids=["object", "iterator", "generator", "set", "text array", "function", "cycle", "complex"],
)
def test_what_is_no_plain_data_is_refused(value):
    with pytest.raises(protocol.NotPlainData):
        protocol.encode(value)


def test_a_huge_value_is_refused():
    with pytest.raises(protocol.NotPlainData, match="MiB"):
        protocol.encode(np.zeros(protocol.MAX_MESSAGE))


@settings(max_examples=500)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_malformed(data):
    with contextlib.suppress(protocol.MalformedMessage):
        protocol.decode(data)


@given(PLAIN, st.data())
def test_a_damaged_message_is_a_message_or_malformed(value, data):
    damaged = bytearray(protocol.encode([value, np.arange(3.0), (1, 2), 2**80]))
    place = data.draw(st.integers(0, len(damaged) - 1))
    damaged[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(protocol.MalformedMessage):
        protocol.decode(bytes(damaged))


def forged(dtype="float64", shape=(2,), raw=b"\0" * 16, library="numpy") -> bytes:
    return msgpack.packb(msgpack.ExtType(3, msgpack.packb([library, dtype, list(shape), raw])))


@pytest.mark.parametrize(
    "data",
    [
        forged(dtype="object"),
        forged(dtype="O"),
        forged(dtype="<U4"),
        forged(shape=(3,)),
        forged(shape=(-1, -2)),
        forged(shape=(2**40, 0)) + b"x",
        forged(shape=(2.0,)),
        forged(shape=(2**40, 0), raw=b""),
        forged(dtype="bool", shape=(2,), raw=b"\x01\x02"),
        msgpack.packb(msgpack.ExtType(99, b"")),
        msgpack.packb(msgpack.ExtType(2, b"1e9")),
        msgpack.packb(msgpack.ExtType(2, b"9" * 5000)),
        msgpack.packb(msgpack.ExtType(1, msgpack.packb("no list"))),
        msgpack.packb(msgpack.Timestamp(0)),
        b"\x91" * 100 + b"\xc0",
        b"\xdd\x00\xff\xff\xff" * 500 + b"\xc0" * 2**24,
        b"\xdc\xff\xff" + b"\xdc\x00\x80" * 65535 + b"\xc0" * 65535 * 128,
        b"\xde\x10\x00" + b"".join(msgpack.packb(key) + b"\xc0" for key in range(4096)),
    ],
)
def test_forged_messages_are_malformed(data):
    with pytest.raises(protocol.MalformedMessage):
        protocol.decode(data)


def test_who_sends_does_not_wait_for_ever_for_a_reader():
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(TimeoutError):
        protocol.send(ours, b"x" * 2**22, seconds=0.1)
