"""What is wrong is refused with a problem document that names the field; nothing makes the server fail."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from service.domain.status import TrialStatus
from tests.integration.harness import LOG_RANGE, Api, Json, refused, spec


def lr(**changes: Any) -> Json:
    return {"space": {"lr": LOG_RANGE | changes}}


def net(**settings: Any) -> Json:
    return {
        "objective": {"name": "multi_layer_net", "settings": settings},
        "metric": {"name": "validation_accuracy"},
    }


WRONG_FIELDS: list[tuple[Json, str]] = [
    ({"name": ""}, "name"),
    ({"name": "-a"}, "name"),
    ({"name": "a b"}, "name"),
    ({"name": "a\n"}, "name"),
    ({"name": "x" * 129}, "name"),
    ({"name": 5}, "name"),
    ({"name": None}, "name"),
    ({"name": "ü"}, "name"),
    ({"objective": "bowl"}, "objective"),
    ({"objective": {}}, "objective.name"),
    ({"objective": {"name": ""}}, "objective.name"),
    ({"objective": {"name": "bowl", "settings": []}}, "objective.settings"),
    ({"objective": {"name": "bowl", "extra": 1}}, "objective.extra"),
    ({"metric": {"goal": "most"}}, "metric.goal"),
    ({"metric": {"name": 3}}, "metric.name"),
    ({"space": {}}, "space"),
    ({"space": []}, "space"),
    ({"space": None}, "space"),
    ({"space": {"": LOG_RANGE}}, "space"),
    ({"space": {"lr": {"type": "complex", "low": 1, "high": 2}}}, "space.lr"),
    ({"space": {"lr": {"low": 1, "high": 2}}}, "space.lr"),
    ({"space": {"lr": 0.1}}, "space.lr"),
    ({"space": {"lr": {"type": "float", "low": 1.0}}}, "space.lr.high"),
    (lr(low=2.0), "space.lr.high"),
    (lr(low=1.0), "space.lr.high"),
    (lr(low=0), "space.lr.low"),
    (lr(low=-1.0), "space.lr.low"),
    (lr(low="0.1"), "space.lr.low"),
    (lr(low=True), "space.lr.low"),
    (lr(low=None), "space.lr.low"),
    (lr(low=-1.7e308, high=1.7e308, scale="linear"), "space.lr.high"),
    (lr(scale="cubic"), "space.lr.scale"),
    (lr(step=0), "space.lr.step"),
    (lr(step=-0.1), "space.lr.step"),
    (lr(step=5), "space.lr.step"),
    (lr(step=1e-300), "space.lr.step"),
    (lr(limit={"low": 0.5}), "space.lr.limit.low"),
    (lr(limit={"high": 0.5}), "space.lr.limit.high"),
    (lr(limit={"low": 0}), "space.lr.limit.low"),
    (lr(limit={"middle": 1}), "space.lr.limit.middle"),
    (lr(choices=[1]), "space.lr.choices"),
    (lr(when={"mu": [1]}), "space.lr.when"),
    (lr(when={"lr": [1]}), "space.lr.when"),
    ({"space": {"k": {"type": "int", "low": 0.5, "high": 3}}}, "space.k.low"),
    ({"space": {"k": {"type": "int", "low": 1, "high": 2**60}}}, "space.k.high"),
    ({"space": {"k": {"type": "int", "low": 1, "high": 9, "step": 1.5}}}, "space.k.step"),
    ({"space": {"k": {"type": "categorical", "choices": []}}}, "space.k.choices"),
    ({"space": {"k": {"type": "categorical", "choices": [1, 1.0]}}}, "space.k.choices"),
    ({"space": {"k": {"type": "categorical", "choices": ["a", "a"]}}}, "space.k.choices"),
    ({"space": {"k": {"type": "categorical", "choices": [{}]}}}, "space.k.choices"),
    ({"search": {"algorithm": "oracle"}}, "search.algorithm"),
    ({"search": {"algorithm": 3}}, "search.algorithm"),
    ({"search": {"seed": -1}}, "search.seed"),
    ({"search": {"seed": 1.5}}, "search.seed"),
    ({"search": {"seed": 2**60}}, "search.seed"),
    ({"search": {"seed": "7"}}, "search.seed"),
    ({"search": {"settings": {"speed": 1}}}, "search.settings.speed"),
    ({"search": {"algorithm": "grid", "settings": {"levels": 0}}}, "search.settings.levels"),
    ({"search": {"algorithm": "grid", "settings": {"levels": {"mu": 3}}}}, "search.settings.levels.mu"),
    ({"search": {"algorithm": "bayesian", "settings": {"acquisition": "XX"}}}, "search.settings.acquisition"),
    ({"budget": {}}, "budget"),
    ({"budget": None}, "budget"),
    ({"budget": {"trials": 0}}, "budget.trials"),
    ({"budget": {"trials": -1}}, "budget.trials"),
    ({"budget": {"trials": 10_000_001}}, "budget.trials"),
    ({"budget": {"trials": 1.5}}, "budget.trials"),
    ({"budget": {"trials": "4"}}, "budget.trials"),
    ({"budget": {"trials": True}}, "budget.trials"),
    ({"budget": {"seconds": 0}}, "budget.seconds"),
    ({"budget": {"seconds": 1e300}}, "budget.seconds"),
    ({"budget": {"epochs": 0}}, "budget.epochs"),
    ({"budget": {"target": "high"}}, "budget.target"),
    ({"budget": {"trials": 1, "euros": 5}}, "budget.euros"),
    ({"narrowing": {}}, "narrowing.policy"),
    ({"narrowing": {"policy": "oracle"}}, "narrowing.policy"),
    ({"narrowing": {"policy": "leaders", "every": 0}}, "narrowing.every"),
    ({"narrowing": {"policy": "leaders", "settings": {"top": 0}}}, "narrowing.settings.top"),
    ({"narrowing": {"policy": "leaders", "settings": {"topp": 5}}}, "narrowing.settings.topp"),
    ({"pruning": {"policy": "oracle"}}, "pruning.policy"),
    ({"retry": {"max_attempts": 0}}, "retry.max_attempts"),
    ({"retry": 3}, "retry"),
    ({"lease_seconds": 0.5}, "lease_seconds"),
    ({"lease_seconds": "30"}, "lease_seconds"),
    ({"lease_seconds": 1e9}, "lease_seconds"),
    ({"max_parallel": 0}, "max_parallel"),
    ({"tags": "a"}, "tags"),
    ({"tags": [""]}, "tags.0"),
    ({"tags": ["x" * 129]}, "tags.0"),
    ({"description": 5}, "description"),
    ({"trials": 100}, "trials"),
    (net(train_size=60_001), "objective.settings.train_size"),
    (net(train_size=0), "objective.settings.train_size"),
    (net(hidden=[1]), "objective.settings.hidden"),
    (net(optimizer="oracle"), "objective.settings.optimizer"),
    (net() | {"metric": {"name": "score"}}, "metric.name"),
    (net() | {"space": {"rate": LOG_RANGE}}, "space.rate"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG_FIELDS, ids=lambda part: json.dumps(part)[:60])
def test_a_wrong_field_of_a_study_is_named(shared_api: Api, changes: Json, field: str) -> None:
    document = refused(shared_api.post("/studies", spec("wrong") | changes), 422, "invalid-input")
    fields = [fault["field"] for fault in document["errors"]]
    assert any(found == field or found.startswith(f"{field}.") for found in fields), fields
    assert document["field"] == fields[0]
    assert shared_api.get("/studies/wrong").status_code == 404


@pytest.mark.parametrize("field", ["name", "objective", "space", "budget"])
def test_a_missing_field_is_named(shared_api: Api, field: str) -> None:
    body = {name: value for name, value in spec("wrong").items() if name != field}
    assert refused(shared_api.post("/studies", body), 422, "invalid-input")["field"] == field


WRONG_BODIES = {
    "nothing": b"",
    "cut off": json.dumps(spec("wrong")).encode()[:-9],
    "not an object": b"[1, 2]",
    "null": b"null",
    "NaN": json.dumps(spec("wrong", **lr(low=float("nan")))).encode(),
    "Infinity": json.dumps(spec("wrong", **lr(high=float("inf")))).encode(),
    "1e400": json.dumps(spec("wrong")).replace("0.0001", "1e400").encode(),
    "a huge integer": json.dumps(spec("wrong", budget={"trials": 10**30})).encode(),
    "a very huge integer": b'{"name": ' + b"9" * 5000 + b"}",
    "a megabyte of nesting": b"[" * 500_000 + b"]" * 500_000,
    "a megabyte of open brackets": b"[" * 1_000_000,
    "a megabyte of nested objects": b'{"a":' * 200_000,
    "nested settings": json.dumps(spec("wrong"))
    .replace('"bowl"', '"bowl", "settings": {"a": ' + "[" * 100 + "]" * 100 + "}")
    .encode(),
    "NUL": json.dumps(spec("wrong", description="a\0b")).encode(),
    "a lone surrogate": json.dumps(spec("wrong", description="\ud800")).encode(),
    "a lone surrogate as a key": json.dumps(spec("wrong", **{"\udfff": 1})).encode(),
    "not UTF-8": b'{"name": "\xff"}',
    "UTF-16": json.dumps(spec("wrong")).encode("utf-16"),
}


@pytest.mark.parametrize("case", WRONG_BODIES)
@pytest.mark.parametrize("path", ["/studies", "/claims", "/trials/1/report", "/studies/study/rounds"])
def test_a_body_that_is_not_as_it_should_be_is_refused(shared_api: Api, path: str, case: str) -> None:
    headers = {"Content-Type": "application/json"}
    response = shared_api.post(path, content=WRONG_BODIES[case], headers=headers)
    refused(response, 422, "invalid-input")


def test_a_body_of_another_type_is_refused(shared_api: Api) -> None:
    response = shared_api.post("/studies", content=b"\xff\xfe", headers={"Content-Type": "text/plain"})
    assert 400 <= response.status_code < 500
    assert response.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_too_large_is_refused_however_it_comes(shared_api: Api) -> None:
    large = b" " * (3 * 1024 * 1024)

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield large[:1_000_000]

    headers = {"Content-Type": "application/json"}
    refused(shared_api.post("/studies", content=large, headers=headers), 413, "body-too-large")
    refused(shared_api.post("/studies", content=pieces(), headers=headers), 413, "body-too-large")


UNKNOWN = [
    ("GET", "/studies/nobody", 404),
    ("GET", "/studies/nobody/trials", 404),
    ("GET", "/studies/nobody/best", 404),
    ("GET", "/studies/nobody/rounds", 404),
    ("GET", "/studies/nobody/narrowing", 404),
    ("GET", "/studies/nobody/figures/learning-curves.png", 404),
    ("DELETE", "/studies/nobody", 404),
    ("POST", "/studies/nobody/pause", 404),
    ("GET", "/studies/%00", 422),
    ("GET", "/studies/%ff", 422),
    ("GET", f"/studies/{'x' * 129}", 422),
    ("GET", f"/studies/{'x' * 60_000}", 422),
    ("GET", "/studies/shown/trials/99", 404),
    ("GET", "/studies/shown/trials/-1", 422),
    ("GET", "/studies/shown/trials/one", 422),
    ("GET", "/studies/shown/trials/1.5", 422),
    ("GET", f"/studies/shown/trials/{2**63 - 1}", 404),
    ("GET", f"/studies/shown/trials/{2**63}", 422),
    ("GET", f"/studies/shown/trials/{'9' * 5000}", 422),
    ("GET", f"/studies/shown/trials/{2**63}/curve", 422),
    ("GET", "/studies/shown/best?round=5", 404),
    ("GET", f"/studies/shown/best?round={2**40}", 422),
    ("GET", "/studies/shown/best?n=-5", 422),
    ("GET", "/studies/shown/trials?status=gone", 422),
    ("GET", "/studies/shown/trials?sort=name", 422),
    ("GET", "/studies/shown/trials?limit=many", 422),
    ("GET", "/studies/shown/trials?cursor=x", 422),
    ("GET", "/studies?cursor=%C3%BC", 422),
    ("GET", "/studies?status=gone", 422),
    ("GET", "/studies?name=%00", 422),
    ("GET", "/studies?tag=%00", 422),
    ("GET", "/studies/shown/figures/nothing.png", 404),
    ("GET", "/nothing", 404),
    ("PUT", "/studies", 405),
]


@pytest.mark.parametrize(("method", "path", "status"), UNKNOWN, ids=lambda part: str(part)[:50])
def test_what_there_is_not_is_a_problem_of_the_client(shared_api: Api, method: str, path: str, status: int) -> None:
    if shared_api.get("/studies/shown").status_code == 404:
        shared_api.submit("shown")
    response = shared_api.client.request(method, f"/api/v1{path}")
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"


CURSORS = [
    ("/studies/shown/trials", [0.5, 10**30]),
    ("/studies/shown/trials", [10**400, 1]),
    ("/studies/shown/trials", [True, 1]),
    ("/studies/shown/trials", ["a", "b"]),
    ("/studies/shown/trials", [None]),
    ("/studies/shown/trials", {"a": 1}),
    ("/studies/shown/trials", [float("nan"), 1]),
    ("/studies/shown/trials", [1, float("inf")]),
    ("/studies", ["0001-01-01T00:00:00+14:00", "a"]),
    ("/studies", ["9999-12-31T23:59:59-14:00", "a"]),
    ("/studies", ["2026-01-01T00:00:00+00:00", "\0"]),
    ("/studies", ["2026-01-01T00:00:00+00:00", "\ud800"]),
    ("/studies", [1, 2]),
    ("/studies", "x" * 100),
    ("/workers", ["\0"]),
    ("/workers", ["\ud800"]),
    ("/workers", [5]),
    ("/workers", []),
]


@pytest.mark.parametrize(("path", "place"), CURSORS, ids=lambda part: ascii(part)[:40])
@pytest.mark.parametrize("sort", ["number", "value", "-value"])
def test_a_cursor_that_was_made_up_is_refused_or_leads_nowhere(
    shared_api: Api, path: str, place: Any, sort: str
) -> None:
    if shared_api.get("/studies/shown").status_code == 404:
        shared_api.submit("shown")
    cursor = base64.urlsafe_b64encode(json.dumps(place).encode()).decode()
    response = shared_api.get(path, params={"cursor": cursor, "sort": sort})
    assert response.status_code in (200, 422), response.text


def test_a_trial_has_no_status_that_a_filter_does_not_know(shared_api: Api) -> None:
    if shared_api.get("/studies/shown").status_code == 404:
        shared_api.submit("shown")
    for status in TrialStatus:
        assert shared_api.trials("shown", status=status.value) == []
