"""Studies whose best are confirmed and tested, for the tests of either."""

from typing import Any

from tests.integration.harness import Api, Json, ok

VALUES = [0.5, 0.9, 0.7, 0.8]


def searched(api: Api, **changes: Any) -> None:
    """A study that is completed, whose best trials are 1, 3, 2 and 0."""
    api.submit(**changes)
    api.run(VALUES)


def confirm(api: Api, **asked: Any) -> Json:
    answer: Json = ok(api.post("/studies/study/confirmation", asked))
    return answer


def run_all(api: Api, values: dict[int, list[float]], **more: Any) -> None:
    """Completes what waits to be confirmed, each source with its values in order."""
    left = {source: list(of_source) for source, of_source in values.items()}
    while claimed := api.claim(1):
        source = api.trial(claimed[0]["number"])["source"]
        ok(api.complete(claimed[0], left[source].pop(0), **more))


def final(api: Api, **asked: Any) -> Json:
    answer: Json = ok(api.post("/studies/study/final-test", asked))
    return answer
