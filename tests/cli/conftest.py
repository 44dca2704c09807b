import contextlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

import click
import numpy as np
import pytest
from click.testing import CliRunner

from recsys.cli import main

# Small enough for many trainings, large enough that factors beat means.
N_USERS, N_ITEMS = 60, 30


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


def _contexts(command=main, name="recsys", parent=None):
    settings = {} if parent else main.context_settings
    context = click.Context(command, parent=parent, info_name=name, **settings)
    found = [context]
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            found += _contexts(command.get_command(context, inner), inner, context)
    return found


def pytest_generate_tests(metafunc):
    """A test that takes a ``context`` runs for each command and group."""
    if "context" in metafunc.fixturenames:
        metafunc.parametrize("context", _contexts(), ids=lambda context: context.command_path)


@pytest.fixture(scope="session")
def contexts():
    """The contexts of all commands and groups."""
    return _contexts()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty working directory, where nothing is configured: the database is ./var/recsys.db."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("RECSYS_"):
            monkeypatch.delenv(name)
    return tmp_path


def _run(*arguments, **environment):
    result = CliRunner().invoke(
        main,
        [str(argument) for argument in arguments],
        env=environment,
        catch_exceptions=False,
        prog_name="recsys",
    )
    return Outcome(result.exit_code, result.stdout, result.stderr)


def _run_well(*arguments, **environment):
    outcome = _run(*arguments, **environment)
    assert outcome.code == 0, outcome.err
    return outcome


@pytest.fixture
def recsys(home):
    """Run a command in this process."""
    return _run


@pytest.fixture
def done(home):
    """Run a command that must end well."""
    return _run_well


@pytest.fixture
def start(home):
    """Start a command as a process of its own; killed at the end if it still runs."""
    started = []

    def run(*arguments):
        process = subprocess.Popen(
            [sys.executable, "-m", "recsys", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=home,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def _write_csv(path, *, seed, columns, users, rows):
    rng = np.random.default_rng(seed)
    pairs = rng.permutation(N_USERS * N_ITEMS)[:rows]
    user, item = pairs // N_ITEMS, pairs % N_ITEMS
    p, q = rng.normal(0, 0.8, (N_USERS, 2)), rng.normal(0, 0.8, (N_ITEMS, 2))
    stars = 3.3 + rng.normal(0, 0.4, N_ITEMS)[item] + (p[user] * q[item]).sum(axis=1)
    stars += rng.normal(0, 0.3, rows)
    values = {
        "user": [f"{users}{n}" for n in user],
        "item": [f"i{n}" for n in item],
        "rating": np.clip(np.round(stars * 2) / 2, 1, 5).tolist(),
        "timestamp": rng.integers(10**9, 2 * 10**9, rows).tolist(),
    }
    chosen = [values[column] for column in columns.split(",")]
    lines = [",".join(map(str, row)) for row in zip(*chosen, strict=True)]
    path.write_text("\n".join([columns, *lines, ""]), encoding="utf-8")
    return path


@pytest.fixture
def write_csv(home):
    """Write planted ratings (two factors, biases, noise of .3 stars; 1 to 5 in half stars)."""

    def write(
        name="shop.csv", *, seed=0, columns="user,item,rating,timestamp", users="u", rows=900
    ):
        return _write_csv(home / name, seed=seed, columns=columns, users=users, rows=rows)

    return write


@pytest.fixture
def shop(write_csv):
    return write_csv()


@contextlib.contextmanager
def _at_home(folder):
    with pytest.MonkeyPatch.context() as patched, contextlib.chdir(folder):
        for name in os.environ:
            if name.startswith("RECSYS_"):
                patched.delenv(name)
        yield


@pytest.fixture(scope="session")
def _one_version(tmp_path_factory):
    """The folder of `trained`, and what its training told."""
    folder = tmp_path_factory.mktemp("one")
    with _at_home(folder):
        shop = _write_csv(
            folder / "shop.csv", seed=0, columns="user,item,rating,timestamp", users="u", rows=900
        )
        return folder, _run_well("train", "--data", shop, "--n-epochs", 15, "--json")


@pytest.fixture(scope="session")
def _two_versions(_one_version, tmp_path_factory):
    """The folder of `two`."""
    one, _ = _one_version
    folder = tmp_path_factory.mktemp("two")
    shutil.copytree(one, folder, dirs_exist_ok=True)
    with _at_home(folder):
        second = ("--n-epochs", 2, "--seed", 5, "--no-promote")
        _run_well("train", "--data", folder / "shop.csv", *second)
    return folder


@pytest.fixture(scope="session")
def _embedded_version(tmp_path_factory):
    """The folder of `embedded`, and what its training told."""
    folder = tmp_path_factory.mktemp("embedded")
    with _at_home(folder):
        return folder, _run_well("train", "--n-epochs", 1, "--n-factors", 4, "--json")


@pytest.fixture
def embedded(home, _embedded_version):
    """A champion that was trained without saying on what, as `train --json` tells of it."""
    folder, told = _embedded_version
    shutil.copytree(folder, home, dirs_exist_ok=True)
    return told.json


@pytest.fixture
def trained(shop, home, _one_version):
    """A champion of the shop's ratings, as `train --json` tells of it."""
    folder, told = _one_version
    shutil.copytree(folder, home, dirs_exist_ok=True)
    return told.json


@pytest.fixture
def two(trained, home, _two_versions):
    """A champion, version 1, and version 2 of the same data, of another seed and length."""
    shutil.rmtree(home / "var")
    shutil.copytree(_two_versions, home, dirs_exist_ok=True)
