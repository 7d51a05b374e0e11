"""The typed class contract, from frames to frames."""

from __future__ import annotations

import json
import socket
import struct
import sys
import threading
import types
import unittest
from typing import Any, Dict, List, Optional, Sequence, Tuple

from slipway_worker import arrays, frames, tensors
from slipway_worker.arrays import DATATYPES
from slipway_worker.channel import Channel
from slipway_worker.contracts.hints import hinted_metadata
from slipway_worker.contracts.typed import TypedAdapter, is_typed
from slipway_worker.frames import HAS_MORE, INFER, MESSAGE, OutMessage, OutTensor
from slipway_worker.loop import Loop
from slipway_worker.settings import Settings

from .test_frames import read

SETTINGS = Settings(b'{"protocol":2}')


def request(frame_id: int, named: Sequence[Tuple[str, str, Tuple[int, ...], bytes]], extra: Optional[Dict[str, Any]] = None) -> bytes:
    parts = []
    for name, datatype, shape, data in named:
        text = name.encode()
        parts.append(MESSAGE.pack(1, DATATYPES.index(datatype), len(shape), 0, len(text), 0, len(data)) + frames.SHAPES[len(shape)].pack(*shape) + text + data)
    text_b = json.dumps(extra).encode() if extra else b""
    body = b"".join(parts)
    length = frames.HEADER_BYTES - 4 + len(text_b) + len(body)
    return frames.HEADER.pack(length, frame_id, frames.REQUEST, INFER, len(named), 0, 0, len(text_b)) + text_b + body


def floats(*values: float) -> bytes:
    return struct.pack("<%dd" % len(values), *values)


def ask(user: Any, *sent: bytes, metadata: Optional[Dict[str, Any]] = None) -> List[frames.Frame]:
    """The frames that come back, LOG frames left out."""
    server, worker = socket.socketpair()
    adapter = TypedAdapter(user, metadata)
    loop = Loop(Channel(worker), adapter, SETTINGS)
    with server, worker:
        server.sendall(b"".join(sent))
        received: List[frames.Frame] = []
        waiting = len(sent)
        thread = threading.Thread(target=loop.run, args=(None, None), daemon=True)
        thread.start()
        buffer = b""
        while waiting:
            buffer += server.recv(65536)
            while len(buffer) >= 4 and len(buffer) >= frames.frame_length(buffer, 0):
                end = frames.frame_length(buffer, 0)
                frame = frames.decode_frame(buffer, 0, end)
                buffer = buffer[end:]
                received.append(frame)
                waiting -= not frame.flags & HAS_MORE
        server.shutdown(socket.SHUT_WR)
        thread.join(5)
        return received


def named(frame: frames.Frame) -> Dict[str, Tuple[str, Tuple[int, ...], bytes]]:
    if frame.type != frames.RESPONSE:
        raise AssertionError(frame.text_a)
    return {message.names.decode(): (DATATYPES[message.datatype], message.shape, bytes(message.data)) for message in frame.messages}


class Add:
    def predict(self, inputs: Dict[str, Any]) -> Dict[str, Any]:
        if arrays.numpy is None:
            return {"sum": [a + b for a, b in zip(inputs["a"], inputs["b"])], "first": inputs["a"]}
        return {"sum": inputs["a"] + inputs["b"], "first": inputs["a"]}


class Asking:
    async def predict(self, inputs: Dict[str, Any], parameters: Dict[str, Any], headers: Dict[str, str], outputs: Any = None) -> Dict[str, Any]:
        return {"text": [str(parameters.get("k")), headers.get("x-a", ""), ",".join(outputs or [])]}


class Counting:
    def predict(self, inputs: Dict[str, Any]) -> Any:
        for count in range(3):
            yield {"n": [float(count)]}


class AsyncCounting:
    async def predict(self, inputs: Dict[str, Any]) -> Any:
        for count in range(2):
            yield {"n": [float(count)]}


class Failing:
    def predict(self, inputs: Dict[str, Any]) -> Any:
        return {"x": object()}


