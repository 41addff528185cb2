"""A gauge with one label whose values are read together."""

from collections.abc import Iterable, Mapping

from prometheus_client import Gauge


class Series:
    """What is not in a reading any more is 0: a series that ends would leave an alert on its last value."""

    def __init__(self, gauge: Gauge, known: Iterable[str] = ()) -> None:
        self._gauge = gauge
        self._known = set[str](known)

    def set(self, values: Mapping[str, float]) -> None:
        self._known |= values.keys()
        for label in self._known:
            self._gauge.labels(label).set(values.get(label, 0))
