"""gunicorn's threaded worker, which no client that does nothing can hold up."""

from __future__ import annotations

import selectors
from concurrent.futures import Future
from functools import partial

from gunicorn import util
from gunicorn.workers.gthread import TConn, ThreadWorker

# For a client to close its side, once it was sent all: what it still sends would be answered by a
# reset, which may overtake the answer. It holds a thread.
LINGER_SECONDS = 0.2


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn publishes no types
    """A `ThreadWorker` in which neither a new nor an ending connection stops the others.

    gunicorn gives a thread to each new connection and lets it wait there for a first byte, up to
    5 s, and waits for clients to close their side in the one loop that serves all connections,
    up to 2 s each.
    """

    def enqueue_req(self, conn: TConn) -> None:
        """Give a connection to a thread; a new one not before the client has sent something."""
        if conn.initialized or conn.data_ready:
            super().enqueue_req(conn)
            return
        conn.set_timeout()
        self.pending_conns.append(conn)
        readable = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, readable)

    def handle(self, conn: TConn) -> object:
        """Return whether a connection stays open after its request; if not, it is closed."""
        stays = super().handle(conn)
        if not stays:
            util.close_graceful(conn.sock, LINGER_SECONDS)
        return stays

    def finish_request(self, conn: TConn, answered: Future[object]) -> None:
        """Take a connection back from its thread, into the loop or out of the count."""
        if conn.sock.fileno() == -1:  # closed by `handle`
            self.nr_conns -= 1
        else:
            super().finish_request(conn, answered)
