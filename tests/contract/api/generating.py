"""JSON that fits a schema of ours, or nearly, or not at all."""

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.contract.schema import resolved

Schema = Mapping[str, Any]
CANARY = "canary-7f3a"
"""A value that no answer may repeat."""
_INTEGERS = st.integers(-(2**70), 2**70)
_TEXT = st.text(st.characters(exclude_categories=[]), max_size=60)  # also NUL, controls and lone surrogates


def wild() -> SearchStrategy[Any]:
    """Any JSON, and what Python's reader takes for JSON."""
    leaves = st.none() | st.booleans() | _INTEGERS | st.floats() | _TEXT | st.just(CANARY)
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4))


def fitting(schema: Schema, root: Schema) -> SearchStrategy[Any]:
    """What the schema allows; rules between fields are not in it, so that such a value may still be refused."""
    schema = resolved(schema, root)
    if choices := schema.get("enum") or ([schema["const"]] if "const" in schema else None):
        return st.sampled_from(choices)
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return st.one_of([fitting(choice, root) for choice in choices])
    match schema.get("type"):
        case "object":
            return _object(schema, root)
        case "array":
            most = min(schema.get("maxItems", 3), 3)
            return st.lists(fitting(schema["items"], root), min_size=schema.get("minItems", 0), max_size=most)
        case kind:
            return _SCALARS[kind](schema) if kind in _SCALARS else wild()


def _object(schema: Schema, root: Schema) -> SearchStrategy[Any]:
    required = set(schema.get("required", ()))
    fields = {name: fitting(inner, root) for name, inner in schema.get("properties", {}).items()}
    if not fields:
        return st.dictionaries(st.text(max_size=10), wild(), max_size=2)
    return st.fixed_dictionaries(
        {name: field for name, field in fields.items() if name in required},
        optional={name: field for name, field in fields.items() if name not in required},
    )


def _string(schema: Schema) -> SearchStrategy[str]:
    least, most = schema.get("minLength", 0), schema.get("maxLength", 60)
    match schema:
        case {"format": "uuid"}:
            return st.uuids().map(str)
        case {"format": "date"}:
            return st.dates().map(str)
        case {"format": "date-time"}:
            return st.datetimes(timezones=st.timezones()).map(lambda at: at.isoformat())
        case {"pattern": pattern}:
            found = st.from_regex(pattern, fullmatch=True)
            return found.filter(lambda text: least <= len(text) <= most)
        case _:
            return st.text(min_size=least, max_size=min(most, 60))


def _integer(schema: Schema) -> SearchStrategy[int]:
    return st.integers(schema.get("minimum", -(2**40)), schema.get("maximum", 2**40))


def _number(schema: Schema) -> SearchStrategy[float]:
    low, high = schema.get("minimum", -1e12), schema.get("maximum", 1e12)
    return st.floats(low, high, allow_nan=False, allow_infinity=False)


_SCALARS: Mapping[Any, Callable[[Schema], SearchStrategy[Any]]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": lambda _: st.booleans(),
    "null": lambda _: st.none(),
}


@st.composite
def bodies(draw: st.DrawFn, schema: Schema, root: Schema) -> Any:
    """Fitting; or one field otherwise, missing or unknown; or anything."""
    kind = draw(st.sampled_from(["fitting", "field", "missing", "unknown", "wild"]))
    if kind == "wild":
        return draw(wild())
    body = draw(fitting(schema, root))
    if not isinstance(body, dict) or kind == "fitting":
        return body
    if kind == "unknown":
        return {**body, draw(_TEXT): draw(wild())}
    fields = sorted(resolved(schema, root).get("properties", {}))
    chosen = draw(st.sampled_from(fields)) if fields else CANARY
    if kind == "missing":
        return {name: value for name, value in body.items() if name != chosen}
    return {**body, chosen: draw(wild())}
