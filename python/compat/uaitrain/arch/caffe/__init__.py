"""Helpers for caffe scripts."""
