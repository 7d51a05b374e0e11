"""Images as JSON: `{key: [JPEG in base64, …]}`."""

from __future__ import annotations

import base64
import io
import json
from typing import Any, List, Sequence, Tuple


def encode_images_to_json(image_list: Sequence[Any], key: str = "imgs") -> str:
    """The images of Pillow as one JSON text, each as a JPEG."""
    encoded: List[str] = []
    for image in image_list:
        buffer = io.BytesIO()
        image.convert("RGB").save(buffer, format="JPEG")
        encoded.append(base64.b64encode(buffer.getvalue()).decode("ascii"))
    return json.dumps({key: encoded})


def decode_json_to_images(json_data: Any) -> Tuple[str, List[Any]]:
    """The key, and the images of Pillow that stand below it. Takes what `encode_images_to_json` gave, as text or bytes."""
    from PIL import Image  # type: ignore[import-not-found,import-untyped,unused-ignore]

    ((key, encoded),) = list(json.loads(json_data).items())[:1]
    return key, [Image.open(io.BytesIO(base64.b64decode(text))) for text in encoded]