class Typed(unittest.TestCase):
    def test_named_tensors_in_and_out(self) -> None:
        sent = request(7, [("a", "FP64", (2,), floats(1, 2)), ("b", "FP64", (2,), floats(10, 20))])
        (answer,) = ask(Add(), sent)
        self.assertEqual(answer.id, 7)
        self.assertEqual(list(named(answer)), ["sum", "first"])
        self.assertEqual(named(answer)["sum"], ("FP64", (2,), floats(11, 22)))

    def test_wanted_outputs_in_their_order(self) -> None:
        both = [("a", "FP64", (1,), floats(1)), ("b", "FP64", (1,), floats(2))]
        first, wrong = ask(Add(), request(1, both, {"outputs": ["first"]}), request(2, both, {"outputs": ["none"]}))
        self.assertEqual(list(named(first)), ["first"])
        self.assertEqual(json.loads(wrong.text_a)["status"], 400)

    def test_an_asynchronous_class_gets_what_it_asks_for(self) -> None:
        sent = request(1, [], {"parameters": {"k": 5}, "headers": {"x-a": "b"}, "outputs": ["text"]})
        (answer,) = ask(Asking(), sent)
        data = b"".join(len(item).to_bytes(4, "little") + item for item in (b"5", b"b", b"text"))
        self.assertEqual(named(answer)["text"], ("BYTES", (3,), data))

    def test_generators_answer_in_pieces_and_end_with_an_empty_frame(self) -> None:
        for user, count in ((Counting(), 3), (AsyncCounting(), 2)):
            got = ask(user, request(1, []))
            self.assertEqual([frame.flags & HAS_MORE for frame in got], [HAS_MORE] * count + [0])
            self.assertEqual([named(frame)["n"][2] for frame in got[:-1]], [floats(value) for value in range(count)])
            self.assertEqual(list(got[-1].messages), [])

    def test_a_cancelled_stream_stops(self) -> None:
        closed: List[bool] = []
        started = threading.Event()
        go_on = threading.Event()

        class Endless:
            def predict(self, inputs: Dict[str, Any]) -> Any:
                try:
                    while True:
                        yield {"n": [1.0]}
                        started.set()
                        go_on.wait(5)
                finally:
                    closed.append(True)

        server, worker = socket.socketpair()
        adapter = TypedAdapter(Endless())
        loop = Loop(Channel(worker), adapter, SETTINGS)
        thread = threading.Thread(target=loop.run, args=(None, None), daemon=True)
        with server:
            thread.start()
            server.sendall(request(9, []))
            started.wait(5)
            server.sendall(frames.encode_texts(frames.CANCEL, 9))
            while not loop._tensors._cancelled:
                pass
            go_on.set()
            got = b""
            while b"\x09\x00\x00\x00\x02\x08\x00\x00\x00\x00\x00\x00" not in got:  # the empty last frame of call 9
                got += server.recv(65536)
            server.shutdown(socket.SHUT_WR)
            thread.join(5)
        self.assertEqual(closed, [True])

    def test_what_is_no_tensor_is_an_error_that_names_it(self) -> None:
        (answer,) = ask(Failing(), request(1, []))
        self.assertEqual(answer.type, frames.ERROR)
        self.assertIn('"x"', json.loads(answer.text_a)["message"])

    def test_which_classes_are_typed(self) -> None:
        class Seldon:
            def predict(self, X: Any, names: Any) -> Any: ...

        class AlmostTyped:
            def predict(self, inputs: Any, names: Any) -> Any: ...

        class More:
            def predict(self, inputs: Any, parameters: Any, other: int = 1, **rest: Any) -> Any: ...

        self.assertEqual([is_typed(one) for one in (Add, Asking, Counting, More, Seldon, AlmostTyped, object)], [True] * 4 + [False] * 3)

    def test_metadata_is_checked(self) -> None:
        spec = {"name": "a", "datatype": "FP32", "shape": [-1, 2]}
        adapter = TypedAdapter(Add(), {"inputs": [spec], "outputs": []})
        self.assertEqual(adapter.signature, {"inputs": [spec], "outputs": []})
        for wrong in ({"name": 1}, {"name": "a", "datatype": "float"}, {"name": "a", "datatype": "FP32", "shape": [-2]}):
            with self.assertRaises(ValueError):
                TypedAdapter(Add(), {"inputs": [wrong]})


