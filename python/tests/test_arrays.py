"""Tensors in memory, with numpy where there is one and without it always."""

from __future__ import annotations

import datetime
import decimal
import struct
import unittest
import uuid
from typing import Any, Optional
from unittest import mock

from slipway_worker import arrays, frames
from slipway_worker.errors import SeldonMicroserviceException

DUMPS = arrays.make_dumps(True, True)
SAMPLES = (
    ("BOOL", "?", [True, False]),
    ("UINT8", "B", [0, 255]),
    ("UINT16", "H", [0, 65535]),
    ("UINT32", "I", [0, 2**32 - 1]),
    ("UINT64", "Q", [0, 2**64 - 1]),
    ("INT8", "b", [-128, 127]),
    ("INT16", "h", [-5, 5]),
    ("INT32", "i", [-5, 5]),
    ("INT64", "q", [-(2**63), 2**63 - 1]),
    ("FP16", "e", [1.5, -2.0]),
    ("FP32", "f", [0.5, -1.0]),
    ("FP64", "d", [0.1, 2.0]),
)


def without_numpy() -> Any:
    return mock.patch.multiple(arrays, numpy=None, ndarray=())


def to_list(value: Any) -> Any:
    return value if isinstance(value, list) else value.tolist()


class Decoding(unittest.TestCase):
    def check_all(self) -> None:
        for name, code, values in SAMPLES:
            with self.subTest(name):
                data = bytearray(struct.pack("<2" + code, *values))
                number = arrays.DATATYPES.index(name)
                self.assertEqual(to_list(arrays.decode_tensor(number, (2,), data)), values)
                self.assertEqual(to_list(arrays.decode_tensor(number, (1, 2, 1), data)), [[[values[0]], [values[1]]]])
                with self.assertRaises(SeldonMicroserviceException):
                    arrays.decode_tensor(number, (3,), data)
        self.assertEqual(to_list(arrays.decode_tensor(arrays.BF16, (2,), bytearray(struct.pack("<2H", 0x3FC0, 0xC000)))), [1.5, -2.0])
        items = b"".join(struct.pack("<I", len(item)) + item for item in (b"a", "é".encode()))
        self.assertEqual(to_list(arrays.decode_tensor(arrays.BYTES_TYPE, (1, 2), items)), [["a", "é"]])
        for bad in (items[:-1], items + b"x", b"\xff\xff\xff\xff"):
            with self.assertRaises(SeldonMicroserviceException):
                arrays.decode_tensor(arrays.BYTES_TYPE, (1, 2), bad)
        for bad_type in (0, 15, 255):
            with self.assertRaises(SeldonMicroserviceException):
                arrays.decode_tensor(bad_type, (1,), bytearray(8))
        self.assertEqual(to_list(arrays.decode_tensor(arrays.FP64, (0, 3), bytearray())), [])

    def test_every_datatype(self) -> None:
        self.check_all()

    def test_every_datatype_without_numpy(self) -> None:
        with without_numpy():
            self.check_all()

    def test_empty_axes_and_scalars_without_numpy(self) -> None:
        with without_numpy():
            self.assertEqual(arrays.decode_tensor(arrays.FP64, (2, 0), bytearray()), [])
            self.assertEqual(arrays.decode_tensor(arrays.FP64, (), bytearray(struct.pack("<d", 4))), 4.0)

    @unittest.skipIf(arrays.numpy is None, "no numpy")
    def test_an_array_may_be_written_to(self) -> None:
        value = arrays.decode_tensor(arrays.FP64, (1, 2), bytearray(16))
        value += 1
        self.assertEqual(value.tolist(), [[1.0, 1.0]])


