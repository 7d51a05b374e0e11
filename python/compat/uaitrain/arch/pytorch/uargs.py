"""Arguments that the job executor passes to every script."""

from uaitrain.arch.places import add_folder_arguments


def add_uai_args(parser):
    """Adds the standard arguments to an argparse parser; `num_gpus` is None on a machine without any."""
    group = parser.add_argument_group("UAI-Train", "set by the job executor")
    add_folder_arguments(group)
    group.add_argument("--num_gpus", type=int, default=None, help="graphics cards of the node; None means CPU")
    return group
