"""What always holds in and between the tables: each with the query for the rows where it does not.

What is kept of a study as a whole holds until it is deleted; what is left of it then is being removed.
"""

from collections.abc import Mapping

INVARIANTS: Mapping[str, str] = {
    "the counts of trials are what the trials add up to": """
        SELECT kept.study_id AS study, kept.purpose, kept.status,
            kept.trials AS kept, COALESCE(found.trials, 0) AS found
        FROM trial_counts AS kept
        LEFT JOIN (
            SELECT study_id, purpose, status, COUNT(*) AS trials FROM trials GROUP BY study_id, purpose, status
        ) AS found ON found.study_id = kept.study_id AND found.purpose = kept.purpose AND found.status = kept.status
        WHERE kept.trials <> COALESCE(found.trials, 0)
        """,
    "every trial is in a count": """
        SELECT trials.id AS trial, trials.study_id AS study
        FROM trials JOIN studies ON studies.id = trials.study_id AND studies.deleted_at IS NULL
        WHERE NOT EXISTS (
            SELECT 1 FROM trial_counts AS kept
            WHERE kept.study_id = trials.study_id AND kept.purpose = trials.purpose AND kept.status = trials.status
        )
        """,
    "the budget counts every search trial that is neither imported nor cancelled": """
        SELECT studies.id AS study, studies.budgeted AS kept, COUNT(trials.id) AS found
        FROM studies
        LEFT JOIN trials ON trials.study_id = studies.id AND trials.purpose = 'search'
            AND trials.origin <> 'imported' AND trials.status <> 'cancelled'
        WHERE studies.deleted_at IS NULL
        GROUP BY studies.id, studies.budgeted HAVING studies.budgeted <> COUNT(trials.id)
        """,
    "the next number of a study is above all numbers": """
        SELECT studies.id AS study, studies.next_number, MAX(trials.number) AS highest
        FROM studies JOIN trials ON trials.study_id = studies.id
        GROUP BY studies.id, studies.next_number HAVING MAX(trials.number) >= studies.next_number
        """,
    "the last event of a study is the highest": """
        SELECT studies.id AS study, studies.last_event AS kept, COALESCE(MAX(events.sequence), 0) AS found
        FROM studies LEFT JOIN events ON events.study_id = studies.id
        WHERE studies.deleted_at IS NULL
        GROUP BY studies.id, studies.last_event HAVING studies.last_event <> COALESCE(MAX(events.sequence), 0)
        """,
    "a completed study has no search trial that waits or runs": """
        SELECT studies.id AS study, trials.id AS trial, trials.status
        FROM studies JOIN trials ON trials.study_id = studies.id
        WHERE studies.status = 'completed' AND trials.purpose = 'search' AND trials.status IN ('waiting', 'running')
        """,
    "the rounds of studies and trials are there": """
        SELECT trials.id AS trial, trials.study_id AS study, trials.round FROM trials
        WHERE NOT EXISTS (SELECT 1 FROM rounds WHERE rounds.study_id = trials.study_id AND number = trials.round)
        UNION ALL
        SELECT NULL, studies.id, studies.round FROM studies
        WHERE NOT EXISTS (SELECT 1 FROM rounds WHERE rounds.study_id = studies.id AND number = studies.round)
        """,
    "a lease is on a running trial, and it ends": """
        SELECT id AS trial, study_id AS study, status, lease_expires_at FROM trials
        WHERE (status = 'running') <> (lease_token IS NOT NULL)
            OR (status = 'running') <> (lease_expires_at IS NOT NULL)
        """,
    "a running trial has one attempt under way, which holds its lease; others have none": """
        SELECT trials.id AS trial, trials.study_id AS study, trials.status, trials.leases, attempts.lease
        FROM trials LEFT JOIN attempts ON attempts.trial_id = trials.id AND attempts.ended_at IS NULL
        WHERE CASE WHEN trials.status = 'running'
            THEN attempts.lease IS NULL OR attempts.lease <> trials.leases OR attempts.token <> trials.lease_token
            ELSE attempts.lease IS NOT NULL END
        """,
    "every lease that was given is an attempt, and no attempt counts twice": """
        SELECT trials.id AS trial, trials.study_id AS study,
            trials.leases, trials.attempt, COUNT(attempts.lease) AS found
        FROM trials LEFT JOIN attempts ON attempts.trial_id = trials.id
        GROUP BY trials.id, trials.study_id, trials.leases, trials.attempt, trials.attempts_allowed
        HAVING trials.leases <> COUNT(attempts.lease) OR trials.leases <> COALESCE(MAX(attempts.lease), 0)
            OR trials.attempt > trials.leases OR trials.attempt > trials.attempts_allowed
        """,
    "tokens grow with the leases of a trial": """
        SELECT later.trial_id AS trial, later.lease
        FROM attempts AS later JOIN attempts AS earlier
            ON earlier.trial_id = later.trial_id AND earlier.lease = later.lease - 1
        WHERE SUBSTR(earlier.token, 1, 8) >= SUBSTR(later.token, 1, 8)
        """,
    "a trial is completed, or pruned, by one attempt, the last": """
        SELECT trials.id AS trial, trials.study_id AS study, trials.status, COUNT(attempts.lease) AS found
        FROM trials
        LEFT JOIN attempts ON attempts.trial_id = trials.id AND attempts."end" IN ('completed', 'pruned')
        WHERE trials.origin <> 'imported'
        GROUP BY trials.id, trials.study_id, trials.status, trials.leases
        HAVING COUNT(attempts.lease) <> CASE WHEN trials.status IN ('completed', 'pruned') THEN 1 ELSE 0 END
            OR MAX(attempts.lease) <> trials.leases OR MAX(attempts."end") <> trials.status
        """,
    "a trial that has ended has its place among the events, and no other has": """
        SELECT trials.id AS trial, trials.study_id AS study, trials.status, trials.finished_event
        FROM trials JOIN studies ON studies.id = trials.study_id
        WHERE (trials.status IN ('waiting', 'running')) <> (trials.finished_event IS NULL)
            OR (trials.status IN ('waiting', 'running')) <> (trials.finished_at IS NULL)
            OR trials.finished_event > studies.last_event
        """,
    "a failed trial says why, and no other does": """
        SELECT id AS trial, study_id AS study, status, failure_reason FROM trials
        WHERE (status = 'failed') <> (failure_reason IS NOT NULL)
        """,
    "a study has one final test at most, opened when it was first handed out": """
        SELECT trials.id AS trial, trials.study_id AS study, trials.leases, final_tests.opened_at
        FROM trials LEFT JOIN final_tests ON final_tests.trial_id = trials.id AND final_tests.study_id = trials.study_id
        WHERE trials.purpose = 'final_test'
            AND (final_tests.trial_id IS NULL OR (final_tests.opened_at IS NOT NULL) <> (trials.leases > 0))
        UNION ALL
        SELECT final_tests.trial_id, final_tests.study_id, NULL, final_tests.opened_at
        FROM final_tests JOIN trials ON trials.id = final_tests.trial_id WHERE trials.purpose <> 'final_test'
        """,
}
"""In the SQL that both engines have."""
