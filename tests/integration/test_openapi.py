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

from service.api import documented
from tests.integration import test_every_mutation
from tests.integration.documented import document, slugs
from tests.integration.harness import Api, ok, refused

DOCUMENT = document()
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


@pytest.mark.parametrize(("method", "path"), test_every_mutation.MUTATIONS)
def test_every_mutation_says_that_the_database_may_be_away_and_what_may_be_asked_wrongly(
    method: str, path: str
) -> None:
    operation = DOCUMENT["paths"][path][method]
    assert {"storage-unavailable", "outcome-unknown"} <= slugs(operation, 503)
    assert {"invalid-input", "idempotency-key-reused"} <= slugs(operation, 422)


def test_the_examples_of_the_main_calls_are_taken_as_they_are(api: Api) -> None:
    """In the order of a search, each with the ids and leases that the answers before it brought."""
    said = {call: DOCUMENT["paths"][f"/api/v1{call.split()[1]}"]["post"] for call in documented.EXAMPLES}
    body = {call: one["requestBody"]["content"]["application/json"]["example"] for call, one in said.items()}
    study = f"/studies/{ok(api.post('/studies', body['post /studies']), 201)['name']}"
    ok(api.post(f"{study}/trials", body["post /studies/{study}/trials"]), 201)
    for what, status in (("complete", "completed"), ("fail", "waiting")):
        (trial,) = ok(api.post("/claims", body["post /claims"]))["trials"]
        lease = {"lease": trial["lease"]["token"]}
        report = ok(api.post(f"/trials/{trial['id']}/report", body["post /trials/{trial_id}/report"] | lease))
        assert report["action"] == "continue"
        ok(api.post(f"/trials/{trial['id']}/{what}", body[f"post /trials/{{trial_id}}/{what}"] | lease))
        assert ok(api.get(f"{study}/trials/{trial['number']}"))["status"] == status
    ok(api.post(f"{study}/rounds", body["post /studies/{study}/rounds"]), 201)


def test_a_server_that_ends_refuses_claims_as_documented(api: Api) -> None:
    api.app.state.notifier.closing = True
    refused(api.post("/claims", {"worker": "ann", "objectives": ["bowl"]}), 503, "shutting-down")
    assert "shutting-down" in slugs(DOCUMENT["paths"]["/api/v1/claims"]["post"], 503)