class Encoding(unittest.TestCase):
    def check(self, value: Any, datatype: Optional[str], shape: Any, content: Any) -> None:
        kind, code, got_shape, data = arrays.encode_array(value, DUMPS)
        self.assertEqual(tuple(got_shape), shape)
        if datatype is None:
            self.assertEqual((kind, bytes(data).decode()), (frames.ARRAY, content))
        else:
            self.assertEqual((kind, arrays.DATATYPES[code], bytes(data)), (frames.TENSOR, datatype, content))

    def test_lists_without_numpy(self) -> None:
        with without_numpy():
            self.check([[1, 2]], "INT64", (1, 2), struct.pack("<2q", 1, 2))
            self.check([1, 2.5], "FP64", (2,), struct.pack("<2d", 1, 2.5))
            self.check([[True]], "BOOL", (1, 1), b"\x01")
            self.check([], "FP64", (0,), b"")
            self.check([["a", 1, None]], None, (1, 3), '[["a",1,null]]')
            self.check([[1], [2, 3]], None, (2, 1), "[[1],[2,3]]")
            self.check([2**70], None, (1,), "[1180591620717411303424]")

    @unittest.skipIf(arrays.numpy is None, "no numpy")
    def test_arrays(self) -> None:
        np = arrays.numpy
        self.check([[1, 2]], "INT64", (1, 2), struct.pack("<2q", 1, 2))
        self.check(np.array([[1, 2], [3, 4]], "<f4").T, "FP32", (2, 2), struct.pack("<4f", 1, 3, 2, 4))
        self.check(np.array([1, 2], ">i2"), "INT16", (2,), struct.pack("<2h", 1, 2))
        self.check(np.array(7), "INT64", (), struct.pack("<q", 7))
        self.check(np.array([[True, False]]), "BOOL", (1, 2), b"\x01\x00")
        self.check(np.array([["a", "b"]]), None, (1, 2), '[["a","b"]]')
        self.check(np.array([["a", 1.5, None]], dtype=object), None, (1, 3), '[["a",1.5,null]]')
        self.check([2**70], None, (1,), "[1180591620717411303424]")
        self.check(np.longdouble([1.5]), "FP64", (1,), struct.pack("<d", 1.5))
        self.check(np.asfortranarray(np.ones((300, 300))), "FP64", (300, 300), struct.pack("<90000d", *[1.0] * 90000))
        self.check(np.ma.masked_array([[1.0]]), "FP64", (1, 1), struct.pack("<d", 1))
        with self.assertRaises(TypeError):
            arrays.encode_array(np.array([1j]), DUMPS)
        with self.assertRaisesRegex(ValueError, "inhomogeneous"):
            arrays.encode_array([[1], [2, 3]], DUMPS)

    def check_kept(self, value: Any, kind: int, datatype: str, content: str) -> None:
        got_kind, code, _, data = arrays.encode_array(value, DUMPS, keeps_lists=True)
        self.assertEqual((got_kind, arrays.DATATYPES[code]), (kind, datatype))
        if kind == frames.ARRAY:
            self.assertEqual(bytes(data).decode(), content)

    def test_a_list_that_an_array_would_change_stays_as_it_is(self) -> None:
        with without_numpy():
            self.check_kept([[1, 2.5]], frames.ARRAY, "FP64", "[[1,2.5]]")
            self.check_kept([1.0, 2.5], frames.TENSOR, "FP64", "")

    @unittest.skipIf(arrays.numpy is None, "no numpy")
    def test_a_list_that_numpy_would_change_stays_as_it_is(self) -> None:
        np = arrays.numpy
        self.check_kept([[1, 2.5]], frames.ARRAY, "FP64", "[[1,2.5]]")
        self.check_kept([(True, 2)], frames.ARRAY, "INT64", "[[true,2]]")
        self.check_kept([["a", 1]], frames.ARRAY, "", '[["a",1]]')
        self.check_kept([2**63, 1], frames.ARRAY, "FP64", "[9223372036854775808,1]")
        self.check_kept([[1, 2], [3, 4]], frames.TENSOR, "INT64", "")
        self.check_kept([[]], frames.TENSOR, "FP64", "")
        self.check_kept([np.int64(1), 2.5], frames.TENSOR, "FP64", "")
        self.check_kept([np.arange(2), np.arange(2)], frames.TENSOR, "INT64", "")
        self.check_kept(np.array([1, 2.5]), frames.TENSOR, "FP64", "")

    @unittest.skipIf(arrays.numpy is None, "no numpy")
    def test_masked_values_do_not_go_out(self) -> None:
        self.check(arrays.numpy.ma.array([1, 2], mask=[0, 1]), None, (2,), "[1,null]")

    @unittest.skipIf(arrays.numpy is None, "no numpy")
    def test_mixed_arrays_are_text_unless_asked_otherwise(self) -> None:
        self.assertEqual(arrays.decode_array(["a", 1, 2.5]).tolist(), ["a", "1", "2.5"])
        self.assertEqual(arrays.decode_array_typed([["a", 1, 2.5]]).tolist(), [["a", 1, 2.5]])
        self.assertEqual(arrays.decode_array_typed(["a", "b"]).dtype.kind, "U")
        self.assertEqual(arrays.decode_array_typed([1, 2]).dtype.kind, "i")


class Json(unittest.TestCase):
    def test_values_that_flask_knows(self) -> None:
        self.assertEqual(DUMPS({"z": 1, "a": float("nan")}), '{"a":NaN,"z":1}')
        self.assertEqual(arrays.make_dumps(False, False)({"z": "é", "a": 1}), '{"z":"é","a":1}')
        self.assertEqual(DUMPS(decimal.Decimal("1.50")), '"1.50"')
        self.assertEqual(DUMPS(uuid.UUID(int=1)), '"00000000-0000-0000-0000-000000000001"')
        self.assertEqual(DUMPS(datetime.date(2020, 1, 2)), '"Thu, 02 Jan 2020 00:00:00 GMT"')
        with self.assertRaisesRegex(TypeError, "Object of type set is not JSON serializable"):
            DUMPS({1})


if __name__ == "__main__":
    unittest.main()
