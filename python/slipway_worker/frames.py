"""The wire format between the server and a worker. See ../README.md for the tables.

Everything is little-endian. Nothing here touches a socket, numpy or user code, so that it can be fuzzed by itself.
"""

from __future__ import annotations

from struct import Struct
from typing import List, NamedTuple, Optional, Sequence, Tuple, Union

Buffer = Union[bytes, bytearray, memoryview]

PROTOCOL_VERSION = 2

REQUEST, RESPONSE, ERROR, LOAD, READY, LOG, RELEASE, CANCEL = 1, 2, 3, 4, 5, 6, 7, 8

METHODS = (
    "predict",
    "transform-input",
    "transform-output",
    "route",
    "aggregate",
    "send-feedback",
    "health-status",
    "metadata",
    "infer",
)
#: The method whose messages are named tensors.
INFER = METHODS.index("infer")
#: Several calls in one go.
RUN = INFER + 1

# Payload kinds.
NONE, TENSOR, ARRAY, JSON, TEXT, BYTES, RAW, PROTO, ANY = 0, 1, 2, 3, 4, 5, 6, 7, 8
LAST_KIND = ANY

# Request flags.
GRPC = 1
# Response flags.
IS_RAW, IS_ABSENT, HAS_MORE = 1, 2, 4
#: The upper bits of a response's flags: rows of the joined call, in the first answer that it gave.
JOINED_SHIFT = 8
#: Upper bits of a request's flags: number of the component that is asked, in a process of several.
COMPONENT_SHIFT = 8
# Message flags.
SHARED, DEFAULT_NAMES = 1, 2

HEADER = Struct("<IIBBHIII")  # length, id, type, method, messages, flags, text A bytes, text B bytes
MESSAGE = Struct("<BBBBIII")  # kind, datatype, axes, flags, names bytes, meta bytes, data bytes
BOTH = Struct("<IIBBHIIIBBBBIII")  # a header, empty texts and the first message: the common case in one go
U32 = Struct("<I")
HEADER_BYTES = HEADER.size
MESSAGE_BYTES = MESSAGE.size
PAGE_BYTES = 4096

MAX_AXES = 32
MAX_MESSAGES = 1024
DEFAULT_MAX_FRAME_BYTES = 1 << 30

SHAPES = tuple(Struct("<%dI" % axes) for axes in range(MAX_AXES + 1))


class ProtocolError(Exception):
    """The peer sent something that is not a frame. There is no way to go on."""


class WireMessage(NamedTuple):
    """One message of a frame, not yet decoded. `page` is the first page in shared memory, or -1 when `data` holds the bytes."""

    kind: int
    datatype: int
    shape: Tuple[int, ...]
    flags: int
    names: bytes
    meta: bytes
    data: Buffer
    size: int
    page: int


class Frame(NamedTuple):
    type: int
    method: int
    id: int
    flags: int
    text_a: bytes
    text_b: bytes
    messages: Sequence[WireMessage]


def frame_length(buffer: Buffer, offset: int, max_bytes: int = DEFAULT_MAX_FRAME_BYTES) -> int:
    """Size of the whole frame at `offset`, of which at least four bytes are there."""
    length: int = U32.unpack_from(buffer, offset)[0]
    if length < HEADER_BYTES - 4 or length > max_bytes:
        raise ProtocolError("a frame of %d bytes" % length)
    return length + 4


def decode_frame(buffer: Buffer, offset: int, end: int) -> Frame:
    """Decodes the frame that lies between `offset` and `end`. Data is copied into a writable buffer of its own."""
    _, frame_id, kind, method, count, flags, a_bytes, b_bytes = HEADER.unpack_from(buffer, offset)
    at = offset + HEADER_BYTES
    if kind < REQUEST or kind > CANCEL or method >= 64 or count > MAX_MESSAGES or at + a_bytes + b_bytes > end:
        raise ProtocolError("a frame header that does not fit its frame")
    text_a = bytes(buffer[at : at + a_bytes]) if a_bytes else b""
    at += a_bytes
    text_b = bytes(buffer[at : at + b_bytes]) if b_bytes else b""
    at += b_bytes
    messages: List[WireMessage] = []
    for _ in range(count):
        message, at = _decode_message(buffer, at, end)
        messages.append(message)
    if at != end:
        raise ProtocolError("%d bytes after the end of a frame's content" % (end - at))
    return Frame(kind, method, frame_id, flags, text_a, text_b, messages)


