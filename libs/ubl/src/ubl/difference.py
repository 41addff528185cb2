"""What changed between two versions of a document, field by field."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ubl.names import LINE_TAGS, Element, cbc, short
from ubl.safe import parse
from ubl.values import text

_SHOWN: Final = 500
_LONGEST_LINE_ID: Final = 40


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs; None where a document does not have it. Values are cut to 500 characters."""

    path: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """The changed fields in document order, those of the new document last; `more` were left out."""

    changes: tuple[Change, ...]
    more: int = 0


def difference(old: bytes, new: bytes, limit: int = 200) -> Difference:
    """Every field whose text is not equal, up to `limit`; raises `MalformedDocument`.

    Lines are matched by their `cbc:ID` (`Invoice/cac:InvoiceLine[cbc:ID=2]/cbc:Note`), other repeated elements by their
    position.
    """
    before, after = _fields(parse(old)), _fields(parse(new))
    changed = [path for path in {**before, **after} if before.get(path) != after.get(path)]
    changes = (Change(path, _shown(before.get(path)), _shown(after.get(path))) for path in changed[:limit])
    return Difference(tuple(changes), more=max(0, len(changed) - limit))


def _shown(value: str | None) -> str | None:
    return value if value is None or len(value) <= _SHOWN else value[:_SHOWN] + "…"


def _fields(root: Element) -> dict[str, str]:
    return dict(_walk(root, short(str(root.tag))))


def _walk(element: Element, path: str) -> Iterator[tuple[str, str]]:
    """Its own text and attributes, then what is below; an empty element is a field too, since it may be new."""
    if len(element) == 0 or (element.text and element.text.strip()):
        yield path, element.text or ""
    for name, value in sorted((str(name), str(value)) for name, value in element.attrib.items()):
        yield f"{path}/@{short(name)}", value
    for below, label in _labelled(element):
        yield from _walk(below, f"{path}/{label}")


def _labelled(parent: Element) -> Iterator[tuple[Element, str]]:
    groups: dict[str, list[Element]] = {}
    for element in parent:
        groups.setdefault(str(element.tag), []).append(element)
    for tag, elements in groups.items():
        yield from zip(elements, _labels(tag, elements), strict=True)


def _labels(tag: str, elements: Sequence[Element]) -> Sequence[str]:
    name = short(tag)
    if tag in LINE_TAGS:
        ids = {line_id for element in elements if (line_id := text(element, cbc("ID")))}
        if len(ids) == len(elements) and max(map(len, ids)) <= _LONGEST_LINE_ID:
            return [f"{name}[cbc:ID={text(element, cbc('ID'))}]" for element in elements]
    return [name, *(f"{name}[{index}]" for index in range(2, len(elements) + 1))]
