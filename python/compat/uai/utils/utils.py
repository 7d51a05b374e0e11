"""Values as text, and small helpers for arguments."""

from __future__ import annotations

import json
from typing import Any, Dict


def val_to_str(val: Any) -> str:
    """Lists with commas between, truth values in lower case."""
    if isinstance(val, bool):
        return "true" if val else "false"
    return ",".join(map(val_to_str, val)) if isinstance(val, list) else str(val)


def save_json(params: Any, json_file: str) -> None:
    with open(json_file, "w", encoding="utf-8") as file:
        json.dump(params, file)


def str_to_bool(str: str) -> bool:  # noqa: A002 - the old name
    return str.lower() in ("true", "t", "yes", "1")


def parse_unrequired_args(argname: str, args: Dict[str, Any]) -> Any:
    """The argument, or an empty text where it was not given."""
    value = args.get(argname)
    return "" if value is None else value


def param_filter(params: Dict[str, Any]) -> Dict[str, Any]:
    return {name: value for name, value in params.items() if value is not None}
