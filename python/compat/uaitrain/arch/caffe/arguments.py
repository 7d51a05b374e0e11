"""Arguments of the Caffe trainers."""

import argparse

from uaitrain.arch.places import add_folder_arguments


def to_bool(text):
    """`True`, `true`, `1`, `yes` and their opposites."""
    lowered = text.strip().lower()
    if lowered in ("true", "t", "yes", "y", "1"):
        return True
    if lowered in ("false", "f", "no", "n", "0"):
        return False
    raise argparse.ArgumentTypeError("%r is neither true nor false" % text)


def make_parser():
    """The parser that both trainers share."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--solver", required=True, help="solver prototxt")
    parser.add_argument("--snapshot", help="solver state to go on from")
    parser.add_argument("--use_cpu", type=to_bool, default=False, help="train without graphics cards")
    parser.add_argument("--num_gpus", type=int, default=1, help="graphics cards of the node")
    parser.add_argument("--timing", action="store_true", help="print the time of each iteration")
    add_folder_arguments(parser)
    return parser
