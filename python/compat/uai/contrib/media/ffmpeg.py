"""Frames of a video, by the programs `ffprobe` and `ffmpeg`; an image needs the Debian package ffmpeg."""

from __future__ import annotations

import os
import subprocess
import tempfile
from typing import Any, List


class UaiVideoProcessor:
    """One video, kept in a file of its own until `cleanup`."""

    def __init__(self, video_stream: Any) -> None:
        """`video_stream`: the bytes of the video."""
        handle, self._video_path = tempfile.mkstemp(suffix=".mp4")
        with os.fdopen(handle, "wb") as file:
            file.write(video_stream.encode("latin-1") if isinstance(video_stream, str) else video_stream)

    def get_video_len(self) -> float:
        """Seconds."""
        return float(self._probe("-show_entries", "format=duration", "-of", "default=noprint_wrappers=1:nokey=1"))

    def get_frame_rage(self) -> float:
        """Frames a second. The name is the old one."""
        count, _, seconds = self._probe("-of", "csv=p=0", "-select_streams", "0", "-show_entries", "stream=r_frame_rate").partition("/")
        return float(count) / float(seconds or 1)

    def slice_video2image_basic(self, time_gap: int = 10) -> List[str]:
        """Paths of JPEG files, one for each `time_gap` seconds."""
        folder = tempfile.mkdtemp()
        images: List[str] = []
        start, end = 0, self.get_video_len()
        while start < end:
            path = os.path.join(folder, "%d-image.jpeg" % start)
            command = ["ffmpeg", "-v", "error", "-y", "-ss", str(start), "-i", self._video_path, "-frames:v", "1", "-f", "image2", path]
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
            if os.path.exists(path):
                images.append(path)
            start += time_gap
        return images

    def slice_video2image(self, time_gap: int = 10) -> List[Any]:
        """The same as images of Pillow; no file is left."""
        from PIL import Image  # type: ignore[import-not-found,import-untyped,unused-ignore]

        images: List[Any] = []
        for path in self.slice_video2image_basic(time_gap):
            with Image.open(path) as image:
                image.load()
                images.append(image.copy())
            os.remove(path)
        return images

    def cleanup(self) -> None:
        os.remove(self._video_path)

    def _probe(self, *arguments: str) -> str:
        done = subprocess.run(["ffprobe", "-v", "error", *arguments, self._video_path], check=True, capture_output=True, text=True)
        return done.stdout.strip().split("\n")[0]
