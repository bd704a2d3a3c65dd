"""What a soak has found, as a person reads it."""

import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.soak import check
from tests.soak.check import Findings

MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Report:
    findings: Findings
    happened: Counter[str]
    worker_megabytes: float
    exits: list[int]
    database_check: str
    """What `shibori db check` says where it does not find the database in order."""

    @property
    def is_good(self) -> bool:
        return not (self.findings.lost or self.findings.wrong or any(self.exits) or self.database_check)

    def __str__(self) -> str:
        found = self.findings
        breaches = [*found.lost, *found.wrong, *self.database_check.splitlines()]
        lines = [
            f"trials: {_listed(found.statuses)}",
            f"attempts: {_listed(found.attempts)}",
            f"misfortunes: {_listed(self.happened)}",
            f"answers: {_listed(found.fates)}; refused {_listed(found.refused)}",
            f"acknowledged: {_listed(found.acknowledged)}",
            f"lost: {len(found.lost)}, otherwise wrong: {len(found.wrong)}, exit codes: {self.exits}",
            f"workers and their parents held {self.worker_megabytes:.0f} MB of their own",
        ]
        return "\n".join([*lines, *breaches[:MOST_SHOWN]])


def made(record: Path, database: str, happened: Counter[str], worker_megabytes: float, exits: list[int]) -> Report:
    said = subprocess.run(
        [sys.executable, "-m", "shibori", "db", "check", "--database", database], capture_output=True, text=True
    )
    database_check = said.stderr if said.returncode else ""
    return Report(check.examine(record, database), happened, worker_megabytes, exits, database_check)


def _listed(counts: Counter[str] | Counter[int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=str)) or "none"
