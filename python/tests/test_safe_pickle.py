"""What the worker's unpickler resolves, calls and refuses, on its own."""

from __future__ import annotations

import collections
import os
import pickle
import tempfile
import unittest
from typing import Any

from slipway_worker.errors import PickleRefused
from slipway_worker.safe_pickle import load_model, read_allowed


class Touch:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (self.path,)


class SafePickle(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "model.pkl")
        self.marker = os.path.join(folder.name, "marker")

    def load(self, data: bytes, *extra: str) -> Any:
        with open(self.path, "wb") as file:
            file.write(data)
        return load_model(self.path, read_allowed("sklearn", extra))

    def test_plain_values_come_back_in_every_protocol(self) -> None:
        value = {"o": collections.OrderedDict(a=1), "d": collections.defaultdict(int, x=2), "s": {1, 2}, "b": b"\xff", "c": 1j}
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            self.assertEqual(self.load(pickle.dumps(value, protocol)), value)

    def test_what_is_not_listed_never_runs_and_is_named_with_the_way_through(self) -> None:
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with self.assertRaisesRegex(PickleRefused, r"imports \w+\.mkdir.*--allow-pickle \w+\.mkdir"):
                self.load(pickle.dumps(Touch(self.marker), protocol))
        self.assertFalse(os.path.exists(self.marker))

    def test_a_name_that_the_user_allows_is_resolved(self) -> None:
        self.load(pickle.dumps(Touch(self.marker)), "%s.mkdir" % os.mkdir.__module__)
        self.assertTrue(os.path.exists(self.marker))

    def test_pickle_is_itself_again_afterwards(self) -> None:
        before = pickle.load, pickle.loads
        with self.assertRaises(PickleRefused):
            self.load(pickle.dumps(Touch(self.marker)))
        self.assertEqual((pickle.load, pickle.loads), before)
        self.assertIs(pickle.loads(pickle.dumps(os.mkdir)), os.mkdir)

    def test_values_are_not_called_and_names_are_not_changed(self) -> None:
        for data, why in (
            (b"\x80\x02ccollections\nOrderedDict\n)R)R.", "calls a value"),
            (b"\x80\x02ccollections\nOrderedDict\nN}X\x01\x00\x00\x00aK\x01s\x86b.", "changes collections.OrderedDict itself"),
            (b"\x80\x02cfunctools\npartial\n(cbuiltins\nint\ntR(c__builtin__\nlist\n)}NtbN0(N)}Ntb.", "must be callable|calls a value|invalid partial"),
            (b"\x80\x02\x82\x07.", "extension code 7"),
            (b"\x80\x02Nq\x00Q.", "outside the file"),
        ):
            with self.assertRaisesRegex((PickleRefused, TypeError), why):
                self.load(data)


if __name__ == "__main__":
    unittest.main()
