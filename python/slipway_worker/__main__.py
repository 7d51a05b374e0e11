"""Entry of the worker process. File descriptor 3 is the socket to the server; 4 and 5 are shared memory, when there is any."""

import os
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [path for path in sys.path if path and os.path.abspath(path) != _HERE]
sys.path.insert(0, os.path.dirname(_HERE))

from slipway_worker.start import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
