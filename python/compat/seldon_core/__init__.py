"""A small stand-in for the `seldon_core` package: what user classes commonly import from it, and nothing that serves.

It stands last on the import path, so that the real package wins wherever it is installed.
"""

from .storage import Storage

__version__ = "1.17.1+slipway"
__all__ = ["Storage", "__version__"]
