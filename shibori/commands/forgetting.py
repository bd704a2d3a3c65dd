"""Removes learning curves for `shibori db prune`: through a server, or on a database that no server has."""

import os
from collections.abc import Iterable, Iterator
from datetime import timedelta

import click

from client import Client
from service.protocol import CurveRetention, ForgottenCurves


def through_server(client: Client, study: str | None, asked: CurveRetention) -> Iterator[ForgottenCurves]:
    """Part by part, so that workers never wait for long."""
    names: Iterable[str] = [study] if study is not None else [one.name for one in client.studies()]
    for name in names:
        yield from client.forget_curves(name, asked)


def without_server(url: str, study: str | None, asked: CurveRetention, *, vacuum: bool) -> list[ForgottenCurves]:
    """The same on the database itself, whose SQLite file is made smaller afterwards where that is wanted."""
    from service.app import open_database
    from service.domain.errors import ShiboriError
    from service.operations.forget_curves import Retention, forget_everywhere
    from service.storage.compact import compact
    from service.storage.sole_use import sole_use
    from service.storage.store import system_clock

    retention = Retention(timedelta(days=asked.older_than_days), asked.keep_best)
    with sole_use(url):
        database = open_database(url, system_clock, os.urandom, lambda _: None)
        try:
            parts = list(forget_everywhere(database, study, retention, dry_run=asked.dry_run))
        except ShiboriError as error:
            raise click.ClickException(str(error)) from error
        finally:
            database.close()
        if vacuum:
            compact(url)
    return [ForgottenCurves(curves=part.curves, bytes=part.size, next_cursor=None) for part in parts]
