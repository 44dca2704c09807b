"""Settings from `recsys.toml`: top-level keys, and a table per command."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

CONFIG_FILE = "recsys.toml"
_PATH = f"{__name__}.path"


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
    """Check the table of the command that is about to run, and the tables in it.

    Raises
    ------
    click.UsageError
        If a setting is unknown.
    """
    if context.default_map and name in context.default_map:
        context.default_map[name] = _checked(context.default_map[name], command, context, name)


def origin(error: click.BadParameter) -> str:
    """Return where a bad value was set, if not on the command line."""
    if error.ctx is None or error.param is None or error.param.name is None:
        return ""
    match error.ctx.get_parameter_source(error.param.name):
        case ParameterSource.ENVIRONMENT:
            return f" (set by {error.ctx.auto_envvar_prefix}_{error.param.name.upper()})"
        case ParameterSource.DEFAULT_MAP:
            return f" (set by {error.ctx.meta[_PATH]})"
    return ""


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
    options = {
        option.opts[0].removeprefix("--").replace("-", "_"): option
        for option in command.params
        if isinstance(option, click.Option) and option.expose_value and option.allow_from_autoenv
    }
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
    if isinstance(value, list) and option.nargs != 1:
        return [str(entry) for entry in value]
    return str(value)
