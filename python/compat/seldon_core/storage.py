"""Where model files come from: a local folder, as in the release that this stands in for."""

from __future__ import annotations

import glob
import os
from typing import Optional

_LOCAL = "file://"


class Storage:
    @staticmethod
    def download(uri: str, out_dir: Optional[str] = None) -> str:
        """The local path of `uri`; with `out_dir` a folder of links to what is there."""
        path = uri.replace(_LOCAL, "", 1)
        if not uri.startswith(_LOCAL) and not os.path.exists(uri):
            raise Exception("Cannot recognize storage type for %s. Only %s is currently available as storage type." % (uri, _LOCAL))
        if not os.path.exists(path):
            raise RuntimeError("Local path %s does not exist." % uri)
        if out_dir is None:
            return path
        os.makedirs(out_dir, exist_ok=True)
        for source in glob.glob(os.path.join(path, "*") if os.path.isdir(path) else path):
            os.symlink(source, os.path.join(out_dir, os.path.basename(source)))
        return out_dir
