"""The OpenAPI document is what the server does: generated requests, right and wrong, in this process."""

from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import response_schema_conformance

from service.app import create_app
from service.settings import Settings
from tests.integration.harness import Api, ok

DOCUMENT = create_app(Settings(database_url="sqlite:///never-opened.db")).openapi()
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]
EXAMPLES = 6
CASES = [
    (operation, mode)
    for operation in OPERATIONS
    for mode in GenerationMode
    # Where nothing is asked for, nothing can be asked for wrongly.
    if mode is GenerationMode.POSITIVE or operation.body or next(operation.iter_parameters(), None)
]


@pytest.mark.parametrize(("operation", "mode"), CASES, ids=lambda part: getattr(part, "label", str(part)))
def test_no_request_makes_the_server_fail_and_answers_are_as_documented(
    shared_api: Api, operation: schemathesis.schemas.APIOperation, mode: GenerationMode
) -> None:
    @seed(0)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def send(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if isinstance(case.body, dict) and "wait_seconds" in case.body:
            case.body["wait_seconds"] = 0
        sent = case.as_transport_kwargs(base_url="http://testserver")
        sent = {name: value for name, value in sent.items() if name in KEPT and value is not None}
        if "data" in sent:
            sent["content"] = sent.pop("data")
        answer = shared_api.client.request(**sent)
        assert answer.status_code < 500, (sent, answer.text)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json", (sent, answer.text)
        else:
            response = Response.from_any(answer)
            case.validate_response(response, checks=[not_a_server_error, response_schema_conformance])

    send()


KEPT = ("method", "url", "params", "headers", "json", "data")


def test_every_call_of_the_design_is_in_the_document() -> None:
    paths = {path.removeprefix("/api/v1") for path in DOCUMENT["paths"]}
    assert {"/studies", "/studies/{study}", "/claims", "/trials/{trial_id}/report", "/workers", "/algorithms"} <= paths
    assert {"/studies/{study}/best", "/studies/{study}/narrowing", "/studies/{study}/rounds", "/objectives"} <= paths


def test_the_document_is_served_and_nothing_was_opened_to_make_it(shared_api: Api) -> None:
    assert ok(shared_api.client.get("/openapi.json"))["paths"].keys() == DOCUMENT["paths"].keys()
    assert not Path("never-opened.db").exists()
