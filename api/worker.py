"""gunicorn's threaded worker, which no client that does nothing can hold up."""

from __future__ import annotations

import contextlib
import selectors
import socket
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
        """Return whether a connection stays open after the answer to its request.

        If it does not, the client has closed its side by then, or was given the time.
        """
        stays = super().handle(conn)
        if not stays:
            with contextlib.suppress(OSError):
                util.close_graceful(conn.sock.dup(), LINGER_SECONDS)
                # The loop does the same once more, and now finds nothing to wait for.
                conn.sock.shutdown(socket.SHUT_RD)
        return stays
