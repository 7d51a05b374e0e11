"""A network that says what an image shows."""

from __future__ import annotations

from typing import Any, Optional, Sequence

import numpy  # type: ignore[import-not-found,import-untyped,unused-ignore]

from .io import Transformer, dims_of, oversample, resize_image
from .net import TEST, Net


class Classifier(Net):
    """`predict` takes images as `caffe.io.load_image` gives them."""

    def __init__(
        self,
        model_file: str,
        pretrained_file: str,
        image_dims: Optional[Sequence[int]] = None,
        mean: Any = None,
        input_scale: Optional[float] = None,
        raw_scale: Optional[float] = None,
        channel_swap: Optional[Sequence[int]] = None,
    ) -> None:
        super().__init__(model_file, pretrained_file, TEST)
        name = self.inputs[0]
        self.transformer = Transformer({name: self.blobs[name].data.shape})
        self.transformer.set_transpose(name, (2, 0, 1))
        if mean is not None:
            self.transformer.set_mean(name, mean)
        if input_scale is not None:
            self.transformer.set_input_scale(name, input_scale)
        if raw_scale is not None:
            self.transformer.set_raw_scale(name, raw_scale)
        if channel_swap is not None:
            self.transformer.set_channel_swap(name, channel_swap)
        self.crop_dims: Any = numpy.array(self.blobs[name].data.shape[2:])
        self.image_dims = dims_of(image_dims, list(self.crop_dims))

    def predict(self, inputs: Sequence[Any], oversample: bool = True) -> Any:  # noqa: A002 - pycaffe's names
        """One row of scores for each image; with `oversample` the mean over ten crops."""
        images = [resize_image(image, self.image_dims) for image in inputs]
        crops = _ten(images, self.crop_dims) if oversample else _middle(images, self.crop_dims)
        name = self.inputs[0]
        given: Any = numpy.array([self.transformer.preprocess(name, crop) for crop in crops], dtype=numpy.float32)
        scores = self.forward_all(None, **{name: given})[self.outputs[0]]
        return scores.reshape(len(scores) // 10, 10, -1).mean(1) if oversample else scores


def _ten(images: Sequence[Any], crop_dims: Any) -> Any:
    return oversample(images, crop_dims)


def _middle(images: Sequence[Any], crop_dims: Any) -> Any:
    height, width = int(crop_dims[0]), int(crop_dims[1])
    tops = [((image.shape[0] - height) // 2, (image.shape[1] - width) // 2) for image in images]
    return numpy.array([image[top : top + height, left : left + width] for image, (top, left) in zip(images, tops)])
