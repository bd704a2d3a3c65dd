"""A study that is searched, confirmed and tested by real processes, and the proof that the test set stays closed."""

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from e2e_processes import SHIBORI, Crew, Server, eventually
from urllib3 import PoolManager

from client import ApiError
from service.protocol import FinalTest, StudyView
from trainer import objectives

NET = objectives.known()[0]
SETTINGS = {"dataset": "digits", "train_size": 200, "hidden_sizes": [20], "epochs": 4, "batch_size": 20}
LOG = {"type": "float", "low": 0.01, "high": 0.2, "scale": "log"}


def submitted(server: Server, name: str, **settings: Any) -> StudyView:
    return server.submit(
        name,
        4,
        objective={"name": "multi_layer_net", "settings": SETTINGS | settings},
        metric={"name": "validation_accuracy", "goal": "maximize"},
        space={"lr": LOG},
        search={"seed": 3},
    )


def run(server: Server, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [*SHIBORI, "study", *arguments, "--server", server.url]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def said(server: Server, *arguments: str) -> Any:
    ended = run(server, *arguments, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_a_study_from_its_search_to_its_final_test(server: Server, crew: Crew) -> None:
    study = submitted(server, "whole")
    crew.start(study=study)
    server.when(study.id, "completed")
    confirmed = said(server, "confirm", "whole", "-n", "2", "--seeds", "3", "--new-splits", "--wait")
    assert (confirmed["status"], confirmed["seeds"], confirmed["new_splits"]) == ("completed", 3, True)
    assert [len(item["values"]) for item in confirmed["items"]] == [3, 3]
    assert len({value for item in confirmed["items"] for value in item["values"]}) > 1
    tested = said(server, "final-test", "whole", "--wait")
    assert (tested["status"], tested["samples"]) == ("completed", 359)
    assert tested["trial"] == confirmed["items"][0]["trial"]
    trial = server.client.trial("whole", tested["number"])
    assert tested["accuracy"] == accuracy_again(study, trial.params, trial.seed)
    assert all("validation_accuracy" not in epoch for epoch in curve(server, tested["number"]))
    assert said(server, "final-test", "whole") == tested
    assert run(server, "confirm", "whole", "-n", "2", "--seeds", "3", "--new-splits").stdout.startswith("completed: 2")
    assert run(server, "final-test", "whole").stdout.startswith("test accuracy 0.")


def curve(server: Server, number: int) -> list[dict[str, object]]:
    return [epoch.model_dump() for epoch in server.client.curve("whole", number).epochs]


def accuracy_again(study: StudyView, params: Any, seed: int) -> float:
    """What the same training in this process comes to."""
    settings = NET.Settings.model_validate({**study.objective.settings, **params})
    final = NET.final_test(settings, seed=seed, split_seed=3, ends=())
    while True:
        try:
            next(final)
        except StopIteration as end:
            accuracy: float = end.value.metrics["test_accuracy"]
            return accuracy


def test_nothing_reads_a_test_label_before_the_final_test(server: Server, crew: Crew, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    arrays = {"x": rng.normal(size=(200, 8)), "t": np.arange(200) % 4, "x_test": rng.normal(size=(50, 8))}
    path = tmp_path / "closed.npz"
    # An object raises when it is read, since nothing here reads pickles.
    np.savez(path, allow_pickle=True, **arrays, t_test=np.array([object()]))
    study = submitted(server, "closed", dataset=f"npz:{path}", standardize=True, patience=2, value_of="best")
    crew.start(study=study)
    server.when(study.id, "completed")
    confirmed = said(server, "confirm", "closed", "-n", "3", "--seeds", "2", "--wait")
    assert [(item["missing"], item["rank"]) for item in confirmed["items"]] == [(0, 1), (0, 2), (0, 3)]
    ask_everything(server, "closed")
    assert {trial.status for trial in server.client.trials("closed", purpose="confirmation")} == {"completed"}
    ended = run(server, "final-test", "closed", "--wait", "--json")
    tested = FinalTest.model_validate_json(ended.stdout)
    assert (ended.returncode, tested.status, tested.accuracy) == (1, "failed", None)
    assert "closed.npz is no .npz file of plain arrays" in ended.stderr
    assert f"retry trial {tested.number}" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert tested.opened_at is not None
    np.savez(path, **arrays, t_test=np.arange(50) % 4)
    server.client.retry("closed", tested.number)
    eventually(lambda: server.client.final_test_result("closed").status == "completed", "the final test")
    repaired = server.client.final_test_result("closed")
    assert (repaired.samples, repaired.opened_at) == (50, tested.opened_at)
    with pytest.raises(ApiError, match="of trial"):
        server.client.final_test("closed", next(n for n in range(4) if n != repaired.trial))


def ask_everything(server: Server, name: str) -> None:
    """Every call that only asks, about one study and its first trial, as the document of the API names them."""
    ours = {"study": name, "number": "0", "name": "learning-curves", "form": "png"}
    with PoolManager() as pool:
        document = pool.request("GET", f"{server.url}/openapi.json").json()
        paths = [path for path, calls in document["paths"].items() if "get" in calls]
        assert len(paths) > 15
        for path in paths:
            # Not to the end: a stream of events has none.
            answer = pool.request("GET", server.url + path.format_map(ours), preload_content=False)
            assert answer.status in (200, 404, 409), path
            answer.close()
