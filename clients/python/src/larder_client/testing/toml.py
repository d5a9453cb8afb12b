"""Just enough TOML for a larder.toml that a test describes by keyword arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def document(config: Mapping[str, object]) -> str:
    """`{"cache": {"default_ttl": "60s"}}` as a file. Raises TypeError for what it can't write."""
    return "".join(f"{key} = {value}\n" for key, value in _lines("", config))


def _lines(prefix: str, config: Mapping[str, object]) -> list[tuple[str, str]]:
    lines = []
    for name, value in config.items():
        # "cache.default_ttl" as one name means the same as a table within a table.
        key = prefix + ".".join(map(_key, name.split(".")))
        if isinstance(value, Mapping):
            lines += _lines(f"{key}.", value)
        else:
            lines.append((key, _value(value, key)))
    return lines


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _value(value: object, key: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(one, key) for one in value)}]"
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(str(k))} = {_value(v, key)}" for k, v in value.items())
        return f"{{ {inner} }}"
    raise TypeError(
        f"{key}: larder.toml has strings, whole numbers, true, false and lists of "
        f"them, not {value!r}"
    )
