"""Merges what `list-pickle-classes.py` printed in several environments into `from-releases.json`: `merge-pickle-classes.py OUT FILE...`."""

import json
import sys


def main(out, files):
    merged = {}
    for path in files:
        with open(path, encoding="utf-8") as file:
            for library, modules in json.load(file).items():
                for module, names in modules.items():
                    merged.setdefault(library, {}).setdefault(module, set()).update(names)
    libraries = {library: {module: sorted(names) for module, names in sorted(modules.items())} for library, modules in sorted(merged.items())}
    with open(out, "w", encoding="utf-8") as file:
        json.dump({"libraries": libraries}, file, indent=2)
        file.write("\n")


main(sys.argv[1], sys.argv[2:])
