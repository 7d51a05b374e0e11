"""A model becomes ONNX, in an environment that has its framework and a converter, and both are asked the same.

`python -m slipway_convert JOB`: JOB is a JSON file that `job.py` explains. The model is loaded by the worker's loaders, so that a pickle imports
what the allow-list names and nothing else. One file a family of frameworks, each with `convert(job)`, which gives a `Converted`.
"""
