"""Standard flags, defined when this module is imported. Works with TensorFlow 1 and 2, and with absl alone."""

from uaitrain.arch.places import FOLDERS


def _flags():
    try:
        from absl import flags
    except ImportError:
        pass
    else:
        try:
            # It has a log_dir of its own; defined after ours, it would be refused.
            import absl.logging  # noqa: F401
        except ImportError:
            pass
        return flags
    import tensorflow as tf

    return getattr(tf, "app", None).flags if hasattr(tf, "app") else tf.compat.v1.flags


def _define(flags):
    known = flags.FLAGS
    for name, default, text in FOLDERS:
        if name not in known:
            flags.DEFINE_string(name, default, text)
        else:
            known.set_default(name, default)
    if "num_gpus" not in known:
        flags.DEFINE_integer("num_gpus", 0, "graphics cards of the node; 0 means CPU")
    if "max_step" not in known:
        flags.DEFINE_integer("max_step", 0, "steps to train, for the script to use as it likes")


flags = _flags()
_define(flags)
FLAGS = flags.FLAGS
