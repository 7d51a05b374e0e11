"""Import paths and limits of the process; runs before anything of the user is imported."""

from __future__ import annotations

import os
import site
import sys
from typing import List

from .settings import Settings

_COMPAT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "compat")
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_SLACK_BYTES = 1 << 30


def set_up_paths(settings: Settings) -> None:
    """Site folders before the interpreter's own packages; the code folder after all of them, as the Seldon wrapper has it; our
    stand-in for `seldon_core` last, so that the real one wins."""
    for folder in settings.site_path:
        before = len(sys.path)
        site.addsitedir(folder)
        added: List[str] = sys.path[before:]
        del sys.path[before:]
        at = next((index for index, path in enumerate(sys.path) if path.endswith(("site-packages", "dist-packages"))), len(sys.path))
        sys.path[at:at] = added
    if settings.code_path:
        sys.path.append(settings.code_path)
    sys.path.append(_COMPAT)


def set_up_limits(settings: Settings) -> None:
    """Shares the cores between workers, and bounds what a single allocation can take; the server watches the rest."""
    if settings.workers > 1:
        share = str(max(1, (os.cpu_count() or 1) // settings.workers))
        for name in _THREAD_VARIABLES:
            os.environ.setdefault(name, share)
    if settings.memory_bytes:
        import resource

        limit = max(2 * settings.memory_bytes, settings.memory_bytes + _SLACK_BYTES)
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard == resource.RLIM_INFINITY or limit < hard:
            resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
