"""The logger of the old tools. What it is told goes where the server's log goes; no file is written."""

from __future__ import annotations

import logging

uai_logger = logging.getLogger("uaiservice")
