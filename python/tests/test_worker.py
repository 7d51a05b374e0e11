"""Loading, memory places, logs and the loop, in one process."""

from __future__ import annotations

import json
import logging
import os
import random
import socket
import struct
import sys
import tempfile
import threading
import unittest
from typing import Any, Dict, List

from slipway_worker import arrays, frames
from slipway_worker.arena import Arena, Places, rounded_pages
from slipway_worker.channel import Channel
from slipway_worker.contracts.seldon import SeldonAdapter
from slipway_worker.errors import SeldonMicroserviceException, describe, trimmed_traceback
from slipway_worker.frames import PAGE_BYTES, ProtocolError
from slipway_worker.load import import_user_module, typed_parameters
from slipway_worker.logs import LineWriter, Log
from slipway_worker.loop import Loop
from slipway_worker.settings import Settings

from .test_frames import read as read_fixtures


class Parameters(unittest.TestCase):
    def test_types(self) -> None:
        given = [("i", "3", "INT"), ("f", "0.5", "FLOAT"), ("d", 2, "DOUBLE"), ("s", 5, "STRING")]
        typed = typed_parameters([{"name": name, "value": value, "type": kind} for name, value, kind in given])
        self.assertEqual(typed, {"i": 3, "f": 0.5, "d": 2.0, "s": "5"})

    def test_truth_words(self) -> None:
        for words, wanted in ((("y", "Yes", "T", "true", "ON", "1"), True), (("n", "no", "F", "False", "off", "0"), False)):
            for word in words:
                self.assertIs(typed_parameters([{"name": "b", "value": word, "type": "BOOL"}])["b"], wanted)
        with self.assertRaisesRegex(ValueError, "invalid truth value 'maybe'"):
            typed_parameters([{"name": "b", "value": "maybe", "type": "BOOL"}])

    def test_what_does_not_parse(self) -> None:
        for kind, value in (("INT", "x"), ("FLOAT", "x"), ("LIST", "x")):
            with self.assertRaises(SeldonMicroserviceException) as caught:
                typed_parameters([{"name": "n", "value": value, "type": kind}])
            self.assertEqual(caught.exception.reason, "MICROSERVICE_BAD_PARAMETER")


