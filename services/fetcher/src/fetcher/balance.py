"""The balance proof: independent facts about one job, and what contradicts in them."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BalanceFacts:
    """Counted from three sources: what the source listed (pages), our rows, what the destination acknowledged.

    `listed` counts the different items (source id and hash) on the raw pages, whatever became of them; `known` those
    whose row belongs to an earlier job.
    """

    listed: int
    known: int
    without_fate: int
    fate_without_row: int
    row_without_page: int
    broken_page_chain: int
    buckets: Mapping[str, int]
    sent_without_acceptance: int
    accepted_but_not_sent: int
    accepted_twice: int

    def contradictions(self) -> tuple[str, ...]:
        """One sentence for each thing that does not add up; empty means that nothing is lost and nothing invented."""
        in_buckets = sum(self.buckets.values()) + self.known
        checks = (
            (self.without_fate, f"{self.without_fate} listed items have no fate"),
            (self.fate_without_row, f"{self.fate_without_row} listed items have no row"),
            (self.row_without_page, f"{self.row_without_page} rows are on no page"),
            (self.broken_page_chain, f"{self.broken_page_chain} pages do not follow the page before"),
            (in_buckets != self.listed, f"{self.listed} listed but {in_buckets} in buckets"),
            (self.sent_without_acceptance, f"{self.sent_without_acceptance} sent without an acceptance"),
            (self.accepted_but_not_sent, f"{self.accepted_but_not_sent} accepted but not sent"),
            (self.accepted_twice, f"{self.accepted_twice} accepted more than once"),
        )
        return tuple(text for broken, text in checks if broken)
