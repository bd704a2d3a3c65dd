"""The commands against a real server: data on the standard output, a line and an exit code for each error."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from e2e_processes import PATIENCE_SECONDS, SHIBORI, Crew, Server, eventually

from client import Retry
from service.protocol import ClaimRequest, GivenTrial
from shibori.commands import main
from trainer.data import training_images
from trainer.data.split import split
from trainer.saved import load


def run(server: Server, *arguments: str, text: str = "") -> "subprocess.CompletedProcess[str]":
    """What a command says and its exit code; run in this process, since to start another takes longer than it does."""
    command = [*arguments, "--server", server.url]
    ran = CliRunner().invoke(main, command, input=text)
    assert ran.exception is None or isinstance(ran.exception, SystemExit)
    return subprocess.CompletedProcess(command, ran.exit_code, ran.stdout, ran.stderr)


def test_a_command_of_the_shell_ends_with_its_code_and_keeps_data_and_errors_apart(server: Server) -> None:
    for command, code, out in (("list", 0, "[]\n"), ("show", 1, "")):
        asked = [*SHIBORI, "study", command, *(["nobody"] if code else ["--json", "--tag", "none"])]
        ran = subprocess.run([*asked, "--server", server.url], capture_output=True, text=True, check=False)
        assert (ran.returncode, ran.stdout, bool(ran.stderr)) == (code, out, code == 1)


def spec(name: str, trials: int = 6, **more: object) -> str:
    return json.dumps(
        {
            "name": name,
            "objective": {"name": "scripted"},
            "space": {"x": {"type": "float", "low": 0.0, "high": 1.0}},
            "budget": {"trials": trials},
            **more,
        }
    )


def test_a_study_from_its_file_to_its_next_round(server: Server, crew: Crew, tmp_path: Path) -> None:
    file = tmp_path / "study.json"
    file.write_text(spec("whole", narrowing={"policy": "leaders"}))
    created = run(server, "study", "create", str(file), "--json")
    assert json.loads(created.stdout)["name"] == "whole"
    crew.start("--study", "whole")
    watched = run(server, "study", "watch", "whole")
    assert watched.stdout.startswith("whole (")
    assert "6/6" in watched.stderr
    assert run(server, "best", "whole", "-n", "2").stdout.count("Best-") == 2
    assert len(json.loads(run(server, "best", "whole", "-n", "2", "--json").stdout)["items"]) == 2
    assert "x: narrow" in run(server, "narrow", "whole").stdout
    assert json.loads(run(server, "narrow", "whole", "--apply", "--json").stdout)["number"] == 1
    assert "round: 0 > 1" in run(server, "study", "show", "whole").stdout
    assert run(server, "study", "delete", "whole", "--yes").returncode == 0
    assert run(server, "study", "show", "whole").returncode == 1


def test_workers_are_listed_and_released(server: Server) -> None:
    server.client.claim(ClaimRequest(worker="ann", objectives=["f"]))
    listed = run(server, "workers", "list").stdout.splitlines()
    assert listed[0].split()[:2] == ["NAME", "RUNNING"]
    assert any(line.startswith("ann ") for line in listed)
    assert "ann" in [worker["name"] for worker in json.loads(run(server, "workers", "list", "--json").stdout)]
    assert "ann may claim again" in run(server, "workers", "release", "ann").stderr
    assert json.loads(run(server, "workers", "release", "ann", "--json").stdout)["paused"] is None
    assert "No worker 'nobody'" in run(server, "workers", "release", "nobody").stderr


def test_a_study_is_paused_resumed_and_stopped(server: Server) -> None:
    assert run(server, "study", "create", "-", text=spec("controlled")).returncode == 0
    for command, status in (("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
        assert json.loads(run(server, "study", command, "controlled", "--json").stdout)["status"] == status
    listed = run(server, "study", "list", "--status", "stopped")
    assert listed.stdout.splitlines()[0].split()[:2] == ["NAME", "STATUS"]
    assert "controlled" in listed.stdout
    assert [study["name"] for study in json.loads(run(server, "study", "list", "--json").stdout)].count("controlled")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (spec("a name"), "name"),
        (spec("x").replace('"low": 0.0', '"low": 2.0'), "space.x"),
        (spec("x").replace("0.0", "NaN"), "NaN"),
        ("{}", "objective"),
    ],
)
def test_a_study_that_is_wrong_is_told_by_its_fields(server: Server, text: str, said: str) -> None:
    refused = run(server, "study", "create", "-", text=text)
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_refusal_says_the_way_out(server: Server) -> None:
    assert run(server, "study", "create", "-", text=spec("twice")).returncode == 0
    refused = run(server, "study", "create", "-", text=spec("twice"))
    assert refused.returncode == 1
    assert "choose another name" in refused.stderr
    running = run(server, "study", "delete", "twice", "--yes")
    assert running.returncode == 1
    assert "stop it" in running.stderr


def test_a_database_is_upgraded_and_checked(tmp_path: Path) -> None:
    database = ["--database", f"sqlite:///{tmp_path / 'new.db'}"]
    for command, code in (("check", 1), ("upgrade", 0), ("check", 0)):
        assert ended("db", command, *database)[0] == code


def test_the_net_of_the_best_trial_is_fetched_and_predicts(server: Server, crew: Crew, tmp_path: Path) -> None:
    settings = {"dataset": "digits", "train_size": 200, "epochs": 8, "batch_size": 20, "hidden_sizes": [16]}
    study = {
        "name": "keeps",
        "objective": {"name": "multi_layer_net", "settings": settings | {"batch_norm": True}},
        "space": {"lr": {"type": "float", "low": 1e-3, "high": 1.0, "scale": "log"}},
        "search": {"seed": 0},
        "budget": {"trials": 6},
        "keep_weights": "best",
    }
    assert run(server, "study", "create", "-", text=json.dumps(study)).returncode == 0
    crew.start("--study", "keeps", processes=2)
    server.when("keeps", "completed")
    path = tmp_path / "net.npz"
    fetched = run(server, "study", "best-model", "keeps", "-o", str(path))
    assert fetched.returncode == 0, fetched.stderr
    best = server.client.best("keeps", 1).items[0]
    images = training_images("digits")
    judged = split(images, 200, 0.2, split_seed=0).validation
    numbers = np.random.default_rng(0).permutation(len(images))[: len(judged.t)]
    right = load(path).predict(images.pixels[numbers]) == judged.t
    assert best.value == pytest.approx(float(right.mean()))


def test_a_database_that_a_server_has_is_checked_beside_it_and_served_by_no_other(own_server: Server) -> None:
    database = ["--database", own_server.database]
    assert ended("db", "check", *database)[0] == 0
    assert ended("db", "upgrade", *database)[0] == 0
    code, said = ended("serve", "--port", "0", *database)
    assert (code, "another server" in said) == (1, True)


def test_a_server_that_cannot_listen_says_so_and_touches_no_other(own_server: Server, tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path / 'other.db'}"
    code, said = ended("serve", "--port", str(own_server.port), "--database", database)
    assert (code, "address already in use" in said) == (1, True)
    code, said = ended("serve", "--port", "0", "--database", f"sqlite:///{tmp_path / 'none' / 'x.db'}")
    assert (code, "there is no folder" in said) == (1, True)
    (tmp_path / "link.db").symlink_to(own_server.database.removeprefix("sqlite:///"))
    code, said = ended("serve", "--port", "0", "--database", f"sqlite:///{tmp_path / 'link.db'}")
    assert (code, "another server" in said) == (1, True)


def test_a_claim_that_waits_is_answered_when_the_server_ends(own_server: Server) -> None:
    waiting = ClaimRequest(worker="w", objectives=["x"], wait_seconds=30)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(own_server.client.with_retry(Retry(total_seconds=0)).claim, waiting)
        eventually(lambda: own_server.client.workers().items, "the claim")
        assert own_server.end() == 0
        assert answer.result().trials == []


def test_a_database_that_does_not_answer_is_told_in_a_sentence() -> None:
    nowhere = "postgresql+psycopg://shibori@127.0.0.1:1/shibori"
    for command in (["db", "check"], ["db", "upgrade"], ["serve", "--port", "0"]):
        code, said = ended(*command, "--database", nowhere)
        assert (code, "the database does not answer" in said) == (1, True)


def ended(*arguments: str) -> tuple[int, str]:
    """The exit code of a command and what it said on the standard error, which is never a traceback."""
    ran = subprocess.run([*SHIBORI, *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    assert "Traceback" not in ran.stderr
    return ran.returncode, ran.stderr


def test_results_from_a_file_and_from_another_study_are_imported(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "results.csv"
    file.write_text("x,value,state\n0.25,0.5,COMPLETE\n0.5,,FAIL\n7.5,0.75,COMPLETE\n")
    assert run(server, "study", "create", "-", text=spec("imported")).returncode == 0
    assert run(server, "study", "create", "-", text=spec("warm")).returncode == 0
    said = run(server, "study", "import", "imported", str(file))
    assert (said.returncode, said.stderr) == (0, "2 trials imported; 1 left out.\n")
    again = run(server, "study", "import", "imported", str(file))
    assert (again.returncode, again.stderr) == (0, "0 trials imported; 3 left out.\n")
    taken = run(server, "study", "import", "warm", "--from", "imported", "--json")
    assert json.loads(taken.stdout) == {"imported": 2, "skipped": 0}
    best = server.client.best("warm").items
    assert [(trial.params["x"], trial.value) for trial in best] == [(7.5, 0.75), (0.25, 0.5)]


def test_a_file_without_the_right_columns_is_wrong_use(server: Server) -> None:
    assert run(server, "study", "create", "-", text=spec("columns")).returncode == 0
    said = run(server, "study", "import", "columns", "-", text="y,value\n1,2\n")
    assert (said.returncode, said.stdout) == (2, "")
    assert "There is no column for x; the columns are y, value." in said.stderr


def test_a_past_suggestion_comes_out_again(server: Server, crew: Crew) -> None:
    search = {"algorithm": "bayesian", "seed": 3, "settings": {"initial": 3}}
    study = server.submit("replayed", 6, search=search)
    crew.start("--study", "replayed")
    server.when(study.id, "completed")
    for number in ("1", "5"):
        said = run(server, "study", "replay", "replayed", number)
        assert said.returncode == 0, said.stderr
        assert "They are equal." in said.stdout
    assert json.loads(run(server, "study", "replay", "replayed", "5", "--json").stdout)["equal"] is True


def test_what_matters_is_told_in_a_table_and_in_sentences(server: Server) -> None:
    server.submit("weighed", 30)
    values = [GivenTrial(params={"x": place / 30}, value=place / 30) for place in range(30)]
    few = run(server, "study", "importance", "weighed")
    assert (few.returncode, "x: Not told apart from noise: 0 trials ended" in few.stdout) == (0, True)
    server.client.enqueue("weighed", values)
    said = run(server, "study", "importance", "weighed").stdout.splitlines()
    assert [line.split() for line in said[:1]] == [["PARAMETER", "IMPORTANCE", "ALONE", "P", "MATTERS"]]
    assert said[1].split()[:3] == ["x", "100%", "100%"]
    assert said[1].endswith("yes")
    assert said[2].startswith("From 30 trials")
    assert said[3].startswith("x: It matters")
    told = json.loads(run(server, "study", "importance", "weighed", "--json").stdout)
    assert told["parameters"]["x"]["matters"] is True
