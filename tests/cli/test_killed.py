import multiprocessing
import random
import signal
import sqlite3
import time
from contextlib import closing

import pytest

EPOCHS = ("--n-epochs", 80, "--early-stopping", 0)

# Runs a command and kills it with SIGKILL right before its n-th commit to the database, if so many
# come. What is printed is kept in a file.
PROGRAM = """
import os, signal, sys
from sqlalchemy import event
from sqlalchemy.engine import Engine
from recsys.cli import main

os.chdir(home)
sys.stdout = sys.stderr = open("said", "w", buffering=1)
n_commits = 0

@event.listens_for(Engine, "commit")
def before_commit(connection):
    global n_commits
    n_commits += 1
    if n_commits == last_commit:
        os.kill(os.getpid(), signal.SIGKILL)

main(arguments)
"""


@pytest.fixture(scope="module")
def forks():
    """Processes that start with all imported but the kernels, whose threads survive no fork."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["numba", "recsys.evaluation.calibration", "recsys.cli"])
    return context


@pytest.fixture
def start(forks, home):
    """Start a command as a process of its own; killed at the end if it still runs."""
    started = []

    def run(*arguments, last_commit=None):
        said = {"home": str(home), "last_commit": last_commit, "arguments": [*map(str, arguments)]}
        process = forks.Process(target=exec, args=(PROGRAM, said))
        process.start()
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.join()
        process.close()


@pytest.fixture
def killed_before_commit(start, home):
    """Run a command that dies before its n-th commit; say whether it got there."""

    def run(n, *arguments):
        ended = start(*arguments, last_commit=n)
        ended.join()
        assert ended.exitcode in (0, -signal.SIGKILL), (home / "said").read_text()
        return ended.exitcode != 0

    return run


@pytest.fixture
def intact(home, done):
    """Check that the database is sound; return what the champion answers."""

    def check():
        with closing(sqlite3.connect(home / "var" / "recsys.db")) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        return done("recommend", "u1", "--json").out

    return check


def wait_for_checkpoint(process, home):
    while not list(home.glob("var/checkpoints/*.npz")):
        assert process.exitcode is None, (home / "said").read_text()
        time.sleep(0.001)


def test_a_killed_training_is_resumed_to_the_same_bits(shop, start, done, home):
    train = ("train", "--data", shop, *EPOCHS)
    undisturbed = done("--database-url", "sqlite:///other/a.db", *train, "--json").json

    process = start(*train)
    wait_for_checkpoint(process, home)
    process.kill()
    process.join()
    assert done("models", "list", "--json").json == {"items": []}

    resumed = done(*train, "--resume", "--json")
    (said,) = [
        line for line in resumed.err.splitlines() if line.startswith("rating: resumed after")
    ]
    assert 1 <= int(said.split()[-1]) < 80
    assert resumed.json["content_hash"] == undisturbed["content_hash"]
    assert list(home.glob("var/checkpoints/*")) == []


def test_a_training_killed_while_it_was_stored_is_resumed_without_an_epoch(
    shop, killed_before_commit, done
):
    train = ("train", "--data", shop, "--n-epochs", 4)
    undisturbed = done("--database-url", "sqlite:///other/a.db", *train, "--json").json
    done("db", "upgrade")
    assert killed_before_commit(2, *train)
    resumed = done(*train, "--resume", "--json")
    assert "resumed after epoch 4" in resumed.err
    assert resumed.json["content_hash"] == undisturbed["content_hash"]


def test_killed_at_any_moment_the_champion_goes_on_answering(trained, shop, start, done, intact):
    train = ("train", "--data", shop, *EPOCHS, "--seed", 1, "--no-promote")
    before = intact()
    started = time.monotonic()
    undisturbed = start(*train)
    undisturbed.join()
    assert undisturbed.exitcode == 0
    duration = time.monotonic() - started

    rng = random.Random(0)
    for moment in sorted(rng.uniform(0, duration) for _ in range(3)):
        process = start(*train)
        process.join(moment)
        process.kill()
        process.join()
        assert intact() == before


def test_killed_before_any_commit_of_its_storing_nothing_half_done_is_seen(
    shop, write_csv, killed_before_commit, done, intact
):
    done("train", "--data", shop, "--n-epochs", 1)
    before = intact()
    more = write_csv(rows=950)  # so that there is a data set to be stored too
    train = ("train", "--data", more, "--n-epochs", 3)
    whole = done("--database-url", "sqlite:///other/a.db", *train, "--json").json["content_hash"]
    n_commits = 1
    while killed_before_commit(n_commits, *train):
        assert intact() == before
        *new, first = done("models", "list", "--json").json["items"]
        assert first["aliases"] == ["champion"]
        # Only the promotion is still missing.
        hashes = [{s["objective"]: s["content_hash"] for s in v["snapshots"]} for v in new]
        assert hashes in ([], [whole])
        n_commits += 1
    assert n_commits > 5
    assert done("models", "list", "--json").json["items"][0]["aliases"] == ["champion"]


def test_killed_in_its_first_migration_it_starts_afresh(shop, killed_before_commit, done, intact):
    train = ("train", "--data", shop, "--n-epochs", 1)
    assert killed_before_commit(1, *train)
    done(*train)
    assert intact()
