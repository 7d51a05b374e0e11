"""The loggers that models write to."""

import logging

KSERVE_LOGGER_NAME = "kserve"
logger = logging.getLogger(KSERVE_LOGGER_NAME)
trace_logger = logging.getLogger("kserve.trace")


def configure_logging(log_config=None):
    """The worker has its own."""
