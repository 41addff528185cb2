"""What a statement is called in a trace."""

import pytest

from common.db.statements import summary


@pytest.mark.parametrize(
    ("sql", "called"),
    [
        ("SELECT id FROM jobs WHERE id = $1", "SELECT jobs"),
        ("SELECT extract(epoch FROM created_at) FROM jobs", "SELECT jobs"),
        ("SELECT 1", "SELECT"),
        ("COMMIT;", "COMMIT"),
        ("\nSELECT t.id FROM unnest($1::uuid[]) AS t(id) JOIN invoices i ON i.id = t.id", "SELECT invoices"),
        ("WITH due AS (SELECT id FROM invoices FOR UPDATE SKIP LOCKED) UPDATE jobs j SET a = 1", "UPDATE jobs"),
        ("SELECT FROM users WHERE id = $1 FOR NO KEY UPDATE", "SELECT users"),
        ("INSERT INTO alerts (kind) VALUES ($1) ON CONFLICT DO NOTHING", "INSERT alerts"),
    ],
)
def test_a_statement_is_called_by_what_it_does_to_which_table(sql: str, called: str) -> None:
    assert summary(sql) == called
