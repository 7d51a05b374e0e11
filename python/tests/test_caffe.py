"""The stand-in for pycaffe, on a network of a few numbers. Needs OpenCV and Pillow."""

from __future__ import annotations

import importlib.util
import io
import os
import struct
import sys
import tempfile
import unittest
from typing import Any, List

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "compat"))

NETWORK = """
name: "tiny"  # a comment
layer { name: "data" type: "Input" top: "data" input_param { shape: { dim: 4 dim: 1 dim: 2 dim: 2 } } }
layer { name: "drop" type: "Data" top: "label" include { phase: TRAIN } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 3 } }
layer { name: "relu" type: "ReLU" bottom: "ip" top: "ip" }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
"""
WEIGHTS = [[1.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0]]
BIAS = [0.5, 0.0, 0.25]


def field(number: int, content: bytes) -> bytes:
    size, length = len(content), b""
    while True:
        length += bytes([size & 0x7F | (0x80 if size > 0x7F else 0)])
        size >>= 7
        if not size:
            break
    key, head = number << 3 | 2, b""
    while True:
        head += bytes([key & 0x7F | (0x80 if key > 0x7F else 0)])
        key >>= 7
        if not key:
            break
    return head + length + content


def blob(dims: List[int], numbers: List[float]) -> bytes:
    return field(7, field(1, bytes(dims))) + field(5, struct.pack("<%df" % len(numbers), *numbers))


def weights() -> bytes:
    flat = [number for row in WEIGHTS for number in row]
    layer = field(1, b"ip") + field(2, b"InnerProduct") + field(7, blob([3, 4], flat)) + field(7, blob([3], BIAS))
    return field(1, b"tiny") + field(100, layer)


@unittest.skipIf(importlib.util.find_spec("cv2") is None or importlib.util.find_spec("PIL") is None, "OpenCV or Pillow is not installed")
class Networks(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.network = os.path.join(folder.name, "deploy.prototxt")
        self.weights = os.path.join(folder.name, "tiny.caffemodel")
        with open(self.network, "w") as text:
            text.write(NETWORK)
        with open(self.weights, "wb") as file:
            file.write(weights())

    def expected(self, item: List[float]) -> Any:
        import numpy

        scores = numpy.maximum(numpy.dot(WEIGHTS, item) + BIAS, 0)
        return numpy.exp(scores) / numpy.exp(scores).sum()

    def test_it_answers_as_the_numbers_say(self) -> None:
        import caffe
        import numpy

        caffe.set_mode_cpu()
        net = caffe.Net(self.network, self.weights, caffe.TEST)
        self.assertEqual((net.inputs, net.outputs, list(net.blobs), net.blobs["data"].data.shape), (["data"], ["prob"], ["data", "ip", "prob"], (4, 1, 2, 2)))
        net.blobs["data"].data[...] = numpy.array([[3, 1], [2, 0]], dtype=numpy.float32)
        out = net.forward()
        self.assertEqual(out["prob"].shape, (4, 3))
        numpy.testing.assert_allclose(out["prob"][3], self.expected([3, 1, 2, 0]), rtol=1e-5)
        numpy.testing.assert_allclose(net.blobs["ip"].data[0], [3.5, 2, 0], rtol=1e-6)
        numpy.testing.assert_allclose(net.params["ip"][1].data.ravel(), BIAS)

    def test_other_shapes_and_more_items_than_the_batch(self) -> None:
        import caffe
        import numpy

        net = caffe.Net(self.network, caffe.TEST, weights=self.weights)
        net.blobs["data"].reshape(1, 1, 2, 2)
        net.reshape()
        self.assertEqual(net.forward(data=numpy.ones((1, 1, 2, 2)))["prob"].shape, (1, 3))
        items = numpy.arange(36, dtype=numpy.float32).reshape(9, 1, 2, 2) / 10
        found = net.forward_all(blobs=["ip"], data=items)
        self.assertEqual((found["prob"].shape, found["ip"].shape), ((9, 3), (9, 3)))
        numpy.testing.assert_allclose(found["prob"][7], self.expected(items[7].ravel()), rtol=1e-5)

    def test_what_it_cannot_do_is_said(self) -> None:
        import caffe

        with self.assertRaisesRegex(NotImplementedError, "only predicts"):
            caffe.Net(self.network, self.weights, caffe.TRAIN)
        with self.assertRaisesRegex(AttributeError, "only runs trained networks"):
            caffe.SGDSolver("solver.prototxt")
        with self.assertRaisesRegex(ValueError, "do not match"):
            caffe.Net(self.network, self.weights, caffe.TEST).forward(other=1)

    def test_images_become_inputs(self) -> None:
        import caffe
        import numpy
        from PIL import Image  # type: ignore[import-not-found,import-untyped,unused-ignore]

        file = io.BytesIO()
        Image.fromarray(numpy.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], dtype=numpy.uint8)).save(file, format="PNG")
        file.seek(0)
        image = caffe.io.load_image(file)
        self.assertEqual((image.shape, image.dtype, image[0, 0].tolist()), ((2, 2, 3), numpy.dtype("float32"), [1.0, 0.0, 0.0]))
        file.seek(0)
        numpy.testing.assert_allclose(caffe.io.load_image(file, color=False)[:, :, 0], [[0.2125, 0.7154], [0.0721, 1]], rtol=1e-6)
        transformer = caffe.io.Transformer({"data": (1, 3, 2, 2)})
        transformer.set_transpose("data", (2, 0, 1))
        transformer.set_channel_swap("data", (2, 1, 0))
        transformer.set_raw_scale("data", 255)
        transformer.set_mean("data", numpy.array([1, 2, 3]))
        ready = transformer.preprocess("data", image)
        self.assertEqual(ready[:, 0, 0].tolist(), [-1.0, -2.0, 252.0])
        numpy.testing.assert_allclose(transformer.deprocess("data", ready), image, atol=1e-6)
        self.assertEqual(caffe.io.resize_image(image, (4, 6)).shape, (4, 6, 3))

    def test_a_classifier(self) -> None:
        import caffe
        import numpy

        with open(self.network) as text:
            colours = text.read().replace("dim: 4 dim: 1", "dim: 10 dim: 1")
        with open(self.network, "w") as text:
            text.write(colours)
        classifier = caffe.Classifier(self.network, self.weights, image_dims=(2, 2))
        image = numpy.array([[[0.3], [0.1]], [[0.2], [0.0]]], dtype=numpy.float32)
        numpy.testing.assert_allclose(classifier.predict([image], oversample=False)[0], self.expected([0.3, 0.1, 0.2, 0]), rtol=1e-5)
        self.assertEqual(classifier.predict([image, image]).shape, (2, 3))


@unittest.skipIf(importlib.util.find_spec("cv2") is None, "OpenCV is not installed")
class MeanFiles(unittest.TestCase):
    def test_they_are_read_without_protobuf(self) -> None:
        from caffe.proto import caffe_pb2

        mean = caffe_pb2.BlobProto()
        mean.ParseFromString(blob([2, 1], [0.5, 1.5]))
        self.assertEqual((mean.shape.dim, mean.data), ([2, 1], [0.5, 1.5]))
        old = caffe_pb2.BlobProto.FromString(b"\x08\x01\x10\x02\x18\x01\x20\x01" + field(5, struct.pack("<2f", 1, 2)))
        self.assertEqual((old.num, old.channels, old.data), (1, 2, [1.0, 2.0]))
        with self.assertRaises(ValueError):
            caffe_pb2.BlobProto.FromString(b"\x2a\xff\x01")


if __name__ == "__main__":
    unittest.main()