def _decode_message(buffer: Buffer, at: int, end: int) -> Tuple[WireMessage, int]:
    if at + MESSAGE_BYTES > end:
        raise ProtocolError("a message header beyond the end of its frame")
    kind, datatype, axes, flags, names_bytes, meta_bytes, size = MESSAGE.unpack_from(buffer, at)
    at += MESSAGE_BYTES
    shared = flags & SHARED
    inline = 4 if shared else size
    if kind > LAST_KIND or axes > MAX_AXES or at + 4 * axes + names_bytes + meta_bytes + inline > end:
        raise ProtocolError("a message header that does not fit its frame")
    shape = SHAPES[axes].unpack_from(buffer, at)
    at += 4 * axes
    names = bytes(buffer[at : at + names_bytes]) if names_bytes else b""
    at += names_bytes
    meta = bytes(buffer[at : at + meta_bytes]) if meta_bytes else b""
    at += meta_bytes
    page = -1
    data: Buffer = b""
    if shared:
        (page,) = U32.unpack_from(buffer, at)
    else:
        data = bytearray(buffer[at : at + size])
    return WireMessage(kind, datatype, shape, flags, names, meta, data, size, page), at + inline


class OutMessage(NamedTuple):
    """One message to send. `data` is empty when `page` says where in shared memory its `size` bytes lie."""

    kind: int
    datatype: int = 0
    shape: Tuple[int, ...] = ()
    flags: int = 0
    names: bytes = b""
    data: Buffer = b""
    size: int = 0
    page: int = -1


class OutTensor(NamedTuple):
    """A tensor to send, with its name as UTF-8."""

    message: OutMessage
    name: bytes


def encode_response(frame_id: int, flags: int, message: OutMessage, texts: Optional[Tuple[bytes, bytes]] = None) -> bytes:
    """A response frame with one message. `texts`: tags and metrics as JSON."""
    kind, datatype, shape, message_flags, names, data, size, page = message
    text_a, text_b = texts or (b"", b"")
    axes = len(shape)
    if page >= 0:
        message_flags |= SHARED
        data = U32.pack(page)
    else:
        size = len(data)
    length = HEADER_BYTES + MESSAGE_BYTES - 4 + len(text_a) + len(text_b) + 4 * axes + len(names) + len(data)
    if texts is None:
        head = BOTH.pack(length, frame_id, RESPONSE, 0, 1, flags, 0, 0, kind, datatype, axes, message_flags, len(names), 0, size)
        return b"".join((head, SHAPES[axes].pack(*shape), names, data))
    header = HEADER.pack(length, frame_id, RESPONSE, 0, 1, flags, len(text_a), len(text_b))
    second = MESSAGE.pack(kind, datatype, axes, message_flags, len(names), 0, size)
    return b"".join((header, text_a, text_b, second, SHAPES[axes].pack(*shape), names, data))


def encode_tensors(frame_id: int, flags: int, tensors: Sequence["OutTensor"], parameters: bytes = b"") -> bytes:
    """A response frame of the method `infer`. `parameters`: JSON, or empty."""
    parts: List[Buffer] = [parameters]
    length = HEADER_BYTES - 4 + len(parameters)
    for (kind, datatype, shape, message_flags, _, data, size, page), name in tensors:
        if page >= 0:
            message_flags |= SHARED
            data = U32.pack(page)
        else:
            size = len(data)
        parts.append(MESSAGE.pack(kind, datatype, len(shape), message_flags, len(name), 0, size))
        parts.extend((SHAPES[len(shape)].pack(*shape), name, data))
        length += MESSAGE_BYTES + 4 * len(shape) + len(name) + len(data)
    return b"".join((HEADER.pack(length, frame_id, RESPONSE, INFER, len(tensors), flags, len(parameters), 0), *parts))


def encode_texts(kind: int, frame_id: int = 0, method: int = 0, text_a: bytes = b"", text_b: bytes = b"") -> bytes:
    """A frame without messages: READY, ERROR, LOG, RELEASE."""
    length = HEADER_BYTES - 4 + len(text_a) + len(text_b)
    return HEADER.pack(length, frame_id, kind, method, 0, 0, len(text_a), len(text_b)) + text_a + text_b


def encode_release(pages: Sequence[int]) -> bytes:
    """Tells the peer that its shared pages are free again."""
    return encode_texts(RELEASE, text_a=Struct("<%dI" % len(pages)).pack(*pages))


def decode_pages(text: bytes) -> Tuple[int, ...]:
    if len(text) % 4:
        raise ProtocolError("a release of %d bytes" % len(text))
    return Struct("<%dI" % (len(text) // 4)).unpack(text)
