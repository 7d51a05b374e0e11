"""Images as arrays, and arrays as the network wants them."""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence, Tuple

import numpy  # type: ignore[import-not-found,import-untyped,unused-ignore]

_GREY = (0.2125, 0.7154, 0.0721)
"""Shares of red, green and blue, as scikit-image has them."""


def load_image(filename: Any, color: bool = True) -> Any:
    """An image, from a path or an open file, as float32 from 0 to 1: height, width, and 3 colours (RGB) or 1."""
    from PIL import Image  # type: ignore[import-not-found,import-untyped,unused-ignore]

    with Image.open(filename) as image:
        if image.mode not in ("L", "RGB"):
            image = image.convert("L" if image.mode in ("1", "LA", "I;16") else "RGB")
        pixels = numpy.asarray(image, dtype=numpy.float32) / 255.0
    if pixels.ndim == 2:
        pixels = pixels[:, :, numpy.newaxis]
        return numpy.tile(pixels, (1, 1, 3)) if color else pixels
    return pixels if color else numpy.dot(pixels, numpy.array(_GREY, dtype=numpy.float32))[:, :, numpy.newaxis]


def resize_image(im: Any, new_dims: Sequence[int], interp_order: int = 1) -> Any:
    """An array of height, width and channels in another height and width. `interp_order`: 0 nearest, 1 linear, 3 cubic."""
    import cv2  # type: ignore[import-not-found,import-untyped,unused-ignore]

    ways = {0: cv2.INTER_NEAREST, 1: cv2.INTER_LINEAR}
    height, width = int(new_dims[0]), int(new_dims[1])
    resized = cv2.resize(numpy.ascontiguousarray(im, dtype=numpy.float32), (width, height), interpolation=ways.get(interp_order, cv2.INTER_CUBIC))
    return resized.reshape(height, width, -1)


def oversample(images: Sequence[Any], crop_dims: Sequence[int]) -> Any:
    """Ten crops of each image: the corners and the middle, and their mirrors."""
    crop_height, crop_width = int(crop_dims[0]), int(crop_dims[1])
    crops = []
    for image in images:
        height, width = image.shape[:2]
        tops, lefts = (0, height - crop_height), (0, width - crop_width)
        corners = [(top, left) for top in tops for left in lefts] + [((height - crop_height) // 2, (width - crop_width) // 2)]
        parts = [image[top : top + crop_height, left : left + crop_width] for top, left in corners]
        crops.extend(parts + [part[:, ::-1] for part in parts])
    return numpy.array(crops, dtype=numpy.float32)


def blobproto_to_array(blob: Any, return_diff: bool = False) -> Any:
    """The numbers of a BlobProto, such as a mean file."""
    values = numpy.array(blob.diff if return_diff else blob.data, dtype=numpy.float32)
    dims = list(blob.shape.dim) or [blob.num, blob.channels, blob.height, blob.width]
    return values.reshape(dims)


class Transformer:
    """Makes images into inputs. Steps, as far as they are set: size, order of axes, order of channels, raw scale, mean, input scale."""

    def __init__(self, inputs: Dict[str, Sequence[int]]) -> None:
        self.inputs = inputs
        self.transpose: Dict[str, Sequence[int]] = {}
        self.channel_swap: Dict[str, Sequence[int]] = {}
        self.raw_scale: Dict[str, float] = {}
        self.mean: Dict[str, Any] = {}
        self.input_scale: Dict[str, float] = {}

    def _check(self, in_: str) -> None:
        if in_ not in self.inputs:
            raise Exception("%s is not one of the net inputs: %s" % (in_, list(self.inputs)))

    def preprocess(self, in_: str, data: Any) -> Any:
        self._check(in_)
        array = numpy.asarray(data).astype(numpy.float32, copy=False)
        dims = tuple(self.inputs[in_][2:])
        if array.shape[:2] != dims:
            array = resize_image(array, dims)
        if self.transpose.get(in_) is not None:
            array = array.transpose(self.transpose[in_])
        if self.channel_swap.get(in_) is not None:
            array = array[list(self.channel_swap[in_]), :, :]
        if self.raw_scale.get(in_) is not None:
            array = array * numpy.float32(self.raw_scale[in_])
        if self.mean.get(in_) is not None:
            array = array - self.mean[in_]
        if self.input_scale.get(in_) is not None:
            array = array * numpy.float32(self.input_scale[in_])
        return array

    def deprocess(self, in_: str, data: Any) -> Any:
        self._check(in_)
        array = numpy.array(data, dtype=numpy.float32).squeeze()
        if self.input_scale.get(in_) is not None:
            array = array / self.input_scale[in_]
        if self.mean.get(in_) is not None:
            array = array + self.mean[in_]
        if self.raw_scale.get(in_) is not None:
            array = array / self.raw_scale[in_]
        if self.channel_swap.get(in_) is not None:
            array = array[numpy.argsort(self.channel_swap[in_]), :, :]
        return array.transpose(numpy.argsort(self.transpose[in_])) if self.transpose.get(in_) is not None else array

    def set_transpose(self, in_: str, order: Sequence[int]) -> None:
        self._check(in_)
        if len(order) != len(self.inputs[in_]) - 1:
            raise Exception("Transpose order needs to have the same number of dimensions as the input.")
        self.transpose[in_] = order

    def set_channel_swap(self, in_: str, order: Sequence[int]) -> None:
        self._check(in_)
        if len(order) != self.inputs[in_][1]:
            raise Exception("Channel swap needs to have the same number of dimensions as the input channels.")
        self.channel_swap[in_] = order

    def set_raw_scale(self, in_: str, scale: float) -> None:
        self._check(in_)
        self.raw_scale[in_] = scale

    def set_input_scale(self, in_: str, scale: float) -> None:
        self._check(in_)
        self.input_scale[in_] = scale

    def set_mean(self, in_: str, mean: Any) -> None:
        """One number for each channel, or an array like the input."""
        self._check(in_)
        array = numpy.asarray(mean, dtype=numpy.float32)
        if array.ndim == 1:
            if array.shape[0] not in (1, self.inputs[in_][1]):
                raise ValueError("Mean channels incompatible with input.")
            array = array[:, numpy.newaxis, numpy.newaxis]
        elif array.ndim == 2:
            array = array[numpy.newaxis, :, :]
        elif array.shape != tuple(self.inputs[in_])[1:]:
            array = resize_image(array.transpose(1, 2, 0), self.inputs[in_][2:]).transpose(2, 0, 1)
        self.mean[in_] = array


def dims_of(size: Optional[Sequence[int]], otherwise: Sequence[int]) -> Tuple[int, int]:
    """Height and width, of which a caller may have said nothing."""
    chosen = otherwise if size is None else size
    return int(chosen[0]), int(chosen[1])
