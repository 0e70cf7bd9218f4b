"""What goes through the pipes: an int64, a JSON object of that many bytes, and float32 arrays whose shapes it tells."""

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
    """What went wrong in another process, in its words."""


class DiedError(RemoteError):
    """The other process ended before it answered."""


def send(stream: IO[bytes], header: Mapping[str, Any], arrays: Iterable[ArrayLike] = ()) -> None:
    """Writes a message. Raises BrokenPipeError where nobody reads any more; TypeError and ValueError for no JSON."""
    contiguous = [np.ascontiguousarray(array, np.float32) for array in arrays]
    text = json.dumps({**header, "shapes": [array.shape for array in contiguous]}, allow_nan=False).encode()
    stream.write(np.int64(len(text)).tobytes() + text)
    for array in contiguous:
        stream.write(array.tobytes())
    stream.flush()


def receive(stream: IO[bytes]) -> Message | None:
    """Reads a message; None where there are no more. Raises EOFError where one breaks off."""
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
