"""A load of requests over connections that stay open, each asking again once it is answered.

One thread waits for all connections and looks at no more of an answer than its status and its
length, so that it takes a small part of what a server takes. How much that was is measured too.
"""

from __future__ import annotations

import json
import selectors
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_SILENCE = 60.0  # seconds without any answer before the load is given up


class Request(NamedTuple):
    """What is asked, ready to be sent.

    Attributes
    ----------
    name : str
        By which its answer is told from others.
    text : bytes
    may_repeat : bool
        Whether it can be sent again where a connection was closed before it was answered.
    """

    name: str
    text: bytes
    may_repeat: bool = True


class Answer(NamedTuple):
    """What came back."""

    status: int
    head: bytes
    body: bytes


@dataclass(frozen=True)
class Load:
    """What became of a load.

    Attributes
    ----------
    seconds : float
        How long all of it took.
    client_seconds : float
        Processor time of the client therein: near ``seconds``, it would be what was measured.
    latencies : (n_answers,) float64
        Seconds from a request's first byte to its answer's last.
    statuses : Counter
        Number of answers by status.
    n_repeated : int
        Requests sent again as the server had closed the connection before it read them.
    n_dropped : int
        Requests without an answer.
    """

    seconds: float
    client_seconds: float
    latencies: NDArray[np.float64]
    statuses: Counter[int]
    n_repeated: int
    n_dropped: int

    @property
    def per_second(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds

    @property
    def client_share(self) -> float:
        """Part of one core that the client took."""
        return self.client_seconds / self.seconds

    def milliseconds(self, percent: float) -> float:
        """Return the latency that so many percent of the answers did not exceed, in ms."""
        return float(np.percentile(self.latencies, percent)) * 1000


@dataclass
class _Connection:
    request: Request
    socket: socket.socket
    sent_at: float = 0.0
    received: bytearray = field(default_factory=bytearray)
    n_answers: int = 0


def request(
    method: str,
    path: str,
    *,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    name: str | None = None,
    may_repeat: bool = True,
) -> Request:
    """Return a request of the local server, with ``body`` as JSON.

    Parameters
    ----------
    method, path : str
    body : object, optional
    headers : mapping of str to str, optional
    name : str, optional
        The path unless given.
    may_repeat : bool
        As `Request.may_repeat`.
    """
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *_lines(headers or {})]
    content = b""
    if body is not None:
        content = json.dumps(body).encode()
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    text = "\r\n".join(lines).encode() + b"\r\n\r\n" + content
    return Request(name or path, text, may_repeat)


def apply(
    port: int,
    requests: Iterator[Request],
    n_connections: int,
    on_answer: Callable[[Request, Answer], None] = lambda _request, _answer: None,
    renew_after: int | None = None,
) -> Load:
    """Return what became of all ``requests``, asked over ``n_connections`` at a time.

    Parameters
    ----------
    port : int
        Of a server on 127.0.0.1.
    requests : iterator of Request
        As many as are to be asked.
    n_connections : int
    on_answer : callable, optional
        Told each request with its answer.
    renew_after : int, optional
        Answers after which a connection is closed and another one opened, which any worker may
        take; by default each is kept as long as the server does.

    Raises
    ------
    TimeoutError
        If nothing is answered for a minute.
    """
    latencies: list[float] = []
    statuses: Counter[int] = Counter()
    n_repeated = n_dropped = 0
    began, client_began = time.perf_counter(), time.process_time()
    with selectors.DefaultSelector() as waiting:

        def ask(asked: Request | None) -> None:
            if asked is not None:
                send(_Connection(asked, _connect(port)))

        def send(connection: _Connection) -> None:
            connection.received.clear()
            connection.sent_at = time.perf_counter()
            waiting.register(connection.socket, selectors.EVENT_READ, connection)
            try:
                connection.socket.sendall(connection.request.text)
            except ConnectionError:
                return  # closed meanwhile: reading tells

        for _ in range(n_connections):
            ask(next(requests, None))
        while waiting.get_map():
            ready = waiting.select(_SILENCE)
            if not ready:
                raise TimeoutError(f"no answer for {_SILENCE:.0f} s")
            for key, _ in ready:
                connection: _Connection = key.data
                answer = _receive(connection)
                if answer is None:
                    continue
                waiting.unregister(connection.socket)
                if answer is CLOSED:
                    connection.socket.close()
                    if connection.request.may_repeat and not connection.received:
                        n_repeated += 1
                        ask(connection.request)
                    else:
                        n_dropped += 1
                        ask(next(requests, None))
                    continue
                latencies.append(time.perf_counter() - connection.sent_at)
                statuses[answer.status] += 1
                on_answer(connection.request, answer)
                following = next(requests, None)
                connection.n_answers += 1
                is_over = following is None or b"\r\nConnection: close" in answer.head
                if is_over or connection.n_answers == renew_after:
                    connection.socket.close()
                    ask(following)
                else:
                    connection.request = following
                    send(connection)
    return Load(
        time.perf_counter() - began,
        time.process_time() - client_began,
        np.array(latencies),
        statuses,
        n_repeated,
        n_dropped,
    )


CLOSED = Answer(0, b"", b"")


def _connect(port: int) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), timeout=_SILENCE)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _receive(connection: _Connection) -> Answer | None:
    """Return the answer if all of it is there, CLOSED if there will be none, else None."""
    try:
        piece = connection.socket.recv(1 << 18)
    except ConnectionError:
        return CLOSED
    if not piece:
        return CLOSED
    connection.received += piece
    head, end, body = connection.received.partition(b"\r\n\r\n")
    if not end or len(body) < _length(head):
        return None
    return Answer(int(head[9:12]), bytes(head), bytes(body))


def _length(head: bytearray) -> int:
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    return int(rest.partition(b"\r\n")[0]) if found else 0


def _lines(headers: Mapping[str, str]) -> list[str]:
    return [f"{name}: {value}" for name, value in headers.items()]
