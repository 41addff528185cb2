"""What the checker asks: each answer is a row that breaks a promise; no answer is the good answer.

The tables: `listed` (ids of the source), `mine` (their rows), `my_jobs`, `accepted` (the oracle's log), `legal`
(moves), `automatic` (actors that are no person), `announced` (jobs of which only a record tells).
"""

from collections.abc import Mapping

_MOVES = """
WITH moves AS (
    SELECT e.invoice_id, e.version, e.stage, e.actor, lag(e.stage) OVER w AS before, lag(e.version) OVER w AS earlier
    FROM invoice_events e JOIN mine ON mine.id = e.invoice_id WINDOW w AS (PARTITION BY e.invoice_id ORDER BY e.version)
)
"""

QUESTIONS: Mapping[str, str] = {
    "lost": "SELECT id FROM listed WHERE NOT EXISTS (SELECT FROM mine WHERE mine.invoice_id = listed.id)",
    "not_on_a_page": """
        SELECT invoice_id FROM mine WHERE NOT EXISTS (
            SELECT FROM job_pages p WHERE p.job_id = mine.job_id AND mine.id = ANY (p.invoices))""",
    "open": "SELECT invoice_id || ' ' || stage FROM mine WHERE status = 'pending'",
    "sent_but_not_accepted": """
        SELECT invoice_id FROM mine WHERE status = 'sent'
            AND NOT EXISTS (SELECT FROM accepted a WHERE a.reference = mine.reference::text)""",
    "sent_under_a_wrong_uuid": """
        SELECT m.invoice_id FROM mine m JOIN attempts t ON t.invoice_id = m.id AND t.outcome = 'accepted'
        WHERE NOT EXISTS (SELECT FROM accepted a WHERE a.reference = t.reference::text AND a.uuid = t.uuid)""",
    "accepted_but_unexplained": """
        SELECT reference FROM accepted a WHERE NOT EXISTS (
            SELECT FROM mine WHERE mine.reference::text = a.reference AND (status = 'sent' OR maybe_sent))""",
    "accepted_in_other_words": """
        SELECT m.invoice_id FROM mine m JOIN accepted a ON a.reference = m.reference::text
        WHERE m.status = 'sent' AND a.sha256 <> encode(m.raw_sha256, 'hex')""",
    "accepted_without_an_earlier_attempt": """
        SELECT reference FROM accepted a WHERE NOT EXISTS (
            SELECT FROM mine m JOIN attempts t ON t.invoice_id = m.id
            WHERE m.reference::text = a.reference AND t.reference = m.reference AND t.started_at <= a.at)""",
    "attempts_at_once": """
        SELECT invoice_id FROM (
            SELECT t.invoice_id, t.started_at, lag(least(t.ended_at, t.lease_until)) OVER (
                PARTITION BY t.invoice_id ORDER BY t.number) AS over FROM attempts t JOIN mine ON mine.id = t.invoice_id
        ) AS t WHERE started_at + interval '50 ms' < over""",
    "illegal_move": f"""{_MOVES}
        SELECT invoice_id || ' ' || coalesce(before, '-') || '>' || stage || ' by ' || actor FROM moves
        WHERE before IS NOT NULL AND NOT EXISTS (SELECT FROM legal WHERE legal.before = moves.before AND after = stage)
           OR before = 'failed' AND actor IN (SELECT actor FROM automatic)""",
    "history_without_its_beginning": f"{_MOVES} SELECT invoice_id FROM moves WHERE before IS NULL AND version <> 1",
    "row_beside_its_history": """
        SELECT m.invoice_id FROM mine m JOIN LATERAL (
            SELECT e.stage, e.version FROM invoice_events e WHERE e.invoice_id = m.id ORDER BY e.version DESC LIMIT 1
        ) AS last ON true WHERE last.stage <> m.stage OR last.version > m.version""",
    "held_without_a_reason": "SELECT invoice_id FROM mine WHERE status = 'held' AND reason IS NULL",
    "unbalanced": "SELECT id || ' ' || error_message FROM my_jobs WHERE error->>'code' = 'BALANCE_BROKEN'",
    "job_lost": "SELECT id FROM announced a WHERE NOT EXISTS (SELECT FROM jobs j WHERE j.id = a.id)",
    "not_ended": "SELECT id || ' ' || status FROM my_jobs WHERE status IN ('pending', 'running')",
    "counted_wrong": """
        SELECT j.id || ' ' || (j.results->>'total_invoices') FROM my_jobs j
        WHERE j.status = 'completed' AND (j.results->>'total_invoices')::int <> (
            SELECT count(DISTINCT (t.source_id, t.sha256))
            FROM job_pages p, unnest(p.source_ids, p.raw_sha256) AS t(source_id, sha256) WHERE p.job_id = j.id)""",
}
