"""Where an element stands, as people write it."""

from ubl.names import Element, short


def path_of(element: Element) -> str:
    """`Invoice/cac:InvoiceLine[2]/cbc:ID`: from the root, numbered where an earlier sibling has the same name."""
    steps = [_step(element), *(_step(ancestor) for ancestor in element.iterancestors())]
    return "/".join(reversed(steps))


def _step(element: Element) -> str:
    tag = str(element.tag)
    before = sum(1 for _ in element.itersiblings(tag, preceding=True))
    return short(tag) + (f"[{before + 1}]" if before else "")
