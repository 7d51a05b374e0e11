#!/usr/bin/env python
"""Hands the commands of an old packing tool over to slipway. Written by `slipway old-tools`; runs on Python 2.7 and 3.

What the file is called says which tool it is: uai_tool.py, or pytorch_tool.py and its siblings.
"""

import os
import sys

# How slipway was started when this file was written; `slipway` on PATH comes first where that is gone.
COMMAND = ["slipway"]

TRAINING = {"pytorch_tool": "pytorch", "tf_tool": "tf", "keras_tool": "keras", "caffe_tool": "caffe", "mxnet_tool": "mxnet", "base_tool": "self"}

CONSOLE = "nothing here replaces it: it asked the vendor's service; do it in the vendor's console"
CLUSTER = "on Kubernetes `slipway manifest` writes the objects that serve an image, and kubectl does the rest; for the vendor's service use its console"
JOBS = "on Kubernetes `slipway train manifest` writes the object of a packed job, and kubectl follows it; for the vendor's service use its console"

INFERENCE_ANSWERS = {
    "tar": "no archive is needed: `uai_tool.py packdocker` packs the folder itself",
    "pack": "no archive is uploaded any more: `uai_tool.py packdocker` makes an image and pushes it",
    "create": CLUSTER,
    "delete": CLUSTER,
    "deploy": CLUSTER,
    "deploydocker": CLUSTER,
    "start": CLUSTER,
    "stop": CLUSTER,
    "modifynodecount": CLUSTER,
    "modifyweight": CLUSTER,
    "metric": "every image answers /metrics; for the vendor's service use its console",
    "listservice": CONSOLE,
    "listversion": CONSOLE,
    "modifyname": CONSOLE,
    "modifymemo": CONSOLE,
    "checkprogress": CONSOLE,
    "availableenv": "`slipway packdocker MODE --help` and catalogue/catalogue.json name what is known",
    "checkbase": "`slipway packdocker MODE FLAGS --dry-run` checks the base",
}

TRAINING_ANSWERS = {
    "create": JOBS,
    "stop": JOBS,
    "delete": JOBS,
    "list": JOBS,
    "info": JOBS,
    "log": JOBS,
    "conf": JOBS,
    "topic": JOBS,
    "bill": CONSOLE,
    "rename": CONSOLE,
    "predict": CONSOLE,
    "url": "TensorBoard reads the output folder: tensorboard --logdir OUTPUT",
}


def main():
    name = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    framework = TRAINING.get(name)
    words = sys.argv[1:]
    wanted = "packdocker" if framework is None else "pack"
    if words[:1] == [wanted]:
        start((["packdocker"] if framework is None else [framework, "pack"]) + words[1:])
    answers = INFERENCE_ANSWERS if framework is None else TRAINING_ANSWERS
    said = words[0] if words else ""
    if said in answers:
        sys.stderr.write("%s %s: %s\n" % (name, said, answers[said]))
    else:
        sys.stderr.write("%s: write `%s.py %s FLAGS`; the other commands were %s\n" % (name, name, wanted, ", ".join(sorted(answers))))
    sys.exit(2)


def start(words):
    """Becomes slipway."""
    program = COMMAND if os.path.isabs(COMMAND[0]) and all(os.path.exists(part) for part in COMMAND) else ["slipway"]
    sys.stdout.flush()
    try:
        os.execvp(program[0], program + words)
    except OSError:
        sys.stderr.write("there is no `slipway` on PATH: install it, or run `slipway old-tools --force` once more\n")
        sys.exit(8)


if __name__ == "__main__":
    main()
