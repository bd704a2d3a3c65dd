"""Many studies that are done cost a claim nothing."""

import sqlalchemy as sa

from tests.integration.harness import Api, ok


def test_a_claim_looks_into_no_study_that_has_nothing_for_it(api: Api) -> None:
    for number in range(20):
        api.submit(f"done-{number}", budget={"trials": 1})
        api.run([0.5])
    api.submit("open", budget={"trials": 9})
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        claimed = api.claim_one()
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert claimed["study_name"] == "open"
    assert len(statements) < 60
    ok(api.complete(claimed))
