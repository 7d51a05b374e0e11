"""The wire format against the fixtures that the TypeScript tests use too, and against broken frames."""

from __future__ import annotations

import json
import os
import random
import unittest
from typing import Any, Dict, List

from slipway_worker import arrays, frames

FOLDER = os.path.join(os.path.dirname(__file__), "..", "..", "test", "fixtures", "frames")
KINDS = ("none", "tensor", "array", "json", "text", "bytes", "raw", "proto", "any")


def read(name: str) -> List[Dict[str, Any]]:
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        loaded: List[Dict[str, Any]] = json.load(file)
    return loaded


def payload_bytes(payload: Dict[str, Any]) -> bytes:
    for key in ("json", "text"):
        if key in payload:
            return bytes(payload[key], "utf-8")
    return bytes.fromhex(payload["data"])


def encode(value: Dict[str, Any]) -> bytes:
    flags = (frames.IS_RAW if value.get("isRaw") else 0) | (frames.IS_ABSENT if value.get("isAbsent") else 0)
    message = frames.OutMessage(
        KINDS.index(value["kind"]),
        arrays.DATATYPES.index(value.get("datatype", "")),
        tuple(value.get("shape", ())),
        frames.DEFAULT_NAMES if value.get("defaultNames") else 0,
        json.dumps(value["names"], separators=(",", ":")).encode() if "names" in value else b"",
        bytes.fromhex(value["data"]),
    )
    texts = (value["tags"].encode(), value["metrics"].encode()) if "tags" in value else None
    return frames.encode_response(value["id"], flags, message, texts)


class Fixtures(unittest.TestCase):
    def test_requests_are_read_as_agreed(self) -> None:
        fixtures = read("requests.json")
        self.assertGreater(len(fixtures), 8)
        for fixture in fixtures:
            with self.subTest(fixture["name"]):
                data = bytes.fromhex(fixture["hex"])
                self.assertEqual(frames.frame_length(data, 0), len(data))
                self.check(frames.decode_frame(data, 0, len(data)), fixture["value"])

    def check(self, frame: frames.Frame, value: Dict[str, Any]) -> None:
        self.assertEqual((frame.type, frame.id), (frames.REQUEST, value["id"]))
        self.assertEqual(frames.METHODS[frame.method], value["method"])
        self.assertEqual(frame.flags, frames.GRPC if value.get("transport") == "grpc" else 0)
        self.assertEqual(frame.text_a.decode(), value.get("requestId", ""))
        extra = json.loads(frame.text_b) if frame.text_b else {}
        self.assertEqual(extra, {key: value[key] for key in ("reward", "routing") if key in value})
        self.assertEqual(len(frame.messages), len(value["messages"]))
        for message, wanted in zip(frame.messages, value["messages"]):
            payload = wanted["payload"]
            self.assertEqual(KINDS[message.kind], payload["kind"])
            self.assertEqual(arrays.DATATYPES[message.datatype], payload.get("datatype", ""))
            self.assertEqual(list(message.shape), payload.get("shape", []))
            self.assertEqual(json.loads(message.names) if message.names else [], wanted["names"])
            self.assertEqual(message.meta.decode(), wanted.get("meta", ""))
            self.assertEqual(bytes(message.data), payload_bytes(payload))

    def test_answers_are_written_as_agreed(self) -> None:
        fixtures = read("answers.json")
        if os.environ.get("UPDATE_FIXTURES") == "1":
            for fixture in fixtures:
                fixture["hex"] = encode(fixture["value"]).hex()
            with open(os.path.join(FOLDER, "answers.json"), "w", encoding="utf-8") as file:
                file.write(json.dumps(fixtures, indent=1, ensure_ascii=False) + "\n")
        for fixture in fixtures:
            with self.subTest(fixture["name"]):
                self.assertEqual(encode(fixture["value"]).hex(), fixture["hex"])


class Broken(unittest.TestCase):
    def test_only_protocol_errors_come_out_of_broken_frames(self) -> None:
        chance = random.Random(7)
        refused = read_well = 0
        for fixture in read("requests.json"):
            whole = bytes.fromhex(fixture["hex"])
            for _ in range(400):
                broken = bytearray(whole)
                for _ in range(chance.randrange(1, 4)):
                    broken[chance.randrange(len(broken))] = chance.randrange(256)
                cut = broken if chance.random() < 0.7 else broken[: chance.randrange(4, len(broken) + 1)]
                try:
                    size = frames.frame_length(cut, 0)
                    if size <= len(cut):
                        frames.decode_frame(cut, 0, size)
                        read_well += 1
                except frames.ProtocolError:
                    refused += 1
        self.assertGreater(refused, 100)
        self.assertGreater(read_well, 100)

    def test_a_release_must_be_whole_words(self) -> None:
        with self.assertRaises(frames.ProtocolError):
            frames.decode_pages(b"123")
        frame = frames.encode_release([1, 70000])
        self.assertEqual(frames.decode_pages(frames.decode_frame(frame, 0, len(frame)).text_a), (1, 70000))


if __name__ == "__main__":
    unittest.main()
