"""The stand-in for the old inference SDK: the names and shapes that users' classes rely on."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import sys
import unittest
from typing import Any, Dict

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "compat"))

from uai.arch.base_model import AiUcloudModel  # noqa: E402
from uai.arch_conf.tf_conf import TFJsonConfLoader, TFServingJsonConfLoader  # noqa: E402

NAMES: Dict[str, Dict[str, Any]] = {
    "uai.arch.base_model": {"AiUcloudModel": ["conf", "model_type"]},
    "uai.arch.tf_model": {"TFAiUcloudModel": ["conf", "model_type"]},
    "uai.arch.tf_serving": {"TFServingAiUcloudModel": ["conf", "model_type"]},
    "uai.arch.caffe_model": {"CaffeAiUcloudModel": ["conf", "model_type"]},
    "uai.arch.keras_model": {"KerasAiUcloudModel": ["conf", "model_type"]},
    "uai.arch.mxnet_model": {"MXNetAiUcloudModel": ["conf", "model_type"]},
    "uai.arch.xgboost_model": {"XGBoostUcloudModel": ["conf", "model_type"]},
    "uai.arch_conf.base_conf": {"ArchJsonConfLoader": ["conf"]},
    "uai.contrib.image.img_utils": {"encode_images_to_json": ["image_list", "key"], "decode_json_to_images": ["json_data"]},
    "uai.contrib.media.ffmpeg": {"UaiVideoProcessor": ["video_stream"]},
    "uai.contrib.media.opencv_rtsp": {"UaiOpenCVRtspProcessor": ["video_stream", "width", "height"]},
    "uai.utils.utils": {"val_to_str": ["val"], "save_json": ["params", "json_file"], "str_to_bool": ["str"], "param_filter": ["params"]},
    "uai.utils.logger": {"uai_logger": None},
}

SERVING = {
    "exec": {"main_file": "m", "main_class": "C"},
    "tensorflow": {"model_dir": "./d", "input": {"name": "x"}, "output": {"name": ["y"]}, "tag": ["serve"], "signature": "s"},
}


class Names(unittest.TestCase):
    def test_modules_have_the_names_of_the_originals(self) -> None:
        for module, names in NAMES.items():
            found = importlib.import_module(module)
            for name, parameters in names.items():
                if parameters is not None:
                    self.assertEqual(list(inspect.signature(getattr(found, name)).parameters), parameters, "%s.%s" % (module, name))
                else:
                    self.assertTrue(hasattr(found, name))


class Classes(unittest.TestCase):
    def test_methods_of_the_base_class_do_nothing_when_called_through_super(self) -> None:
        class Model(AiUcloudModel):
            def _parse_conf(self, conf: Any) -> None:
                pass

            def load_model(self) -> Any:
                return super().load_model()

        model = Model({}, "None")
        self.assertEqual((model.load_model(), model.execute([], 0), model.conf, model.model_type), (None, None, {}, "None"))

    def test_the_section_of_a_saved_model_is_read_by_the_old_names(self) -> None:
        loader = TFServingJsonConfLoader({"http_server": SERVING})
        self.assertEqual(
            (loader.get_model_dir(), loader.get_input_set(), loader.get_output_set(), loader.get_tag_set(), loader.get_signature()),
            ("./d", {"name": "x"}, {"name": ["y"]}, ["serve"], "s"),
        )
        self.assertEqual(TFJsonConfLoader({"http_server": SERVING}).get_model_dir(), "./d")
        self.assertEqual(loader.get_main_class(), "C")

    def test_a_key_that_is_missing_is_a_key_error(self) -> None:
        with self.assertRaises(KeyError):
            TFServingJsonConfLoader({"http_server": {"exec": {"main_file": "m", "main_class": "C"}, "tensorflow": {"model_dir": "d"}}})


class Helpers(unittest.TestCase):
    def test_values_become_text(self) -> None:
        from uai.utils.utils import param_filter, parse_unrequired_args, str_to_bool, val_to_str

        self.assertEqual((val_to_str(True), val_to_str([1, False, "a"]), val_to_str(0.5)), ("true", "1,false,a", "0.5"))
        self.assertEqual(
            (str_to_bool("Yes"), str_to_bool("no"), param_filter({"a": None, "b": 0}), parse_unrequired_args("a", {"a": None})), (True, False, {"b": 0}, "")
        )

    @unittest.skipIf(importlib.util.find_spec("PIL") is None, "Pillow is not installed")
    def test_images_travel_in_json(self) -> None:
        from PIL import Image  # type: ignore[import-not-found,import-untyped,unused-ignore]
        from uai.contrib.image import img_utils

        text = img_utils.encode_images_to_json([Image.new("RGBA", (4, 3)), Image.new("L", (2, 2), 255)], key="faces")
        self.assertEqual(list(json.loads(text)), ["faces"])
        for given in (text, text.encode()):
            key, images = img_utils.decode_json_to_images(given)
            self.assertEqual((key, [image.size for image in images], images[1].getpixel((0, 0))), ("faces", [(4, 3), (2, 2)], (255, 255, 255)))


if __name__ == "__main__":
    unittest.main()
