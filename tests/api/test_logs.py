import io
import json
import logging
import logging.config
import re

import pytest

from api.logs import logging_config
from recsys.errors import StoreError


@pytest.fixture
def log(monkeypatch):
    """Return a function that configures the server's log and returns where it is written."""
    root = logging.getLogger()
    before = root.level, root.handlers[:]

    def configure(log_format):
        written = io.StringIO()
        monkeypatch.setattr("sys.stderr", written)
        logging.config.dictConfig(logging_config(log_format))
        return written

    yield configure
    root.setLevel(before[0])
    root.handlers[:] = before[1]


def test_a_request_is_one_line_of_json_with_each_fact_under_its_key(shop, log):
    written = log("json")
    answer = shop.get("/v1/items/m1?verbose=1", headers={"X-Request-ID": "abc-1"})
    shop.get("/v1/items/m1")
    refused, found = map(json.loads, written.getvalue().splitlines()[-2:])
    assert refused["request_id"] == "abc-1"
    assert refused["path"] == "/v1/items/m1?verbose=1"
    assert (refused["method"], refused["status"], refused["address"]) == ("GET", 422, "127.0.0.1")
    assert refused["bytes"] == answer.content_length
    assert (refused["level"], refused["logger"]) == ("INFO", "recsys.access")
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*(Z|\+00:00)$", refused["time"])
    assert (found["status"], found["model_id"], found["key"]) == (200, 1, None)
    assert found["ms"] >= 0


def test_a_plain_line_has_the_request_in_words(shop, log):
    written = log("plain")
    answer = shop.get("/v1/items/m1", headers={"X-Request-ID": "abc-2"})
    line = written.getvalue().splitlines()[-1]
    assert f'INFO [abc-2] 127.0.0.1 "GET /v1/items/m1" 200 {answer.content_length} bytes' in line


def test_what_is_logged_during_a_request_names_it(fresh_shop, log, monkeypatch):
    def fail(*_args, **_options):
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr("recsys.serving.Recommender.recommend", fail)
    written = log("json")
    answer = fresh_shop.get("/v1/users/1/recommendations")
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    (fault,) = [line for line in lines if line["level"] == "ERROR"]
    assert "on purpose" in fault["exc_info"]
    assert fault["request_id"] == answer.headers["X-Request-ID"]


def test_a_record_outside_of_requests_has_no_request(log):
    written = log("plain")
    logging.getLogger("recsys.serving").info("at rest")
    assert "INFO [-] at rest" in written.getvalue()


def test_a_sane_request_id_is_kept_and_given_back(shop):
    given = "01HZX-trace:1/2.3_4=5+6@host"
    assert shop.get("/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", [None, "", "a b", "x" * 129, 'a"b', "ä", "<script>"])
def test_another_one_is_replaced(shop, given):
    headers = {} if given is None else {"X-Request-ID": given}
    first, second = (shop.get("/healthz", headers=headers) for _ in range(2))
    made = [answer.headers["X-Request-ID"] for answer in (first, second)]
    assert all(re.fullmatch(r"[0-9a-f]{32}", request_id) for request_id in made)
    assert made[0] != made[1]


def test_errors_carry_the_request_id_too(shop):
    answer = shop.get("/nothing", headers={"X-Request-ID": "mine"})
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (404, "mine")


def test_a_line_break_in_an_address_starts_no_line(shop, log):
    written = log("plain")
    environ = shop.app.test_request_context("/x").request.environ | {
        "RAW_URI": "/x\n2026-01-01 INFO forged",
        "PATH_INFO": "/x\n2026-01-01 INFO forged",
    }
    shop.client.open(environ)
    (line,) = written.getvalue().splitlines()
    assert r"/x\n2026-01-01 INFO forged" in line


@pytest.mark.parametrize("fault", [StoreError("the disk is gone"), ZeroDivisionError("on purpose")])
def test_a_line_break_in_an_address_starts_no_line_when_the_database_or_the_server_fails(
    fresh_shop, log, monkeypatch, fault
):
    def fail(_backend):
        raise fault

    monkeypatch.setattr("api.backend.Backend.serving", property(fail))
    written = log("plain")
    fresh_shop.get("/v1/users/1%0A2026-01-01 ERROR forged/recommendations")
    assert str(fault) in written.getvalue()
    assert "/v1/users/1\\n2026-01-01 ERROR forged" in written.getvalue()
    assert "\n2026-01-01 ERROR" not in written.getvalue()


def test_a_key_that_is_sent_is_not_logged(shop, log):
    written = log("json")
    shop.get("/v1/items", headers={"Authorization": "Bearer recsys_secret"})
    assert "recsys_secret" not in written.getvalue()
