"""A small stand-in for the `seldon_core` package: what user classes commonly import from it, and nothing that serves.

It stands last on the import path, so that the real package wins wherever it is installed.
"""

__version__ = "1.17.1+slipway"
