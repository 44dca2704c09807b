import json
import socket
import threading

import pytest

from recsys.client import Client, NoAnswerError, ProblemError
from recsys.errors import UsageError


class Scripted:
    """An application that gives one answer after the other, and keeps what it was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def __call__(self, environ, start_response):
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        self.asked.append((environ["REQUEST_METHOD"], environ["PATH_INFO"], environ, body))
        status, headers, text = self.answers.pop(0)
        start_response(status, [*headers.items(), ("Content-Length", str(len(text)))])
        return [text]


BUSY = ("503 Service Unavailable", {"Content-Type": "application/problem+json"}, b"{}")
OK = ("200 OK", {"Content-Type": "application/json"}, b'{"status": "ok"}')


def limited(seconds):
    return ("429 Too Many Requests", {"Retry-After": seconds, "Content-Type": "text/html"}, b"")


@pytest.fixture
def waits(monkeypatch):
    """How long was waited each time, instead of waiting."""
    found = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", found.append)
    return found


def test_429_and_503_are_asked_again_after_the_time_they_say_or_a_growing_one(serve, waits):
    app = Scripted(limited("7"), BUSY, BUSY, OK)
    with serve(app) as address, Client(address) as client:
        assert client.show_health() == {"status": "ok"}
    assert len(app.asked) == 4
    # .2 s doubled for each try before: the first was told to wait 7 s.
    assert waits == [7, 0.4, 0.8]


def test_no_wait_is_longer_than_allowed(serve, waits):
    with serve(Scripted(limited("86400"), OK)) as address:
        Client(address, longest_wait=5).show_health()
    assert waits == [5]


def test_when_all_tries_are_used_up_the_last_answer_is_the_problem(serve, waits):
    app = Scripted(*[limited("7")] * 3)
    with serve(app) as address, pytest.raises(ProblemError) as refused:
        Client(address, retries=2).show_health()
    problem = refused.value
    assert (problem.status, problem.retry_after, len(app.asked)) == (429, 7, 3)
    # Not the service itself said so.
    assert (problem.type, problem.title) == ("about:blank", "Too Many Requests")


@pytest.mark.parametrize("wait", ["1.5", "soon", "9" * 5000])
def test_a_retry_after_that_is_no_time_is_not_obeyed_and_the_answer_is_told(serve, waits, wait):
    with (
        serve(Scripted(limited(wait), limited(wait))) as address,
        pytest.raises(ProblemError, match="429") as refused,
    ):
        Client(address, retries=1).show_health()
    assert refused.value.retry_after is None
    assert waits == []  # before the second try there is no growing time yet


@pytest.mark.parametrize("status", ["200 OK", "502 Bad Gateway"])
@pytest.mark.parametrize("kind", ["text/html", "application/json", "application/problem+json"])
@pytest.mark.parametrize("text", [b"<h1>Log in</h1>", b'{"status": "o', b"", b"[1]", b"\xff"])
def test_an_answer_that_is_no_object_of_json_is_told_to_be_anothers(serve, status, kind, text):
    with (
        serve(Scripted((status, {"Content-Type": kind}, text))) as address,
        pytest.raises(ProblemError, match="the answer is not the service's own") as refused,
    ):
        Client(address, retries=0).show_health()
    assert (refused.value.status, refused.value.type) == (int(status[:3]), "about:blank")


@pytest.mark.parametrize("key", ["recsys_bad\nkey", "recsys_€", "recsys_\x7f"])
def test_a_key_that_no_header_can_hold_is_refused_without_being_shown(key):
    with pytest.raises(UsageError, match="allowed: printable ASCII") as refused:
        Client("http://127.0.0.1:8000", api_key=key)
    assert "recsys_" not in str(refused.value)


def test_other_errors_are_not_asked_again(serve, waits):
    app = Scripted(("500 Internal Server Error", {}, b"<h1>"))
    with serve(app) as address, pytest.raises(ProblemError, match="500"):
        Client(address).show_health()
    assert waits == []


def test_moving_an_alias_is_never_repeated(serve, waits):
    app = Scripted(BUSY)
    with serve(app) as address, pytest.raises(ProblemError):
        Client(address).roll_back_alias()
    assert (len(app.asked), waits) == (1, [])


def test_the_key_and_the_body_are_sent(serve):
    app = Scripted(OK, OK)
    with serve(app) as address:
        Client(address, api_key="recsys_x").list_for_newcomer({"a/b": 5, 7: None}, limit=3)
        Client(address).list_predictions("x y", [1, "2"])
    (method, path, environ, body), (_, path_2, environ_2, _) = app.asked
    assert (method, path) == ("POST", "/v1/recommendations")
    assert environ["HTTP_AUTHORIZATION"] == "Bearer recsys_x"
    assert environ["HTTP_USER_AGENT"].startswith("recsys/")
    assert json.loads(body) == {
        "ratings": [{"item_id": "a/b", "rating": 5}, {"item_id": 7}],
        "limit": 3,
    }
    assert (path_2, environ_2["QUERY_STRING"]) == ("/v1/users/x y/predictions", "item_ids=1%2C2")
    assert "HTTP_AUTHORIZATION" not in environ_2


def test_a_redirection_is_not_followed_with_the_key(serve):
    app = Scripted(("302 Found", {"Location": "http://127.0.0.1:9/"}, b""))
    with serve(app) as address, pytest.raises(ProblemError, match="302"):
        Client(address, api_key="recsys_x").show_health()


def test_where_nobody_listens_there_is_no_answer(waits):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(NoAnswerError, match=f"GET http://127.0.0.1:{port}/healthz"):
        Client(f"http://127.0.0.1:{port}", retries=1).show_health()


def test_an_answer_that_does_not_come_is_given_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(NoAnswerError, match="timed out"):
            Client(address, timeout=0.05, retries=0).show_health()


def test_a_connection_that_breaks_is_asked_again_unless_that_could_do_harm(waits):
    def hang_up(listener, n):
        for _ in range(n):
            listener.accept()[0].close()

    for ask, n_tries in (("show_health", 3), ("roll_back_alias", 1)):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            thread = threading.Thread(target=hang_up, args=(listener, n_tries))
            thread.start()
            client = Client(f"http://127.0.0.1:{listener.getsockname()[1]}", retries=2)
            with pytest.raises(NoAnswerError):
                getattr(client, ask)()
            thread.join()
            listener.settimeout(0)
            with pytest.raises(BlockingIOError):
                listener.accept()  # nobody asked once more