class Imports(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        sys.path.append(self.folder)
        self.addCleanup(sys.path.remove, self.folder)

    def write(self, path: str, text: str) -> None:
        whole = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(whole, "w") as file:
            file.write(text)

    def test_a_module_in_a_package(self) -> None:
        self.write("some_pkg/__init__.py", "")
        self.write("some_pkg/inner.py", "value = __name__")
        self.assertEqual(import_user_module(self.folder, "some_pkg/inner.py").value, "some_pkg.inner")

    def test_a_name_that_another_module_has_taken_and_one_that_is_no_name(self) -> None:
        self.write("json.py", "value = 'mine'")
        self.write("my-model.py", "value = 'dashed'")
        self.assertEqual(import_user_module(self.folder, "json.py").value, "mine")
        self.assertEqual(import_user_module(self.folder, "my-model.py").value, "dashed")
        with self.assertRaises(ImportError):
            import_user_module(self.folder, "absent_module.py")


class Errors(unittest.TestCase):
    def test_only_the_users_frames_are_shown(self) -> None:
        try:
            typed_parameters([{"name": "n", "value": "x", "type": "INT"}])
        except SeldonMicroserviceException as error:
            text = trimmed_traceback(error)
            details = json.loads(describe(error))
        self.assertIn("test_worker.py", text)
        self.assertNotIn("load.py", text)
        self.assertEqual((details["status"], details["reason"], details["isRefusal"]), (400, "MICROSERVICE_BAD_PARAMETER", True))

    def test_an_error_without_text_is_described(self) -> None:
        class Silent(Exception):
            def __str__(self) -> str:
                raise RuntimeError("no")

        self.assertEqual(json.loads(describe(Silent()))["message"], "(the error has no text)")

    def test_what_is_missing_is_named_apart(self) -> None:
        def lacks(code: str) -> object:
            try:
                exec(code, {})
            except Exception as error:
                return json.loads(describe(error)).get("lacks")
            return None

        self.assertEqual(lacks("import no_such_module.part"), {"module": "no_such_module"})
        self.assertEqual(lacks("import json; json.no_such"), {"module": "json", "attribute": "no_such"})
        self.assertEqual(lacks("import os; os.path.no_such"), {"module": "posixpath", "attribute": "no_such"})
        self.assertIsNone(lacks("(1).no_such"))
        self.assertIsNone(lacks("from json import no_such"))


class Memory(unittest.TestCase):
    def test_places_are_used_again_and_never_twice(self) -> None:
        places = Places(1, 17)
        taken = [places.take(PAGE_BYTES * 3 + 1), places.take(1), places.take(PAGE_BYTES * 8)]
        self.assertEqual(taken, [1, 5, 6])
        self.assertEqual(places.take(PAGE_BYTES * 8), -1)
        places.give_back(1)
        self.assertEqual(places.take(PAGE_BYTES * 4), 1)
        for page in (1, 5, 6):
            places.give_back(page)
        self.assertEqual(places.take(PAGE_BYTES * 16), 1)
        with self.assertRaises(ProtocolError):
            places.give_back(5)

    def test_sizes_are_rounded_as_the_server_rounds_them(self) -> None:
        rounded = [rounded_pages(pages * PAGE_BYTES) for pages in (0, 1, 3, 7, 8, 9, 11, 17, 1000, 2560)]
        self.assertEqual(rounded, [1, 1, 3, 7, 8, 10, 12, 20, 1024, 2560])

    def test_data_beyond_the_end_is_refused(self) -> None:
        with tempfile.TemporaryFile() as one, tempfile.TemporaryFile() as two:
            for file in (one, two):
                file.truncate(4 * PAGE_BYTES)
            arena = Arena(one.fileno(), two.fileno(), 4 * PAGE_BYTES)
            for page, size in ((0, 1), (3, PAGE_BYTES + 1), (2**31, 1)):
                with self.assertRaises(ProtocolError):
                    arena.read(page, size)
            page = arena.write(memoryview(b"abc" * 2000))
            self.assertEqual(os.pread(two.fileno(), 6000, page * PAGE_BYTES), b"abc" * 2000)
            self.assertEqual(arena.write(memoryview(bytes(4 * PAGE_BYTES))), -1)


class Peer:
    """A loop in a thread, and the server's end of its socket."""

    def __init__(self, user: Any, **settings: Any) -> None:
        self.socket, other = socket.socketpair()
        self.channel = Channel(other)
        loop = Loop(self.channel, SeldonAdapter(user), Settings(json.dumps({"protocol": 2, **settings}).encode()))
        self.thread = threading.Thread(target=loop.run, args=(Log(self.channel), None))
        self.thread.start()
        self.rest = b""

    def send(self, *requests: bytes) -> None:
        self.socket.sendall(b"".join(requests))

    def receive(self, count: int) -> List[frames.Frame]:
        found: List[frames.Frame] = []
        while len(found) < count:
            while len(self.rest) >= 4 and len(self.rest) >= frames.frame_length(self.rest, 0):
                size = frames.frame_length(self.rest, 0)
                found.append(frames.decode_frame(self.rest, 0, size))
                self.rest = self.rest[size:]
            if len(found) < count:
                self.rest += self.socket.recv(65536)
        return found

    def close(self) -> None:
        self.socket.close()
        self.thread.join(10)
        self.channel.abandon()


def request(frame_id: int, *values: float) -> bytes:
    data = struct.pack("<%dd" % len(values), *values)
    message = frames.MESSAGE.pack(frames.TENSOR, arrays.FP64, 2, 0, 0, 0, len(data)) + struct.pack("<2I", 1, len(values)) + data
    length = frames.HEADER_BYTES - 4 + len(message)
    return frames.HEADER.pack(length, frame_id, frames.REQUEST, 0, 1, 0, 0, 0) + message


REQUESTS = [bytes.fromhex(fixture["hex"]) for fixture in read_fixtures("requests.json")]


class Looping(unittest.TestCase):
    def start(self, user: Any, **settings: Any) -> Peer:
        peer = Peer(user, **settings)
        self.addCleanup(peer.close)
        return peer

    def test_many_requests_in_one_read_are_answered_in_order(self) -> None:
        class Echo:
            def predict(self, X: Any, names: Any) -> Any:
                return X

        peer = self.start(Echo())
        peer.send(*(request(number, number, 0.5) for number in range(1, 201)))
        answers = peer.receive(200)
        self.assertEqual([answer.id for answer in answers], list(range(1, 201)))
        self.assertEqual(bytes(answers[6].messages[0].data), struct.pack("<2d", 7, 0.5))
        self.assertEqual(answers[6].messages[0].flags, frames.DEFAULT_NAMES)

    def test_an_error_answers_its_own_request(self) -> None:
        class Picky:
            def predict(self, X: Any, names: Any) -> Any:
                if X[0][0] == 2:
                    raise ValueError("two")
                return None if X[0][0] == 3 else X

        peer = self.start(Picky())
        peer.send(*(request(number, number) for number in range(1, 5)))
        answers = peer.receive(4)
        self.assertEqual([answer.type for answer in answers], [frames.RESPONSE, frames.ERROR, frames.ERROR, frames.RESPONSE])
        self.assertEqual(json.loads(answers[1].text_a)["message"], "two")
        refusal = json.loads(answers[2].text_a)
        self.assertEqual((refusal["status"], refusal["message"]), (400, "Unknown data type returned as payload (must be list or np array):None"))

    @unittest.skipIf(arrays.numpy is None, "no numpy")
    def test_rows_of_waiting_requests_are_joined_up_to_the_limit(self) -> None:
        sizes: List[int] = []

        class Sizes:
            def predict(self, X: Any, names: Any) -> Any:
                sizes.append(len(X))
                return X

        peer = self.start(Sizes(), maxBatch=4)
        peer.send(*(request(number, number) for number in range(1, 11)), request(11, 1, 2))
        answers = peer.receive(11)
        self.assertEqual(sizes, [4, 4, 2, 1])
        self.assertEqual([struct.unpack("<d", bytes(answer.messages[0].data))[0] for answer in answers[:10]], list(range(1, 11)))

    @unittest.skipIf(arrays.numpy is None, "no numpy")
    def test_with_a_longest_wait_rows_are_joined_as_they_come_and_the_first_answer_says_how_many(self) -> None:
        sizes: List[int] = []

        class Sizes:
            def predict(self, X: Any, names: Any) -> Any:
                sizes.append(len(X))
                return X

        peer = self.start(Sizes(), maxBatch=3, maxWaitMs=60_000)
        for number in range(1, 4):
            peer.send(request(number, number))
        answers = peer.receive(3)
        self.assertEqual(sizes, [3])
        self.assertEqual([answer.flags >> frames.JOINED_SHIFT for answer in answers], [3, 0, 0])
        peer.send(request(4, 4), request(5, 5)[:30])
        peer.send(request(5, 5)[30:], request(6, 6))
        self.assertEqual([answer.id for answer in peer.receive(3)], [4, 5, 6])
        self.assertEqual(sizes, [3, 3])

    @unittest.skipIf(arrays.numpy is None, "no numpy")
    def test_a_lone_request_waits_its_time_and_the_end_of_the_connection_loses_none(self) -> None:
        class Echo:
            def predict(self, X: Any, names: Any) -> Any:
                return X

        peer = self.start(Echo(), maxBatch=3, maxWaitMs=1)
        peer.send(request(1, 1))
        self.assertEqual(peer.receive(1)[0].id, 1)
        patient = self.start(Echo(), maxBatch=3, maxWaitMs=60_000)
        patient.send(request(1, 1))
        patient.socket.shutdown(socket.SHUT_WR)
        self.assertEqual(patient.receive(1)[0].id, 1)

    def test_a_class_with_tags_or_metrics_is_never_joined(self) -> None:
        class Tagged:
            def predict(self, X: Any, names: Any) -> Any:
                return [[len(X)]]

            def tags(self) -> Dict[str, Any]:
                return {}

        self.assertFalse(SeldonAdapter(Tagged()).can_batch)

    def test_whatever_a_request_says_it_is_answered_or_the_frame_is_refused(self) -> None:
        class Echo:
            def predict(self, X: Any, names: Any, meta: Any = None) -> Any:
                return X

            transform_input = transform_output = predict

        server, worker = socket.socketpair()
        self.addCleanup(server.close)
        self.addCleanup(worker.close)
        loop = Loop(Channel(worker), SeldonAdapter(Echo()), Settings(b'{"protocol":2}'))
        chance = random.Random(11)
        answered = refused = 0
        for _ in range(4000):
            broken = bytearray(chance.choice(REQUESTS))
            for _ in range(chance.randrange(1, 5)):
                broken[chance.randrange(9, len(broken))] = chance.choice((0, 1, 255, chance.randrange(256)))
            try:
                frame = frames.decode_frame(broken, 0, len(broken))
                if frame.type == frames.REQUEST:
                    answer = loop._answer(frame)
                    self.assertEqual(frames.frame_length(answer, 0), len(answer))
                    answered += 1
            except ProtocolError:
                refused += 1
        self.assertGreater(answered, 500)
        self.assertGreater(refused, 500)

    def test_an_empty_table_of_a_billion_columns_is_refused(self) -> None:
        class Echo:
            def predict(self, X: Any, names: Any) -> Any:
                return [] if isinstance(X, list) else X

        wide = bytearray(request(1))
        struct.pack_into("<2I", wide, frames.HEADER_BYTES + frames.MESSAGE_BYTES, 0, 1 << 30)
        peer = self.start(Echo())
        peer.send(bytes(wide), request(2, 1))
        self.assertEqual([answer.id for answer in peer.receive(2)], [1, 2])

    def test_a_large_frame_in_pieces_is_put_together(self) -> None:
        class Length:
            def predict(self, X: Any, names: Any) -> Any:
                return {"n": len(X[0])}

        peer = self.start(Length())
        whole = request(1, *([1.0] * 100000)) + request(2, 1)
        for at in range(0, len(whole), 70001):
            peer.send(whole[at : at + 70001])
        self.assertEqual([bytes(answer.messages[0].data) for answer in peer.receive(2)], [b'{"n":100000}', b'{"n":1}'])


class Output(unittest.TestCase):
    def test_lines_carry_the_request_and_a_flood_is_cut(self) -> None:
        server, worker = socket.socketpair()
        self.addCleanup(server.close)
        self.addCleanup(worker.close)
        channel = Channel(worker)
        log = Log(channel)
        log.set_request(b"id-1")
        writer = LineWriter(log, 1)
        print("one\ntwo", file=writer)
        writer.buffer.write(b"three\n")
        frame = channel._out.popleft()
        decoded = frames.decode_frame(frame, 0, len(frame))
        self.assertEqual((decoded.method, decoded.text_a, decoded.text_b), (1, b"id-1", b"one"))
        self.assertEqual(len(channel._out), 2)
        for number in range(5000):
            log.line(logging.INFO, str(number))
        self.assertLess(len(channel._out), 4500)


if __name__ == "__main__":
    unittest.main()
