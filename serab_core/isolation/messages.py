"""Messages in the pipes: the length of the header (int64), the header (a JSON object), and float32 arrays.

The header lists the shapes of the arrays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray

    Message: TypeAlias = tuple[dict[str, Any], list[NDArray[np.float32]]]


class RemoteError(RuntimeError):
    """An error in another process, with its message."""


class DiedError(RemoteError):
    """The other process died before it answered."""


def send(stream: IO[bytes], header: Mapping[str, Any], arrays: Iterable[ArrayLike] = ()) -> None:
    """Write a message.

    Raises:
        BrokenPipeError: the reader has closed the pipe.
        TypeError, ValueError: the header is not JSON.
    """
    contiguous = [np.ascontiguousarray(array, np.float32) for array in arrays]
    text = json.dumps({**header, "shapes": [array.shape for array in contiguous]}, allow_nan=False).encode()
    stream.write(np.int64(len(text)).tobytes() + text)
    for array in contiguous:
        stream.write(array.tobytes())
    stream.flush()


def receive(stream: IO[bytes]) -> Message | None:
    """Read a message; return None at the end of the stream. Raises EOFError for an incomplete message."""
    head = stream.read(8)
    if not head:
        return None
    header = json.loads(_all(stream, int(np.frombuffer(_whole(head, 8), np.int64)[0])))
    arrays = []
    for shape in header["shapes"]:
        content = _all(stream, 4 * int(np.prod(shape, dtype=np.int64)))
        arrays.append(np.frombuffer(content, np.float32).reshape(shape))
    return header, arrays


def _all(stream: IO[bytes], size: int) -> bytes:
    return _whole(stream.read(size), size)


def _whole(content: bytes, size: int) -> bytes:
    if len(content) < size:
        raise EOFError
    return content
