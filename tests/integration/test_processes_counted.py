"""Several processes of one server: whichever is asked tells what all of them have counted."""

from multiprocessing import get_context

from service.domain.facts import Fact, Happening
from service.exposition import page, process_ended, shared_by_processes
from service.metrics import Metrics
from service.storage.census import Census

NOBODY = Census(studies={}, trials={}, suggestions=0, workers={})


def test_processes_count_together_and_nothing_waits_in_one_that_has_ended() -> None:
    with shared_by_processes():
        processes = [get_context("spawn").Process(target=count) for _ in range(2)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert [process.exitcode for process in processes] == [0, 0]
        process_ended(processes[0].pid or 0)
        told = page(Metrics().registry, NOBODY, "none").decode()
    assert "\nshibori_completions_total 4.0\n" in told
    assert "\nshibori_claims_waiting 3.0\n" in told
    assert '\nshibori_suggestion_seconds_count{algorithm="random"} 2.0\n' in told
    assert '\nshibori_studies{status="running"} 0.0\n' in told


def count() -> None:
    metrics = Metrics()
    metrics.happened([Fact(Happening.COMPLETED, 2)])
    metrics.claims_wait(3)
    metrics.suggested("random", 0.5)
