"""Claims and writes of workers that are not as they should be: each names what is wrong."""

import pytest

from tests.integration.harness import Api, Json, refused

WRITES = [
    ("report", {}, "lease"),
    ("report", {"lease": ""}, "lease"),
    ("report", {"lease": "x" * 129}, "lease"),
    ("report", {"lease": "x", "epochs": [{}]}, "epochs.0.epoch"),
    ("report", {"lease": "x", "epochs": [{"epoch": -1}]}, "epochs.0.epoch"),
    ("report", {"lease": "x", "epochs": [{"epoch": 1, "loss": "low"}]}, "epochs.0.loss"),
    ("complete", {"lease": "x"}, "value"),
    ("complete", {"lease": "x", "value": None}, "value"),
    ("complete", {"lease": "x", "value": "0.5"}, "value"),
    ("complete", {"lease": "x", "value": 0.5, "samples": 0}, "samples"),
    ("complete", {"lease": "x", "value": 0.5, "claim_next": -1}, "claim_next"),
    ("fail", {"lease": "x", "reason": "tired"}, "reason"),
    ("fail", {"lease": "x", "retryable": "yes"}, "retryable"),
    ("release", {"lease": "x", "why": "?"}, "why"),
]


@pytest.mark.parametrize(("what", "body", "field"), WRITES)
def test_a_wrong_word_of_a_worker_is_named(shared_api: Api, what: str, body: Json, field: str) -> None:
    assert refused(shared_api.post(f"/trials/1/{what}", body), 422, "invalid-input")["field"] == field


CLAIMS = [
    ({"worker": ""}, "worker"),
    ({"objectives": []}, "objectives"),
    ({"objectives": "bowl"}, "objectives"),
    ({"count": 0}, "count"),
    ({"count": 1001}, "count"),
    ({"wait_seconds": -1}, "wait_seconds"),
    ({"purposes": ["fun"]}, "purposes.0"),
    ({"request_id": ""}, "request_id"),
]


@pytest.mark.parametrize(("changes", "field"), CLAIMS)
def test_a_wrong_claim_is_named(shared_api: Api, changes: Json, field: str) -> None:
    body = {"worker": "ann", "objectives": ["bowl"]} | changes
    assert refused(shared_api.post("/claims", body), 422, "invalid-input")["field"] == field


@pytest.mark.parametrize("what", ["report", "complete", "fail", "release"])
def test_an_unknown_trial_is_not_found_and_a_huge_id_refused(shared_api: Api, what: str) -> None:
    body = {"lease": "x"} | ({"value": 0.5} if what == "complete" else {})
    refused(shared_api.post(f"/trials/{2**63 - 1}/{what}", body), 404, "trial-not-found")
    refused(shared_api.post(f"/trials/{2**63}/{what}", body), 422, "invalid-input")
    refused(shared_api.post(f"/trials/0/{what}", body), 422, "invalid-input")
