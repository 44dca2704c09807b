import contextlib
import importlib.metadata
import os
import pty
import re
import subprocess
import sys
import termios

import click
import pytest

COMMANDS = [
    "train",
    "evaluate",
    "recommend",
    "similar",
    "predict",
    "report",
    "models",
    "db",
    "serve",
]


def test_the_commands_of_the_contract_are_there(contexts):
    assert {context.command_path.split()[1] for context in contexts[1:]} >= set(COMMANDS)


def test_help_explains_every_command_and_option_in_80_columns(recsys, context):
    words = context.command_path.split()[1:]
    told = recsys(*words, "--help", COLUMNS="80")
    assert (told.code, told.err) == (0, "")
    choices = re.compile(r"^  --\S+ \[.*\]$")  # these click does not wrap
    assert max(len(line) for line in told.out.splitlines() if not choices.match(line)) <= 80
    assert recsys(*words, "-h").out == told.out
    if isinstance(context.command, click.Group):
        assert "..." not in told.out.split("Commands:")[1]  # no summary is cut


def test_every_help_text_ends_like_a_sentence(context):
    assert context.command.help
    for option in context.command.params:
        if isinstance(option, click.Option):
            assert option.help, option.name
            assert option.help.endswith("."), option.help


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("train", "--data", "shop.csv", "--lr", 1e9), 1, "diverged in epoch 1"),
        (("fly",), 2, "No such command 'fly'"),
        (("train", "--n-factor"), 2, "No such option"),
        (("train", "--data", "shop.csv", "--n-factors", 0), 2, "n_factors is 0; allowed: 1 to"),
        (("train", "--data", "shop.csv", "--y-range", 5, 1), 2, "allowed: a lower bound, then"),
        (("--database-url", "nonsense", "models", "list"), 2, "allowed: such as sqlite:///"),
        (("train", "--data", "bad.csv"), 3, "bad.csv, line 3: "),
        (("evaluate", "--data", "bad.csv"), 3, "found 'x'; allowed: a finite number"),
        (("evaluate", "--train", "shop.csv", "--test", "bad.csv"), 3, "bad.csv, line 3: "),
        (("train", "--data", "ml-9000"), 4, "'ml-9000' is no file, no folder and no data set"),
        (("recommend", "u1"), 4, "there is no champion yet"),
        (("models", "show", 1), 4, "there is no version 1"),
    ],
)
def test_each_kind_of_failure_has_its_exit_code_and_one_line_on_stderr(
    recsys, shop, home, arguments, code, complaint
):
    (home / "bad.csv").write_text("user,item,rating\nu1,i1,3\nu1,i2,x\n")
    failed = recsys(*arguments)
    assert failed.code == code
    assert failed.out == ""
    *_, last = failed.err.splitlines()
    assert last.startswith("Error: ")
    assert complaint in last


def test_it_runs_as_a_module_and_from_anywhere(home):
    ran = subprocess.run(
        [sys.executable, "-m", "recsys", "--version"], capture_output=True, text=True, cwd=home
    )
    assert ran.returncode == 0
    assert ran.stdout == f"python -m recsys, version {importlib.metadata.version('recsys')}\n"


@pytest.fixture(scope="module")
def piped(tmp_path_factory):
    """What `train --json` and then a table write into pipes, from a process of its own."""
    home = tmp_path_factory.mktemp("piped")
    environment = {name: v for name, v in os.environ.items() if not name.startswith("RECSYS_")}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "recsys", *arguments],
            capture_output=True, text=True, cwd=home, env=environment, check=True,
        )  # fmt: skip

    trained = run("train", "--n-epochs", "1", "--n-factors", "4")
    return trained, run("recommend", "1"), run("models", "list")


def test_in_a_pipe_nothing_is_drawn(piped):
    for ran in piped:
        for text in (ran.stdout, ran.stderr):
            assert not re.search(r"[\r\x1b]|\d+%\|", text)


def test_on_a_terminal_a_bar_is_drawn_and_an_error_stands_on_a_line_of_its_own(home, shop):
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    process = subprocess.Popen(
        [sys.executable, "-m", "recsys", "train", "--data", shop, "--lr", "40"],
        stderr=theirs, cwd=home,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError), os.fdopen(ours, "rb", buffering=0) as terminal:
        while part := terminal.read(4096):
            shown += part
    assert process.wait() == 1
    lines = [line.split("\r")[-1] for line in shown.decode().replace("\r\n", "\n").split("\n")]
    assert "ratings/s" in shown.decode()
    assert lines[-2].startswith("Error: training diverged")
    assert lines[-1] == ""


def test_what_is_not_the_result_goes_to_stderr(piped):
    trained, listed, _ = piped
    assert trained.stderr.startswith("ml-latest-small: 100,004 ratings of 9,066 items")
    assert "Version 1 is stored" in trained.stdout
    assert listed.stderr == ""


def test_tables_fit_80_columns(piped):
    for ran in piped:
        table = [line for line in ran.stdout.splitlines() if "  " in line]
        assert len(table) >= 3
        assert max(map(len, table)) <= 80


def test_asking_loads_neither_numba_nor_training(trained, home):
    program = (
        "import sys; from recsys.cli import main; main(['recommend', 'u1'], standalone_mode=False);"
        "sys.exit(sorted(name for name in sys.modules if name.split('.')[0] == 'numba'"
        " or name.startswith('recsys.training')) or 0)"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=home)
    assert (ran.returncode, ran.stderr) == (0, "")
