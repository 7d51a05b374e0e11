"""Helpers for mxnet scripts."""
