import socket
import threading

import pytest

from benchmarks.serving import load


class Listener:
    """Answers each connection with what its script says, and hangs up at the end of it."""

    def __init__(self, *scripts):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.received = []
        self.thread = threading.Thread(target=self._work, args=(scripts,))
        self.thread.start()

    def _work(self, scripts):
        for script in scripts:
            connection, _ = self.socket.accept()
            with connection:
                for pieces in script:
                    self.received.append(connection.recv(65536))
                    for piece in pieces:
                        connection.sendall(piece)

    def close(self):
        self.thread.join()
        self.socket.close()


def ok(body=b"{}", extra=b""):
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n%s\r\n" % (len(body), extra) + body


@pytest.fixture
def listen():
    made = []

    def start(*scripts):
        made.append(Listener(*scripts))
        return made[-1]

    yield start
    for listener in made:
        listener.close()


def apply(listener, n, **options):
    answers = []
    requests = iter([load.request("GET", f"/{number}", **options) for number in range(n)])
    done = load.apply(listener.port, requests, 1, lambda asked, answer: answers.append(answer))
    return done, answers


def test_a_connection_is_used_again_and_answers_may_come_in_pieces(listen):
    missing = [b"HTTP/1.1 404 Not Found\r\nCont", b"ent-Length: 3\r\n\r\ntwo"]
    listener = listen([[ok(b"one")], missing])
    done, answers = apply(listener, 2)
    assert [(answer.status, answer.body) for answer in answers] == [(200, b"one"), (404, b"two")]
    assert done.statuses == {200: 1, 404: 1}
    assert (len(done.latencies), done.n_dropped, done.n_repeated) == (2, 0, 0)
    assert listener.received[1] == b"GET /1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def test_a_connection_is_renewed_after_so_many_answers(listen):
    listener = listen([[ok()], [ok()]], [[ok()]])
    requests = iter([load.request("GET", f"/{number}") for number in range(3)])
    done = load.apply(listener.port, requests, 1, renew_after=2)
    assert (done.statuses, done.n_dropped, done.n_repeated) == ({200: 3}, 0, 0)


def test_an_answer_without_content_has_no_length(listen):
    listener = listen([[b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n"]])
    done, _ = apply(listener, 1)
    assert done.statuses == {304: 1}


def test_where_the_server_closes_after_an_answer_a_new_connection_is_made(listen):
    listener = listen([[ok(extra=b"Connection: close\r\n")]], [[ok()]])
    done, _ = apply(listener, 2)
    assert (done.statuses, done.n_repeated, done.n_dropped) == ({200: 2}, 0, 0)


def test_a_request_on_a_connection_that_was_closed_is_sent_again(listen):
    listener = listen([[ok()]], [[ok()]])
    done, _ = apply(listener, 2)
    assert (done.statuses, done.n_repeated, done.n_dropped) == ({200: 2}, 1, 0)


def test_a_request_that_may_not_be_repeated_or_was_half_answered_is_dropped(listen):
    done, _ = apply(listen([[]]), 1, may_repeat=False)
    assert (done.n_repeated, done.n_dropped) == (0, 1)
    done, _ = apply(listen([[ok(b"long")[:-1]]]), 1)
    assert (done.n_repeated, done.n_dropped, len(done.latencies)) == (0, 1, 0)


def test_a_body_is_sent_as_json_with_its_length():
    asked = load.request("POST", "/x", body={"a": 1}, headers={"If-None-Match": "y"})
    assert asked.text == (
        b"POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\nIf-None-Match: y\r\n"
        b"Content-Type: application/json\r\nContent-Length: 8\r\n\r\n" + b'{"a": 1}'
    )
