"""Joins data that was split for transport, then trains as `train.py` does."""

import os
import shutil

from uaitrain.arch.caffe.arguments import make_parser
from uaitrain.arch.caffe.train import train


def add_slice_arguments(parser):
    """Where the slices of the training and the validation data are, and what they become."""
    for name in ("train", "val"):
        parser.add_argument("--%s_dir" % name, help="folder of the slices")
        parser.add_argument("--%s_slice_name" % name, help="what the names of the slices begin with")
        parser.add_argument("--%s_file_name" % name, help="file that they become")
    return parser


def join_slices(folder, prefix, target):
    """Joins the files of `folder` whose names begin with `prefix`, in order; each is removed once it is written."""
    names = sorted(name for name in os.listdir(folder) if name.startswith(prefix) and name != target)
    with open(os.path.join(folder, target), "wb") as out:
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as part:
                shutil.copyfileobj(part, out, 1024 * 1024)
            os.remove(path)
    return len(names)


def main():
    args = add_slice_arguments(make_parser()).parse_args()
    for name in ("train", "val"):
        folder, prefix, target = (getattr(args, "%s_%s" % (name, part)) for part in ("dir", "slice_name", "file_name"))
        if folder and prefix and target:
            join_slices(folder, prefix, target)
    train(args)


if __name__ == "__main__":
    main()