@unittest.skipIf(arrays.numpy is None, "numpy is not there")
class Datatypes(unittest.TestCase):
    def test_every_datatype_comes_back_as_it_went(self) -> None:
        for fixture in read("tensors.json"):
            datatype, shape, data = DATATYPES.index(fixture["datatype"]), tuple(fixture["shape"]), bytes.fromhex(fixture["data"])
            with self.subTest(fixture["datatype"]):
                array = tensors.decode_input(datatype, shape, bytearray(data))
                specs = {"x": tensors.TensorSpec("x", datatype, shape)}
                (tensor,) = tensors.encode_outputs({"x": array}, specs, None, lambda kind, raw, code, axes: OutMessage(kind, code, axes, data=bytes(raw)))
                self.assertEqual((tensor.message.datatype, tensor.message.shape, tensor.message.data), (datatype, shape, data))

    def test_numbers_are_given_the_declared_datatype(self) -> None:
        specs = {"x": tensors.TensorSpec("x", DATATYPES.index("FP32"), (-1,))}
        out = lambda kind, raw, code, axes: OutMessage(kind, code, axes, data=bytes(raw))  # noqa: E731
        (tensor,) = tensors.encode_outputs({"x": arrays.numpy.array([0.5])}, specs, None, out)
        self.assertEqual((DATATYPES[tensor.message.datatype], tensor.message.data), ("FP32", bytes.fromhex("0000003f")))
        with self.assertRaises(TypeError):
            tensors.encode_outputs({"x": arrays.numpy.array([1j])}, specs, None, out)


class Frames(unittest.TestCase):
    def test_tensor_frames_are_written_and_read_as_agreed(self) -> None:
        for fixture in read("tensor-frames.json"):
            value = fixture["value"]
            with self.subTest(fixture["name"]):
                data = bytes.fromhex(fixture["hex"])
                frame = frames.decode_frame(data, 0, len(data))
                self.assertEqual(frame.method, INFER)
                got = [(str(one.names, "utf-8"), DATATYPES[one.datatype], list(one.shape), bytes(one.data).hex()) for one in frame.messages]
                self.assertEqual(got, [(one["name"], one["datatype"], one["shape"], one["data"]) for one in value["tensors"]])
                if value["type"] == "response":
                    self.assertEqual(encoded(value).hex(), fixture["hex"])
                else:
                    self.assertEqual(json.loads(frame.text_b or b"{}"), value.get("extra", {}))


def encoded(value: Dict[str, Any]) -> bytes:
    out = [
        OutTensor(OutMessage(1, DATATYPES.index(one["datatype"]), tuple(one["shape"]), data=bytes.fromhex(one["data"])), one["name"].encode())
        for one in value["tensors"]
    ]
    return frames.encode_tensors(value["id"], HAS_MORE if value.get("hasMore") else 0, out, value.get("parameters", "").encode())


@unittest.skipIf(sys.version_info < (3, 9), "Annotated came with Python 3.9")
class HintTest(unittest.TestCase):
    def test_hints_say_names_datatypes_and_shapes(self) -> None:
        for name, expected in (
            ("whole", {"inputs": [{"name": "a", "datatype": "FP32", "shape": [-1, 4]}, ANY], "outputs": [{"name": "y", "datatype": "BF16", "shape": []}]}),
            ("yielding", {"inputs": [ANY], "outputs": [ANY]}),
            ("silent", {"inputs": [ANY], "outputs": []}),
            ("plain", None),
            ("partly", None),
            ("lost", None),
            ("bare", None),
        ):
            with self.subTest(name):
                self.assertEqual(hinted_metadata(getattr(hinted(), name)), expected)


ANY = {"name": "b", "datatype": "INT64", "shape": [-1], "isRankUnknown": True}

HINTED = """
from typing import Annotated, Any, AsyncIterator, Dict, Generic, TypedDict, TypeVar
import sys
T = TypeVar("T")
S = TypeVar("S")
class ndarray(Generic[S, T]): pass
class dtype(Generic[T]): pass
class int64: pass
class Unknown: pass
Longs = ndarray[Any, dtype[int64]]
class Two(TypedDict):
    a: Annotated[object, "FP32", (-1, 4)]
    b: Longs
class One(TypedDict):
    b: Longs
class Out(TypedDict):
    y: Annotated[object, "BF16", ()]
class Half(TypedDict):
    a: object
    b: Longs
class Class:
    def whole(self, inputs: Two) -> Out: ...
    async def yielding(self, inputs: One) -> AsyncIterator[One]: yield inputs
    def silent(self, inputs: One): ...
    def plain(self, inputs: Dict[str, Any]) -> Dict[str, Any]: ...
    def partly(self, inputs: Half) -> Out: ...
    def lost(self, inputs: "Nowhere") -> Out: ...
    def bare(self, inputs): ...
"""


def hinted() -> Any:
    """As numpy's types are made, without numpy."""
    module = types.ModuleType("hinted")
    sys.modules["hinted"] = module
    exec(HINTED, module.__dict__)
    return module.__dict__["Class"]()
