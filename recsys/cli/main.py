from __future__ import annotations

import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from recsys.errors import RecsysError

CONFIG_FILE = "recsys.toml"
# Which file each command stands in; a command's imports are paid for when it runs.
_COMMANDS = {
    "train": "recsys.cli.train",
    "evaluate": "recsys.cli.evaluate",
    "recommend": "recsys.cli.ask",
    "similar": "recsys.cli.ask",
    "predict": "recsys.cli.ask",
    "report": "recsys.cli.report",
    "models": "recsys.cli.models",
    "db": "recsys.cli.db",
    "serve": "recsys.cli.serve",
}


class Main(click.Group):
    """The command group; turns this package's errors into one line and an exit code."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the commands in the order in which one needs them."""
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Return a command, importing the file that it stands in."""
        if name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(_COMMANDS[name]), name)
        return command

    def invoke(self, context: click.Context) -> Any:
        """Run a command; a `RecsysError` ends it with its message and exit code."""
        try:
            return super().invoke(context)
        except RecsysError as error:
            click.echo(f"Error: {error}", err=True)
            context.exit(error.exit_code)


@click.group(
    cls=Main,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "RECSYS",
        "show_default": True,
        "max_content_width": 100,
    },
)
@click.version_option(package_name="recsys")
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=lambda context, _, path: _read_config(context, path),
    help=f"Settings by command.  [default: {CONFIG_FILE}, if there is one]",
)
@click.option(
    "--database-url",
    metavar="URL",
    default="sqlite:///var/recsys.db",
    help="Where data sets and versions are stored.",
)
@click.pass_context
def main(context: click.Context, database_url: str) -> None:
    """Train, evaluate and serve recommendations.

    An option is taken from the command line, else from the environment (RECSYS_DATABASE_URL,
    RECSYS_TRAIN_N_FACTORS, ...), else from recsys.toml.
    """
    context.obj = database_url


def _read_config(context: click.Context, path: Path | None) -> None:
    """Take the defaults from a TOML file: top-level keys, and one table per command."""
    if path is None and not Path(CONFIG_FILE).exists():
        return
    path = path or Path(CONFIG_FILE)
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise click.UsageError(f"{path}: {error}", context) from error
    context.default_map = _checked(settings, context, path)


def _checked(settings: dict[str, Any], context: click.Context, path: Path) -> dict[str, Any]:
    """Return the settings with names as click has them, or say which name is unknown."""
    checked: dict[str, Any] = {}
    for name, value in settings.items():
        key = name.replace("-", "_")
        if isinstance(value, dict):
            command = main.get_command(context, name)
            known = [] if command is None else _option_names(command)
            table = {option.replace("-", "_"): given for option, given in value.items()}
            unknown = next((option for option in table if option not in known), None)
            if command is None or unknown:
                place = f"[{name}]" + (f" {unknown}" if unknown else "")
                allowed = ", ".join(known or _COMMANDS)
                raise click.UsageError(f"{path}: unknown setting {place}; allowed: {allowed}")
            checked[name] = table
        elif key in ("database_url",):
            checked[key] = value
        else:
            raise click.UsageError(
                f"{path}: unknown setting {name}; allowed: database_url, and a table per command"
            )
    return checked


def _option_names(command: click.Command) -> list[str]:
    return [p.name for p in command.params if isinstance(p, click.Option) and p.name]
