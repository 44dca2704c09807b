"""docs/operations.md speaks of commands, options, metrics and files that exist."""

import re
from pathlib import Path

import click
import pytest

from api import create_app
from recsys.cli.main import main

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def commands(command, path):
    """Yield all commands below one, as (words, command)."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), (*path, name))


KNOWN = dict(commands(main, ("recsys",)))


@pytest.mark.parametrize(
    "words", sorted(set(re.findall(r"\brecsys ((?:serve|train|db|keys|models)(?: [a-z]+)?)", TEXT)))
)
def test_its_commands_exist(words):
    command = KNOWN["recsys", words.split()[0]]
    if isinstance(command, click.Group) and " " in words:
        assert ("recsys", *words.split()) in KNOWN


def test_its_options_exist():
    of_recsys = {
        flag for command in KNOWN.values() for option in command.params for flag in option.opts
    }
    of_others = {"--file", "--tag", "--rm", "--volume", "--publish", "--full", "--with-filename"}
    of_others |= {"--since", "--upgrade", "--large-items", "--stop-timeout"}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", TEXT)) <= of_recsys | of_others


def test_every_option_of_the_server_but_what_its_help_says_is_explained():
    options = {option.opts[0] for option in KNOWN["recsys", "serve"].params}
    assert {option for option in options if option not in TEXT} == {"--host", "--port"}


def test_its_metrics_and_their_labels_are_those_of_the_service():
    told = create_app().test_client()
    told.get("/healthz")
    text = told.get("/metrics").text
    for name, labels in re.findall(r"^\| `(recsys_\w+)` \| ([^|]*) \|", TEXT, re.M):
        assert f"# HELP {name} " in text
        for label in re.findall(r"`(method|route|status|outcome)`", labels):
            assert f'{label}="' in text
    for name in re.findall(r"\brecsys_(?:http|model|served)\w+", TEXT):
        assert name in text


def test_its_request_fields_are_those_of_the_log(caplog):
    caplog.set_level("INFO", "recsys.access")
    create_app().test_client().get("/healthz")
    section = TEXT.partition("\n## Log\n")[2].partition("\n## ")[0]
    sentence = section.partition("an object with")[2].partition(".")[0]
    fields = set(re.findall(r"`(\w+)`", sentence))
    facts = set(vars(caplog.records[-1])) & fields
    # These three the formatter adds.
    assert fields - facts == {"time", "level", "request_id"}
    assert {"method", "path", "status", "bytes", "ms", "address", "model_id", "key"} == facts
