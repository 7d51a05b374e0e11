"""Frames of a stream, by OpenCV."""

from __future__ import annotations

from typing import Any, Optional


class UaiOpenCVRtspProcessor:
    """One stream, such as `rtsp://…`, open until `cleanup`."""

    def __init__(self, video_stream: Any, width: int, height: int) -> None:
        import cv2  # type: ignore[import-not-found,import-untyped,unused-ignore]

        self._cv2: Any = cv2
        self._vcap: Any = cv2.VideoCapture(video_stream)
        self._vcap.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        self._vcap.set(cv2.CAP_PROP_FRAME_HEIGHT, height)

    def get_frame(self) -> Optional[Any]:
        """The next frame as an image of Pillow; None where there is none."""
        return self.get_next_n_frame(1)

    def get_next_n_frame(self, n: int) -> Optional[Any]:
        """The n-th frame from here as an image of Pillow, or the last one before the stream ends."""
        from PIL import Image  # type: ignore[import-not-found,import-untyped,unused-ignore]

        last = None
        for _ in range(n):
            is_read, frame = self._vcap.read()
            if not is_read:
                break
            last = frame
        return None if last is None else Image.fromarray(self._cv2.cvtColor(last, self._cv2.COLOR_BGR2RGB))

    def cleanup(self) -> None:
        self._vcap.release()
