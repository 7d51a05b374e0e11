"""The logger that runtimes write to."""

import logging

logger = logging.getLogger("mlserver")
