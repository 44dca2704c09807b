"""What goes on beside a load: versions change, a training runs, a worker is restarted."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.serving.service import Server, Store, private_mb
from recsys.client import Client

_N_SAMPLES = 200


@dataclass
class Disturbances:
    """Disturbances due at certain numbers of answers, made by a thread of their own.

    Parameters
    ----------
    store : Store
    server : Server
        That serves ``store``, with version ``versions[0]`` as its champion.
    client : Client
    versions : tuple of int
        Two versions; the second is promoted and taken back in turn.
    n_requests : int
        Of the whole load.
    n_moves : int
        Promotions and rollbacks.
    retrain : tuple of str or None
        Arguments of the training; None for none.

    Attributes
    ----------
    memory : list of (int, float)
        Number of answers, and private memory of all workers together in MB.
    n_moved : int
        Promotions and rollbacks that were made.
    problems : list of str
        What went wrong with a disturbance.
    """

    store: Store
    server: Server
    client: Client
    versions: tuple[int, int]
    n_requests: int
    n_moves: int
    retrain: tuple[str, ...] | None
    memory: list[tuple[int, float]] = field(default_factory=list)
    n_moved: int = 0
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._n_answers = 0
        self._due: dict[int, list[Callable[[], None]]] = {}
        self._queue: queue.Queue[list[Callable[[], None]] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._work)
        self._training: subprocess.Popen[str] | None = None
        # Early, so that memory is watched for long after them.
        self._at(0.05, self._restart_a_worker)
        if self.retrain is not None:
            self._at(0.1, self._begin_training)
        for number in range(self.n_moves):
            self._at((number + 0.5) / self.n_moves, self._move)
        for number in range(_N_SAMPLES):
            self._at(number / _N_SAMPLES, self._sample)

    def answered(self) -> None:
        """Count an answer, and start what is due."""
        if due := self._due.get(self._n_answers):
            self._queue.put(due)
        self._n_answers += 1

    def __enter__(self) -> Disturbances:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._queue.put(None)
        self._thread.join()
        if self._training is not None:
            _, told = self._training.communicate()
            if self._training.returncode:
                self.problems.append(f"the training failed: {told.strip()}")

    def _at(self, share: float, action: Callable[[], None]) -> None:
        self._due.setdefault(int(share * self.n_requests), []).append(action)

    def _work(self) -> None:
        while (actions := self._queue.get()) is not None:
            for action in actions:
                try:
                    action()
                except Exception as error:
                    self.problems.append(f"{action.__name__.strip('_')}: {error}")

    def _move(self) -> None:
        forth = self.n_moved % 2 == 0
        if forth:
            moved = self.client.promote_model(self.versions[1])
        else:
            moved = self.client.roll_back_alias()
        self.n_moved += 1
        if moved["model_id"] != self.versions[forth]:
            raise RuntimeError(f"version {moved['model_id']} instead of {self.versions[forth]}")

    def _begin_training(self) -> None:
        self._training = self.store.start("train", "--no-promote", *(self.retrain or ()))

    def _restart_a_worker(self) -> None:
        os.kill(self.server.workers[0], signal.SIGTERM)

    def _sample(self) -> None:
        megabytes = [private_mb(pid) for pid in self.server.workers]
        self.memory.append((self._n_answers, sum(filter(None, megabytes))))
