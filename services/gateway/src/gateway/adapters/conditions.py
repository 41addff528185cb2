"""A WHERE clause from the filters that are given: constant text, bound values.

`$1 IS NULL OR column = $1` would be one statement for all, but a generic plan for it uses no index.
"""

from typing import Any


class Conditions:
    def __init__(self, values: list[Any] | None = None) -> None:
        """`values`: those of the same statement that come before, where there are some."""
        self._texts: list[str] = []
        self.values: list[Any] = [] if values is None else values

    def add(self, template: str, *values: Any) -> None:
        """`template` has one `{}` for each value."""
        first = len(self.values) + 1
        self._texts.append(template.format(*(f"${first + offset}" for offset in range(len(values)))))
        self.values.extend(values)

    def equal(self, column: str, value: Any) -> None:
        if value is not None:
            self.add(f"{column} = {{}}", value)

    @property
    def sql(self) -> str:
        return "WHERE " + " AND ".join(self._texts) if self._texts else ""
