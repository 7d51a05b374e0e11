"""What a model's file does with a server under `__main__`, which the worker does not run."""

import argparse

from .logging import logger

parser = argparse.ArgumentParser(add_help=False, conflict_handler="resolve")
for _flag, _kind, _default in (("--http_port", int, 8080), ("--grpc_port", int, 8081), ("--workers", int, 1)):
    parser.add_argument(_flag, type=_kind, default=_default)
for _flag, _default in (("--model_name", "model"), ("--predictor_host", None), ("--predictor_protocol", "v1"), ("--protocol", "v1")):
    parser.add_argument(_flag, default=_default)
args, _ = parser.parse_known_args([])


class ModelServer:
    def __init__(self, *_, **__):
        pass

    def start(self, models):
        """The worker serves the class itself."""
        logger.info("ModelServer.start() does nothing here: the model is served already")
