"""A backup of a server that is at work."""

import json
import subprocess
from pathlib import Path

from e2e_load import Load, assert_all_is_there, submit
from e2e_processes import SHIBORI, Server


def test_a_backup_under_load_has_all_that_was_acknowledged_before_it(own_server: Server, tmp_path: Path) -> None:
    study, copy = submit(own_server), tmp_path / "copy.db"
    with Load(own_server, study) as load:
        load.goes_on()
        before = dict(load.acknowledged)
        command = [*SHIBORI, "db", "backup", str(copy), "--database", own_server.database, "--json"]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        load.goes_on()
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["bytes"] == copy.stat().st_size
    assert_all_is_there(f"sqlite:///{copy}", study, before)
    own_server.kill()
    own_server.database = f"sqlite:///{copy}"
    own_server.start()
    with Load(own_server, study) as more:
        more.goes_on()
    assert_all_is_there(own_server.database, study, before | more.acknowledged)
