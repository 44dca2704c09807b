"""The files of deploy/ fit the program: what they start, set and promise exists."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.server import GRACEFUL_SECONDS
from recsys.cli import main

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
UNIT = (DEPLOY / "recsys.service").read_text(encoding="utf-8")
NGINX = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")


@pytest.fixture
def shown(tmp_path, monkeypatch):
    """Return a function that gives what `serve --show-config` prints, by setting."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("RECSYS_"):
            monkeypatch.delenv(name)

    def show(*arguments, **environment):
        done = CliRunner().invoke(main, [*arguments, "--show-config"], env=environment)
        assert done.exit_code == 0, done.output
        rows = (re.split(r"\s{2,}", row.strip()) for row in done.stdout.splitlines()[2:])
        return {row[0]: row[1] for row in rows}

    return show


def instructions(name):
    """Return the arguments of an instruction of the Dockerfile's last stage, in order."""
    last_stage = DOCKERFILE.replace("\\\n", " ").rpartition("\nFROM ")[2]
    return re.findall(rf"^{name} (.+)$", last_stage, re.M)


def test_the_image_serves_to_the_outside_from_its_volume(shown):
    (entry,), (command,) = (map(json.loads, instructions(name)) for name in ("ENTRYPOINT", "CMD"))
    assert entry == ["recsys"]
    variables = dict(pair.split("=", 1) for pair in shlex.split(instructions("ENV")[0]))
    settings = {name: value for name, value in variables.items() if name.startswith("RECSYS_")}
    found = shown(*command, **settings)
    assert found["host"] == "0.0.0.0"
    assert instructions("EXPOSE") == [found["port"]]
    (volume,) = instructions("VOLUME")
    assert found["database_url"] == f"sqlite:///{volume}/recsys.db"


def test_the_image_does_not_run_as_root():
    (user,) = instructions("USER")
    making, _, starting = DOCKERFILE.partition(f"USER {user}")
    assert re.search(rf"useradd .*{user}\b", making)
    assert f"--owner {user}" in making
    assert "USER" not in starting


def test_the_image_asks_for_its_health_where_it_serves(shown):
    health = instructions("HEALTHCHECK")[0]
    python, flag, program = json.loads(health[health.index("[") :])
    assert (python, flag) == ("python", "-c")
    compile(program, "healthcheck", "exec")
    (port,) = instructions("EXPOSE")
    assert f"http://127.0.0.1:{port}/healthz" in program


def test_the_image_has_a_python_that_the_package_allows():
    versions = set(re.findall(r"^FROM python:3\.(\d+)-slim", DOCKERFILE, re.M))
    assert versions < {"11", "12", "13"}
    assert len(versions) == 1


def value(name):
    return re.findall(rf"^{name}=(.*)$", UNIT, re.M)


def test_the_unit_starts_a_command_that_exists_with_settings_that_exist(shown):
    program, *command = shlex.split(value("ExecStart")[0])
    assert Path(program).name == "recsys"
    variables = dict(pair.split("=", 1) for pair in value("Environment"))
    assert variables["RECSYS_CONFIG"] == "/etc/recsys.toml"
    variables["RECSYS_CONFIG"] = str(DEPLOY / "recsys.toml")
    found = shown(*command, **variables)
    assert found["log_format"] == "json"
    assert found["database_url"] == f"sqlite:///{value('WorkingDirectory')[0]}/recsys.db"
    # The same file is all that a command of the operator's needs to be told.
    by_hand = shown("--config", variables["RECSYS_CONFIG"], *command)
    assert by_hand["database_url"] == found["database_url"]
    assert value("WorkingDirectory") == [f"/var/lib/{value('StateDirectory')[0]}"]


def test_the_unit_waits_longer_than_the_server_does():
    assert int(value("TimeoutStopSec")[0]) > GRACEFUL_SECONDS


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd alone checks its units")
def test_systemd_understands_the_unit(tmp_path):
    unit = tmp_path / "recsys.service"
    unit.write_text(UNIT.replace("/opt/recsys/bin/recsys", sys.executable))
    checked = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False
    )
    assert "recsys.service" not in checked.stderr, checked.stderr


def test_the_proxy_replaces_every_header_that_is_believed_and_asks_where_the_server_is(shown):
    found = shown("--config", str(DEPLOY / "recsys.toml"), "serve")
    assert found["proxies"] == "1"
    for name in ("For", "Proto", "Prefix"):
        assert len(re.findall(rf"proxy_set_header X-Forwarded-{name} ", NGINX)) == 1
    assert "$proxy_add_x_forwarded_for" not in NGINX
    assert f"server {found['host']}:{found['port']};" in NGINX
