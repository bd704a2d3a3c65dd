"""The command line: wrong use, exit codes, and what it says when there is no server."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from client import LeaseLost, Unreachable
from client.errors import error_of
from shibori.commands import COMMANDS, main
from shibori.commands.faults import exit_code_of, lines_of

NOBODY = "http://127.0.0.1:9"


def run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, list(arguments), input=text)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_the_help_says_what_the_exit_codes_mean() -> None:
    help_text = run("--help").stdout
    for code in ("0 ", "1 ", "2 ", "3 ", "130 "):
        assert f"\n    {code}" in help_text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fly"], "No such command 'fly'"),
        (["best"], "Missing argument 'STUDY'"),
        (["best", "book", "-n", "0"], "-n"),
        (["best", "book", "--server", "somewhere"], "looks like http://host:8000"),
        (["worker", "--processes", "0"], "--processes"),
        (["worker", "--objective", "train"], "module:function"),
        (["worker", "--command", " "], "must name a program"),
        (["worker", "--command", "python 'train.py"], "No closing quotation"),
        (["worker", "--objective", "a:b", "--command", "c"], "exclude each other"),
        (["worker", "--exit-when-idle", "0"], "--exit-when-idle"),
        (["worker", "--command", "c", "--name", "a name"], "--name"),
        (["study", "create", "no-such-file.json"], "No such file"),
        (["serve", "--port", "70000"], "--port"),
        (["serve", "--database", "mysql://x"], "SQLite or PostgreSQL"),
        (["serve", "--workers", "2"], "cannot share a SQLite file"),
        (["db", "check", "--database", "nonsense"], "--database"),
    ],
)
def test_wrong_use_is_a_line_and_exit_code_2(arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_a_wrong_variable_is_named_and_no_option_blamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIBORI_SWEEP_SECONDS", "0")
    monkeypatch.setenv("SHIBORI_LOG_REQUESTS", "some")
    result = run("serve", "--database", "postgresql+psycopg://nobody@127.0.0.1:9/none")
    assert result.exit_code == 2
    assert "SHIBORI_SWEEP_SECONDS: input should be greater than 0" in result.stderr
    assert "SHIBORI_LOG_REQUESTS: input should be 'all', 'mutations' or 'none'" in result.stderr
    assert "--database" not in result.stderr


def test_a_wrong_variable_of_the_server_does_not_keep_others_from_a_database(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SHIBORI_SWEEP_SECONDS", "0")
    result = run("db", "check", "--database", f"sqlite:///{tmp_path / 'none.db'}")
    assert result.exit_code == 1, "there is no such file, and nothing else is wrong"
    assert "SWEEP" not in result.stderr


@pytest.mark.parametrize(
    ("text", "said"), [('{"name":', "is no JSON document"), ("[1]", "a JSON object"), ("", "no JSON")]
)
def test_a_study_that_is_no_json_is_told_where_it_breaks(text: str, said: str) -> None:
    result = run("study", "create", "-", "--server", NOBODY, text=text)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_server_that_is_not_there_is_a_line_and_exit_code_3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shibori.commands.options.PATIENCE_SECONDS", 0.0)
    result = run("study", "show", "book", "--server", NOBODY)
    assert result.exit_code == 3
    assert result.stderr.count("\n") == 1
    assert NOBODY in result.stderr
    assert "shibori serve" in result.stderr


def test_a_refusal_is_a_line_a_field() -> None:
    faults = b'[{"field": "space.lr.low", "message": "must be above 0"}, {"field": "", "message": "is empty"}]'
    body = b'{"type": "/problems/invalid-input", "title": "", "status": 422, "detail": "d", "errors": ' + faults + b"}"
    refused = error_of(NOBODY, 422, body)
    assert exit_code_of(refused) == 1
    assert list(lines_of(refused)) == ["space.lr.low: must be above 0", "is empty"]


def test_a_refusal_without_fields_is_its_sentence() -> None:
    body = b'{"type": "/problems/lease-lost", "title": "", "status": 409, "detail": "Claim another."}'
    lost = error_of(NOBODY, 409, body)
    assert isinstance(lost, LeaseLost)
    assert list(lines_of(lost)) == ["Claim another."]


def test_only_expected_errors_are_turned_into_lines() -> None:
    assert exit_code_of(KeyError("x")) is None
    assert exit_code_of(Unreachable(NOBODY, "refused")) == 3


def test_an_interrupt_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("client.Client.study", interrupted)
    assert run("study", "show", "book").exit_code == 130


def test_the_public_names_are_loaded_when_they_are_asked_for() -> None:
    code = (
        "import sys, shibori; assert not {'client', 'worker', 'numpy'} & set(sys.modules)\n"
        "shibori.Client, shibori.objective, shibori.Stopped, shibori.Trial\n"
        "assert 'Client' in dir(shibori)\n"
        "try: shibori.nothing\n"
        "except AttributeError as error: assert 'nothing' in str(error)"
    )
    subprocess.run([sys.executable, "-P", "-c", code], check=True)


def test_the_parent_of_the_workers_loads_neither_numpy_nor_a_server() -> None:
    code = (
        "import sys, shibori.commands.worker, worker.parent\n"
        "print(sorted({'numpy', 'fastapi', 'sqlalchemy', 'tqdm', 'matplotlib', 'uvicorn'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
