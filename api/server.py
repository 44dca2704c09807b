from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct
import sys
from dataclasses import replace
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger as GunicornLogger
from threadpoolctl import threadpool_limits

from api import metrics
from api.app import create_app
from api.config import Config
from api.logs import LogFormat, logging_config
from api.scratch import ScratchFolder
from api.worker import Worker
from recsys.errors import RecsysError

# For a request under way when the server is told to end.
GRACEFUL_SECONDS = 30

# For a client that is silent in the middle of a request, or takes nothing of its answer: it holds
# a thread.
CLIENT_SECONDS = 20

_M_ARENA_MAX = -8  # as malloc.h has it


def serve(
    config: Config,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    workers: int = 2,
    threads: int = 4,
    log_format: LogFormat = "plain",
) -> None:
    """Serve the application with gunicorn until a signal ends it; does not return.

    SIGTERM and SIGINT let the requests under way finish, for up to `GRACEFUL_SECONDS`, and exit
    with code 0.

    Parameters
    ----------
    config : Config
        Its ``scratch_dir`` is made here.
    host : str
        A name or an address, IPv4 or IPv6.
    port : int
        0 picks a free one; the log says which.
    workers : int
        Processes. They share the item matrices, so one per core is right.
    threads : int
        Per worker: as many slow clients are waited for at a time.
    log_format : {"plain", "json"}
        Of the log, on stderr.

    Raises
    ------
    RecsysError
        If the address cannot be listened on.
    """
    listener = _listen(host, port)
    scratch = ScratchFolder()
    counts = scratch.path / "metrics"
    counts.mkdir()
    # Read by prometheus_client when the workers import it. All files there must be its own.
    os.environ[metrics.FOLDER_VARIABLE] = str(counts)
    settings = {
        "bind": f"fd://{listener.fileno()}",
        "worker_class": Worker,
        "workers": workers,
        "threads": threads,
        "worker_tmp_dir": str(scratch.path),
        "graceful_timeout": GRACEFUL_SECONDS,
        "limit_request_line": 8190,
        # It would lie in the home directory, the same one for all servers of a user.
        "control_socket_disable": True,
        "logconfig_dict": logging_config(log_format),
        "logger_class": _Logger,
        "post_worker_init": _prepare,
        "child_exit": lambda _server, worker: metrics.forget_gauges_of(worker.pid),
        "on_exit": lambda _server: scratch.remove(),
    }
    _Server(replace(config, scratch_dir=scratch.path), settings).run()


def _listen(host: str, port: int) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        with contextlib.ExitStack() as on_error:
            listener = on_error.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Each connection inherits these; a timeout of Python's is none of the system's, and
            # gunicorn takes it off.
            patience = struct.pack("@ll", CLIENT_SECONDS, 0)
            for waiting in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
                listener.setsockopt(socket.SOL_SOCKET, waiting, patience)
            listener.bind(address)
            on_error.pop_all()
    except OSError as error:
        raise RecsysError(
            f"cannot listen on {host}:{port}: {error.strerror}; choose another address with "
            "--host or --port"
        ) from None
    return listener


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn publishes no types
    def __init__(self, config: Config, settings: dict[str, Any]) -> None:
        self._config = config
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        # Called in each worker, after the fork.
        return create_app(self._config)


class _Logger(GunicornLogger):  # type: ignore[misc]  # gunicorn publishes no types
    def access(self, *_: object) -> None:
        """Do nothing: `api.logs` has a line for each request, and to make another takes a while."""

    def exception(self, message: str, *arguments: object, **options: Any) -> None:
        """Log a fault with its traceback, and in a line that a client was let go."""
        if isinstance(sys.exception(), BlockingIOError):  # by the timeouts of `_listen`
            self.info("a client was silent for %d seconds and is let go", CLIENT_SECONDS)
        else:
            super().exception(message, *arguments, **options)


def _prepare(_worker: object) -> None:
    # Before there are threads: glibc would give each a heap of its own, which keeps what the
    # largest request there once took. One thread runs at a time anyway.
    with contextlib.suppress(OSError, AttributeError):  # elsewhere than on glibc
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
    # The workers are the parallelism: more threads for a matrix product would only contend.
    # The limit is for libraries already loaded, the variables for those that come later.
    threadpool_limits(limits=1)
    os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1"))
