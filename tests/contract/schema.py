"""Does a value fit a JSON schema, as far as our descriptions use draft 2020-12? A keyword unknown here is a problem."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

Schema = Mapping[str, Any]
_SILENT = frozenset({"title", "description", "default", "examples", "example", "writeOnly", "contentMediaType"})
_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def problems(value: Any, schema: Schema, root: Schema, where: str = "$") -> list[str]:
    """What is wrong with `value`; references are looked up in `root`."""
    return list(_problems(value, schema, root, where))


def resolved(schema: Schema, root: Schema) -> Schema:
    while (reference := schema.get("$ref")) is not None:
        part: Any = root
        for name in reference.removeprefix("#/").split("/"):
            part = part[name]
        schema = part
    return schema


def _problems(value: Any, schema: Schema, root: Schema, where: str) -> Iterator[str]:
    schema = resolved(schema, root)
    for keyword, wanted in schema.items():
        if keyword in _INSIDE:
            yield from _INSIDE[keyword](value, wanted, schema, root, where)
        elif keyword in _SIMPLE:
            if not _SIMPLE[keyword](value, wanted):
                yield f"{where}: {str(value)[:60]!r} against {keyword} {str(wanted)[:60]}"
        elif keyword not in _SILENT:
            yield f"{where}: nobody here knows the keyword {keyword}"


def _is(value: Any, wanted: str | list[str]) -> bool:
    names = [wanted] if isinstance(wanted, str) else wanted
    return any(
        isinstance(value, _TYPES[name]) and not (isinstance(value, bool) and name in {"integer", "number"})
        for name in names
    )


def _formatted(value: Any, wanted: str) -> bool:
    if not isinstance(value, str):
        return True
    try:
        match wanted:
            case "uuid":
                UUID(value)
            case "date":
                date.fromisoformat(value)
            case "date-time":
                return datetime.fromisoformat(value).tzinfo is not None
            case _:
                pass
    except ValueError:
        return False
    return True


def _same(left: Any, right: Any) -> bool:
    return type(left) is type(right) and left == right


_SIMPLE: Mapping[str, Callable[[Any, Any], bool]] = {
    "type": _is,
    "format": _formatted,
    "enum": lambda value, wanted: any(_same(value, one) for one in wanted),
    "const": _same,
    "minimum": lambda value, wanted: not _is(value, "number") or value >= wanted,
    "maximum": lambda value, wanted: not _is(value, "number") or value <= wanted,
    "exclusiveMinimum": lambda value, wanted: not _is(value, "number") or value > wanted,
    "minLength": lambda value, wanted: not isinstance(value, str) or len(value) >= wanted,
    "maxLength": lambda value, wanted: not isinstance(value, str) or len(value) <= wanted,
    "pattern": lambda value, wanted: not isinstance(value, str) or re.search(wanted, value) is not None,
    "minItems": lambda value, wanted: not isinstance(value, list) or len(value) >= wanted,
    "maxItems": lambda value, wanted: not isinstance(value, list) or len(value) <= wanted,
}


def _properties(value: Any, wanted: Any, _: Schema, root: Schema, where: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in wanted.items():
            if name in value:
                yield from _problems(value[name], inner, root, f"{where}.{name}")


def _additional(value: Any, wanted: Any, schema: Schema, root: Schema, where: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name in value.keys() - schema.get("properties", {}).keys():
            if wanted is False:
                yield f"{where}: {name} is not described"
            elif wanted is not True:
                yield from _problems(value[name], wanted, root, f"{where}.{name}")


def _required(value: Any, wanted: Any, _: Schema, __: Schema, where: str) -> Iterator[str]:
    if isinstance(value, dict) and (missing := set(wanted) - value.keys()):
        yield f"{where}: without {sorted(missing)}"


def _items(value: Any, wanted: Any, _: Schema, root: Schema, where: str) -> Iterator[str]:
    for place, inner in enumerate(value if isinstance(value, list) else []):
        yield from _problems(inner, wanted, root, f"{where}[{place}]")


def _any(value: Any, wanted: Any, _: Schema, root: Schema, where: str) -> Iterator[str]:
    tried = [problems(value, choice, root, where) for choice in wanted]
    if all(tried):
        yield f"{where}: none of {len(tried)}: {min(tried, key=len)}"


def _all(value: Any, wanted: Any, _: Schema, root: Schema, where: str) -> Iterator[str]:
    for inner in wanted:
        yield from _problems(value, inner, root, where)


_INSIDE: Mapping[str, Callable[[Any, Any, Schema, Schema, str], Iterator[str]]] = {
    "required": _required,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "anyOf": _any,
    "oneOf": _any,
    "allOf": _all,
}
