"""`BlobProto`, as mean files hold it; no protobuf is needed."""

from __future__ import annotations

import struct
from typing import Any, Iterator, List, Tuple

TRAIN, TEST = 0, 1


class BlobShape:
    def __init__(self) -> None:
        self.dim: List[int] = []


class BlobProto:
    """An array: `shape.dim`, or `num`, `channels`, `height` and `width`; and `data`. @see caffe.proto, message BlobProto"""

    def __init__(self) -> None:
        self.num = self.channels = self.height = self.width = 0
        self.data: List[float] = []
        self.diff: List[float] = []
        self.shape = BlobShape()

    def ParseFromString(self, text: bytes) -> int:  # noqa: N802 - protobuf's name
        names = {1: "num", 2: "channels", 3: "height", 4: "width"}
        for number, value in _fields(text):
            if number in names:
                setattr(self, names[number], value)
            elif number in (5, 6):
                (self.data if number == 5 else self.diff).extend(_floats(value))
            elif number == 7:
                self.shape.dim = [dim for key, one in _fields(value) if key == 1 for dim in (_varints(one) if isinstance(one, bytes) else [one])]
        return len(text)

    MergeFromString = ParseFromString

    @classmethod
    def FromString(cls, text: bytes) -> "BlobProto":  # noqa: N802 - protobuf's name
        blob = cls()
        blob.ParseFromString(text)
        return blob


def _floats(value: bytes) -> Tuple[float, ...]:
    return struct.unpack("<%df" % (len(value) // 4), value)


def _fields(text: bytes) -> Iterator[Tuple[int, Any]]:
    """Number and value of each field: an integer, or the bytes of anything else."""
    at = 0
    while at < len(text):
        key, at = _varint(text, at)
        kind = key & 7
        if kind == 0:
            value, at = _varint(text, at)
            yield key >> 3, value
            continue
        size, at = _varint(text, at) if kind == 2 else ({1: 8, 5: 4}.get(kind, -1), at)
        if size < 0 or at + size > len(text):
            raise ValueError("this is no BlobProto: it breaks off or has a field of kind %d" % kind)
        yield key >> 3, text[at : at + size]
        at += size


def _varints(text: bytes) -> Iterator[int]:
    at = 0
    while at < len(text):
        value, at = _varint(text, at)
        yield value


def _varint(text: bytes, at: int) -> Tuple[int, int]:
    value = shift = 0
    while at < len(text) and shift < 70:
        byte = text[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("this is no BlobProto: it breaks off")
