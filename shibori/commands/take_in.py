"""`shibori study import`: results from a file, from Optuna or from another study."""

import json
from typing import TextIO

import click

from client import Client
from service.protocol import GivenTrial, TrialView
from shibori.commands.options import connect, json_option, server_option
from shibori.results import Results, Unreadable, from_csv, from_optuna


@click.command(name="import")
@click.argument("study")
@click.argument("file", type=click.File("r", encoding="utf-8-sig"), required=False)
@click.option("--optuna", "optuna_name", metavar="NAME", help="Import a study of this name from an Optuna storage.")
@click.option("--storage", metavar="URL", help="With --optuna: the storage, as in sqlite:///optuna.db.")
@click.option("--from", "other", metavar="OTHER", help="Import what another study of this server has completed.")
@server_option
@json_option
def command(
    study: str,
    file: TextIO | None,
    optuna_name: str | None,
    storage: str | None,
    other: str | None,
    server: str,
    as_json: bool,
) -> None:
    """Import completed trials into STUDY; its searches and verdicts know them as results from elsewhere.

    What was imported before is left out, and so are trials that failed or were stopped early.

    FILE is CSV with a line of headings: a column for each parameter, one named value or as the metric,
    and perhaps samples and state; - reads the standard input. What Optuna's trials_dataframe() writes
    is understood too.
    """
    if sum(given is not None for given in (file, optuna_name, other)) != 1:
        raise click.UsageError("Give one of FILE, --optuna and --from.")
    if (optuna_name is None) != (storage is None):
        raise click.UsageError("--optuna and --storage go together.")
    client = connect(server)
    if other is not None:
        taken = client.warm_start(study, other)
        _say(taken.count, taken.skipped, as_json)
        return
    results = _read(client, study, file, optuna_name, storage)
    there = {_result(trial) for trial in client.trials(study, status="completed") if trial.origin == "imported"}
    fresh = [trial for trial in results.trials if _result(trial) not in there]
    client.import_all(study, fresh)
    _say(len(fresh), results.skipped + len(results.trials) - len(fresh), as_json)


def _result(trial: GivenTrial | TrialView) -> str:
    """What is the same when a file is imported twice, or once more after half of it."""
    return json.dumps([sorted(trial.params.items()), trial.value])


def _read(client: Client, study: str, file: TextIO | None, optuna_name: str | None, storage: str | None) -> Results:
    wanted = client.study(study)
    try:
        if optuna_name is not None and storage is not None:
            return from_optuna(storage, optuna_name, wanted)
        assert file is not None
        return from_csv(file, wanted)
    except Unreadable as error:
        raise click.UsageError(str(error)) from error


def _say(imported: int, skipped: int, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"imported": imported, "skipped": skipped}))
    else:
        left_out = f"; {skipped} left out" if skipped else ""
        click.echo(f"{imported} trials imported{left_out}.", err=True)
