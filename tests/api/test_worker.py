"""What clients may do to a connection, tried on a server with one worker and two threads."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack, closing

import pytest

# Where gunicorn would wait, it waits for longer than any test; clients have a second.
PROGRAM = """
import sys, threading
from pathlib import Path
import api.server
from api import Config
from gunicorn import util
from gunicorn.workers import gthread

gthread.DEFAULT_WORKER_DATA_TIMEOUT = 600
close = util.close_graceful
def close_late(sock, timeout=2.0):
    in_loop = threading.current_thread() is threading.main_thread()
    close(sock, 600 if in_loop else timeout)
util.close_graceful = close_late
api.server.CLIENT_SECONDS = 1
config = Config(sys.argv[1], Path(sys.argv[2]), max_body=1000)
api.server.serve(config, port=0, workers=1, threads=2)
"""
N_THREADS = 2

HEALTH = b"GET /healthz HTTP/1.1\r\nHost: shop\r\n"
POST = (
    b"POST /v1/recommendations/batch HTTP/1.1\r\nHost: shop\r\nContent-Type: application/json\r\n"
)
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
BODY = b'{"user_ids": ["1"]}'


class Served:
    """A running server."""

    def __init__(self, log):
        self.log = log
        address = re.search(r"http://([\d.]+):(\d+)", self.wait_for("Listening at"))
        self.place = address[1], int(address[2])

    def connect(self):
        return socket.create_connection(self.place, 25)

    def answers(self, sent, *, ends=False):
        """Return status and body of what is answered to ``sent`` until the server closes."""
        with self.connect() as connection:
            connection.sendall(sent)
            if ends:
                connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as file:
                answer = file.read()
        heads = re.split(rb"HTTP/1\.1 (?=\d{3} )", answer)[1:]
        return [(int(each[:3]), each.partition(b"\r\n\r\n")[2].decode()) for each in heads]

    def is_well(self):
        with closing(http.client.HTTPConnection(*self.place, timeout=25)) as connection:
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200

    def wait_for(self, text):
        """Read the log until a line has ``text``, and return what was read."""
        lines = []
        for line in self.log:
            lines.append(line)
            if text in line:
                return "".join(lines)
        raise AssertionError("the server ended: " + "".join(lines))


@pytest.fixture(scope="module")
def served(shop):
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, shop.config.database_url, str(shop.config.cache_dir)],
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Served(process.stderr)
            process.send_signal(signal.SIGTERM)
            # Shorter than what connections have that are still counted.
            process.communicate(timeout=20)
            assert process.returncode == 0
        finally:
            process.kill()


def test_connections_on_which_nothing_is_sent_hold_no_thread_and_can_be_used_later(served):
    with ExitStack() as stack:
        idle = [stack.enter_context(served.connect()) for _ in range(N_THREADS + 1)]
        assert served.is_well()
        # Two requests at once are answered one after the other.
        idle[0].sendall(HEALTH + b"\r\n" + HEALTH + b"Connection: close\r\n\r\n")
        with idle[0].makefile("rb") as file:
            assert file.read().count(b"HTTP/1.1 200 OK") == 2


def test_clients_that_do_not_close_their_side_stop_nobody(served):
    with ExitStack() as stack:
        for _ in range(N_THREADS + 1):
            connection = stack.enter_context(served.connect())
            connection.sendall(HEALTH + b"Connection: close\r\n\r\n")
            with connection.makefile("rb") as file:
                assert file.read().endswith(b'{"status":"ok"}')
        assert served.is_well()


def test_clients_that_stall_in_a_body_are_told_and_do_not_hold_the_threads(served):
    with ExitStack() as stack:
        stalled = [stack.enter_context(served.connect()) for _ in range(N_THREADS)]
        for connection in stalled:
            connection.sendall(POST + b"Content-Length: 100\r\n\r\n{")
        assert served.is_well()
        for connection in stalled:
            with http.client.HTTPResponse(connection) as answer:
                answer.begin()
                assert answer.status == 400
                assert "it broke off, stalled" in json.load(answer)["detail"]


def test_a_client_that_stalls_in_the_head_is_one_line_in_the_log(served):
    assert served.answers(b"GET /healthz HTT") == []
    assert "Traceback" not in served.wait_for("a client was silent for 1 seconds")


@pytest.mark.parametrize(
    "sent",
    [
        CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
        CHUNKED + b"-1\r\n{}\r\n0\r\n\r\n",
        CHUNKED + b"2\r\n{}XX0\r\n\r\n",
        CHUNKED + b"5\r\n{}",
        POST + b"Content-Length: 100\r\n\r\n" + BODY,
    ],
    ids=["size", "negative size", "no line break", "broken off", "broken off, not chunked"],
)
def test_a_body_that_is_broken_or_breaks_off_is_400_and_the_last_on_its_connection(served, sent):
    ((status, body),) = served.answers(sent, ends=True)
    assert status == 400
    assert "did not come in full" in json.loads(body)["detail"]
    served.answers(HEALTH + b"X-Request-ID: next\r\nConnection: close\r\n\r\n")
    assert "Traceback" not in served.wait_for("[next]")


@pytest.mark.parametrize(("n_bytes", "expected"), [(1000, 200), (1001, 413), (5000, 413)])
def test_a_chunked_body_may_be_as_large_as_another_and_is_never_cut(served, n_bytes, expected):
    body = BODY.ljust(n_bytes)
    chunks = [body[start : start + 400] for start in range(0, n_bytes, 400)]
    sent = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in [*chunks, b""])
    last = HEALTH + b"Connection: close\r\n\r\n"
    answered = served.answers(CHUNKED + sent + last)
    assert [status for status, _ in answered] == [expected, 200]


def test_an_upload_that_is_refused_is_answered_and_its_sender_not_left_hanging(served):
    for _ in range(10):
        with served.connect() as connection:
            # Far more than fits between the two, so that nobody can send it to its end.
            with pytest.raises(ConnectionError):
                connection.sendall(POST + b"Content-Length: 50000000\r\n\r\n" + b" " * 50_000_000)
            assert connection.recv(12) == b"HTTP/1.1 413"
