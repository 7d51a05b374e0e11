"""Loads files with the worker's own unpickler, and nothing before it: `load-in-worker.py WORKER_FOLDER KIND MARKER FILE...`.

Prints JSON: `{file: {"error": null | [type, text], "touched": bool}}`; the marker is removed after each file.
"""

import json
import os
import sys
import warnings

warnings.simplefilter("ignore")
sys.path.insert(0, sys.argv[1])
from slipway_worker.safe_pickle import load_model, read_allowed  # noqa: E402

KIND, MARKER = sys.argv[2], sys.argv[3]


def outcome(path, allowed):
    try:
        load_model(path, allowed)
        return None
    except Exception as error:
        return [type(error).__name__, str(error)[:300]]


def main(paths):
    allowed = read_allowed(KIND)
    outcomes = {}
    for path in paths:
        error = outcome(path, allowed)
        touched = os.path.exists(MARKER)
        outcomes[path] = {"error": error, "touched": touched}
    json.dump(outcomes, sys.stdout)


main(sys.argv[4:])
