"""docs/cli.md holds every command and option, in the words of the help, and its examples run."""

import re
import shlex
from pathlib import Path

import click
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
TEXT = PAGE.read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^#{2,3} ([^\n]+)\n(.*?)(?=^#{2,3} |\Z)", TEXT, re.M | re.S))
EXAMPLES = re.findall(r"```console\n(.*?)```", TEXT, re.S)

# Not run by the test: a download, a server that does not end, and what is slow and run elsewhere.
NOT_RUN = ("recsys data fetch", "recsys serve", "recsys report", "recsys tune")
# Run with the very settings of the page, on nothing that was trained with others.
SAME_FIGURES = (
    "recsys train --seed 1",
    "recsys evaluate --split time",
    "recsys lr-find",
    "recsys data",
    "recsys feedback",
)


def row(option, context):
    """Return the line of a table that documents an option."""
    extra = option.get_help_extra(context)
    if isinstance(option.type, click.Choice):
        value = ", ".join(option.type.choices)
    else:
        value = "" if option.is_flag else option.make_metavar(context).removesuffix(" RANGE")
    values = ", ".join(filter(None, [value, extra.get("range")]))
    default = extra.get("default", "").removeprefix("(").removesuffix(")")
    names = " / ".join([*option.opts, *option.secondary_opts])
    cells = [f"`{names}`", values, option.help, default]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def documented(context):
    """Return a command's section, and the sections that it links to."""
    section = SECTIONS.get(context.command_path, "")
    linked = re.findall(r"\]\(#([\w-]+)\)", section)
    others = (text for title, text in SECTIONS.items() if title.lower().replace(" ", "-") in linked)
    return [section, *others]


def test_every_option_of_a_command_is_documented_in_the_words_of_its_help(context):
    assert context.command_path in SECTIONS
    lines = [line for text in documented(context) for line in text.splitlines()]
    options = [option for option in context.command.params if isinstance(option, click.Option)]
    missing = [line for line in (row(option, context) for option in options) if line not in lines]
    assert not missing, f"{PAGE.name}, {context.command_path}:\n" + "\n".join(missing)


def test_nothing_else_is_documented(contexts):
    known = [context.command_path for context in contexts]
    assert [title for title in SECTIONS if title.startswith("recsys") and title not in known] == []
    flags = {
        flag
        for context in contexts
        for option in context.command.params
        for flag in (*option.opts, *option.secondary_opts)
    }
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", TEXT)) - flags - {"--help"} == set()


def test_every_command_that_can_be_run_has_an_example(contexts):
    for context in contexts:
        if not isinstance(context.command, click.Group):
            assert f"$ {context.command_path}" in SECTIONS[context.command_path]


def test_the_examples_run_and_print_what_the_page_shows(recsys, home):
    # Little training: what is compared of most is the shape of the output, not its figures.
    quick = {
        f"RECSYS_{command}_{name}": value
        for command in ("TRAIN", "EVALUATE")
        for name, value in {"N_EPOCHS": "2", "N_FACTORS": "8"}.items()
    }
    n_run = 0
    for command, shown in steps():
        if command.startswith("cat "):
            (home / command.removeprefix("cat ")).write_text(shown)
        elif not command.startswith(NOT_RUN):
            arguments = shlex.split(command, comments=True)[1:]
            ran = recsys(*arguments, **({} if "--n-epochs" in arguments else quick))
            failed = shown.startswith("Error: ")
            assert (ran.code != 0) == failed, f"{command}: {ran.err}"
            assert shape(shown) == shape(ran.err + ran.out) or shape(shown) == shape(ran.out), (
                command
            )
            if command.startswith(SAME_FIGURES):
                # Not to the last digit, which may be another on another processor.
                wanted = pytest.approx(figures(shown), rel=0.05)
                assert figures(ran.err + ran.out) == wanted, command
            n_run += 1
    assert n_run > 10


def steps():
    for example in EXAMPLES:
        for step in re.split(r"^\$ ", example, flags=re.M)[1:]:
            command, _, shown = step.partition("\n")
            yield command, shown


def shape(text):
    """Return the first line without its numbers and its spacing."""
    first = text.split("\n", 1)[0]
    return re.sub(r"[\d.,\s-]+", " ", first).strip()


def figures(text):
    """Return the numbers of the first paragraph but its times."""
    lines = [line for line in text.partition("\n\n")[0].splitlines() if "seconds" not in line]
    return [
        float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*\.?\d*", "\n".join(lines))
    ]


def test_the_exit_codes_are_those_of_the_contract():
    codes = re.findall(r"^\| (\d) \| (\S+)", SECTIONS["Exit codes"], re.M)
    assert codes == [("0", "done"), ("1", "failed"), ("2", "usage"), ("3", "bad"), ("4", "not")]


def test_the_example_of_a_configuration_file_is_accepted(recsys, home):
    (text,) = re.findall(r"```toml\n(.*?)```", TEXT, re.S)
    (home / "recsys.toml").write_text(text)
    for command in re.findall(r"^\[([a-z.]+)\]$", text, re.M):
        refused = recsys(*command.split("."), "--no-such-option")
        assert "No such option" in refused.err  # the settings were read before, and are all known


def test_links_lead_somewhere():
    anchors = {title.lower().replace(" ", "-") for title in SECTIONS}
    for target in re.findall(r"\]\(([^)]+)\)", TEXT):
        if target.startswith("#"):
            assert target[1:] in anchors
        else:
            assert (PAGE.parent / target.partition("#")[0]).exists(), target
