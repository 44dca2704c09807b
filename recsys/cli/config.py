"""Settings from `recsys.toml`: top-level keys, and a table per command."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import click
from click.core import ParameterSource
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

CONFIG_FILE = "recsys.toml"
_PATH = f"{__name__}.path"
# Where downloads, benchmarks' data sets and the database of the tests are.
_NOT_OF_A_COMMAND = ("RECSYS_DATA_DIR", "RECSYS_CACHE", "RECSYS_TEST_POSTGRES_URL")
# What Kubernetes sets for a service that is called recsys, or recsys-something.
_OF_A_SERVICE = re.compile(r"RECSYS_(\w+_)?(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP|SCTP))(_\w+)?")


def read_config(context: click.Context, path: Path | None) -> None:
    """Make a file's settings the defaults of the program.

    The tables of commands are only looked at by `apply_config`: what a command's options are is
    known once it is imported, and a server should not import training to check them.

    Raises
    ------
    click.UsageError
        If the file is no TOML, or has a top-level key that is unknown.
    """
    if path is None and not Path(CONFIG_FILE).is_file():
        return
    path = context.meta[_PATH] = path or Path(CONFIG_FILE)
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise click.UsageError(f"{path}: {error}", context) from error
    context.default_map = _named(settings, context.command, context)


def apply_config(context: click.Context, name: str, command: click.Command) -> None:
    """Check the table of the command that is about to run, and the variables in the environment.

    Those of other commands are left alone, as their tables are.

    Raises
    ------
    click.UsageError
        If a setting is unknown.
    """
    program = str(context.auto_envvar_prefix)
    prefix = f"{program}_{_as_variable(name)}_"
    commands = cast(click.Group, context.command).list_commands(context)
    others = tuple(f"{program}_{_as_variable(other)}_" for other in commands if other != name)
    allowed = [*_own_variables(context.command, program), *_variables(command, context, prefix)]
    for variable in sorted(os.environ):
        is_ours = variable.startswith(f"{program}_") and not variable.startswith(others)
        if is_ours and variable not in (*allowed, *_NOT_OF_A_COMMAND) and not _is_link(variable):
            raise click.UsageError(
                f"unknown setting {variable} in the environment; allowed: {', '.join(allowed)}",
                context,
            )
    if context.default_map and name in context.default_map:
        context.default_map[name] = _checked(context.default_map[name], command, context, name)


def origin(error: click.BadParameter) -> str:
    """Return where a bad value was set, if not on the command line."""
    if error.ctx is None or error.param is None:
        return ""
    place = _place(error.ctx, error.param)
    return f" (set by {place})" if place not in (_COMMAND_LINE, _DEFAULT) else ""


def settings(context: click.Context) -> list[tuple[str, str, str]]:
    """Return name, value and origin of all settings of a command and of the program.

    Passwords in a database's URL are masked.

    Raises
    ------
    click.BadParameter
        If the database's URL is none.
    """
    rows = []
    for level in filter(None, (context.parent, context)):
        for option in _configurable(level.command):
            value = level.params[str(option.name)]
            try:
                shown = _masked(value) if option.name == "database_url" else _shown(value)
            except ArgumentError:
                # Which may hold a password all the same: it is not shown.
                message = "this is no URL of a database; allowed: such as sqlite:///var/recsys.db"
                raise click.BadParameter(message, level, option) from None
            rows.append((_name(option), shown, _place(level, option)))
    return rows


_COMMAND_LINE, _DEFAULT = "command line", "default"


def _place(context: click.Context, parameter: click.Parameter) -> str:
    match context.get_parameter_source(str(parameter.name)):
        case ParameterSource.ENVIRONMENT:
            return f"{context.auto_envvar_prefix}_{str(parameter.name).upper()}"
        case ParameterSource.DEFAULT_MAP:
            return str(context.meta[_PATH])
        case ParameterSource.COMMANDLINE:
            return _COMMAND_LINE
    return _DEFAULT


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    return "" if value is None else str(value)


def _masked(database_url: str) -> str:
    url = make_url(database_url)
    secret = {name: "hidden" for name in url.query if "pass" in name.lower()}
    return url.update_query_dict(secret).render_as_string(hide_password=True)


def _configurable(command: click.Command) -> list[click.Option]:
    return [
        option
        for option in command.params
        if isinstance(option, click.Option) and option.expose_value and option.allow_from_autoenv
    ]


def _name(option: click.Option) -> str:
    return option.opts[0].removeprefix("--").replace("-", "_")


def _as_variable(name: str) -> str:
    return name.upper().replace("-", "_")


def _is_link(variable: str) -> bool:
    is_address = variable.endswith("_PORT") and "://" in os.environ[variable]
    return is_address or _OF_A_SERVICE.fullmatch(variable) is not None


def _own_variables(program: click.Command, prefix: str) -> Iterator[str]:
    """Yield the variables of the settings that stand before a command."""
    for option in program.params:
        if isinstance(option, click.Option) and not option.is_flag:
            yield f"{prefix}_{_as_variable(str(option.name))}"


def _variables(command: click.Command, context: click.Context, prefix: str) -> Iterator[str]:
    """Yield the variables of a command's settings, and of the commands in a group."""
    for option in _configurable(command):
        yield prefix + _as_variable(str(option.name))
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if (inner := command.get_command(context, name)) is not None:
                yield from _variables(inner, context, f"{prefix}{_as_variable(name)}_")


def _checked(
    settings: dict[str, Any], command: click.Command, context: click.Context, table: str
) -> dict[str, Any]:
    named = _named(settings, command, context, table)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            if inner is not None and name in named:
                named[name] = _checked(named[name], inner, context, f"{table}.{name}")
    return named


def _named(
    settings: dict[str, Any], command: click.Command, context: click.Context, table: str = ""
) -> dict[str, Any]:
    """Return a command's settings by the names that click has for them, tables as they are."""
    options = {_name(option): option for option in _configurable(command)}
    tables = command.list_commands(context) if isinstance(command, click.Group) else []
    named: dict[str, Any] = {}
    for name, value in settings.items():
        option = options.get(name.replace("-", "_"))
        if isinstance(value, dict) and name in tables:
            named[name] = value
        elif option is not None and option.name and not isinstance(value, dict):
            named[option.name] = _as_typed(value, option)
        else:
            inner = f"[{_join(table, name)}]" if isinstance(value, dict) else _join(table, name)
            allowed = [*options, *(f"[{_join(table, name)}]" for name in tables)]
            raise click.UsageError(
                f"{context.meta[_PATH]}: unknown setting {inner}; "
                f"allowed: {', '.join(allowed) or 'none'}",
                context,
            )
    return named


def _join(table: str, name: str) -> str:
    return f"{table}.{name}" if table else name


def _as_typed(value: Any, option: click.Option) -> Any:
    """Return a value as it would stand on the command line, so that it is checked as strictly."""
    if option.multiple and not isinstance(value, list):
        value = [value]
    if isinstance(value, list) and (option.multiple or option.nargs != 1):
        return [str(entry) for entry in value]
    return str(value)
