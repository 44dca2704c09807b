from __future__ import annotations

from dataclasses import replace

import pytest

from api import create_app
from api.keys import is_write
from recsys import store

WRITES = [("POST", "/v1/thing"), ("PUT", "/v1/thing"), ("DELETE", "/v1/thing")]
READS = [("GET", "/v1/thing"), ("POST", "/v1/recommendations"), ("OPTIONS", "/v1/thing")]


class Guarded:
    """An application with routes that answer "done", over a store of its own."""

    def __init__(self, engine, config):
        self.engine = engine
        self.app = create_app(config)
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        self.app.add_url_rule("/v1/thing", "thing", lambda: "done", methods=methods)
        if "/v1/recommendations" not in {rule.rule for rule in self.app.url_map.iter_rules()}:
            self.app.add_url_rule("/v1/recommendations", "lists", lambda: "done", methods=["POST"])

    def ask(self, method, url, key=None, address="127.0.0.1", host="localhost", **headers):
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.app.test_client().open(
            url,
            method=method,
            headers=headers,
            environ_overrides={"REMOTE_ADDR": address, "HTTP_HOST": host},
        )


@pytest.fixture
def make(bare_store):
    config, engine = bare_store
    made = []

    def make_guarded(**changes):
        made.append(Guarded(engine, replace(config, **changes)))
        return made[-1]

    yield make_guarded
    for guarded in made:
        guarded.app.extensions["recsys"].engine.dispose()
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM api_keys")


@pytest.fixture
def guarded(make):
    return make()


def refused(answer, status, kind):
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert answer.get_json()["type"] == f"urn:recsys:problem:{kind}"
    return answer


@pytest.mark.parametrize(("method", "url"), WRITES)
def test_a_write_needs_a_valid_key(guarded, method, url):
    key = store.create_key(guarded.engine, "app")
    assert guarded.ask(method, url, key).text == "done"
    none = refused(guarded.ask(method, url), 401, "key")
    assert none.headers["WWW-Authenticate"] == "Bearer"
    wrong = refused(guarded.ask(method, url, key + "x"), 401, "key")
    assert wrong.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize(("method", "url"), READS)
@pytest.mark.parametrize("key", [None, "nonsense"])
def test_a_read_needs_none(guarded, method, url, key):
    store.create_key(guarded.engine, "app")
    assert guarded.ask(method, url, key).status_code != 401


@pytest.mark.parametrize(("method", "url"), [*WRITES, *READS[:2], ("GET", "/metrics")])
def test_reads_need_one_where_that_is_asked_for(make, method, url):
    guarded = make(reads_need_key=True)
    refused(guarded.ask(method, url), 401, "key")
    key = store.create_key(guarded.engine, "app")
    assert guarded.ask(method, url, key).status_code != 401
    refused(guarded.ask(method, url), 401, "key")


@pytest.mark.parametrize("url", ["/healthz", "/openapi.json", "/docs"])
def test_whether_the_service_lives_is_always_told(make, url):
    assert make(reads_need_key=True).ask("GET", url).status_code == 200


def test_a_revoked_key_stops_working_at_once(guarded):
    old, new = (store.create_key(guarded.engine, name) for name in ("old", "new"))
    assert guarded.ask("PUT", "/v1/thing", old).status_code == 200
    store.revoke_key(guarded.engine, "old")
    refused(guarded.ask("PUT", "/v1/thing", old), 401, "key")
    assert guarded.ask("PUT", "/v1/thing", new).status_code == 200


def test_revoking_the_last_key_opens_nothing(guarded):
    store.create_key(guarded.engine, "only")
    store.revoke_key(guarded.engine, "only")
    refused(guarded.ask("PUT", "/v1/thing"), 401, "key")


@pytest.mark.parametrize("scheme", ["Basic dXNlcjpwYXNz", "bearer", "Token x", "Bearer a b", "é"])
def test_another_kind_of_credentials_is_none(guarded, scheme):
    store.create_key(guarded.engine, "app")
    refused(guarded.ask("PUT", "/v1/thing", Authorization=scheme), 401, "key")


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.8.7", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "[::1]:8000"])
def test_without_any_key_this_machine_may_write(guarded, address, host):
    assert guarded.ask("PUT", "/v1/thing", address=address, host=host).text == "done"


@pytest.mark.parametrize(
    "stranger",
    [
        {"address": "10.0.0.1"},
        {"address": "2001:db8::1"},
        {"address": "::ffff:10.0.0.1"},
        {"address": ""},
        # A proxy on this machine, which asks for somebody else.
        {"X_Forwarded_For": "10.0.0.1"},
        {"X_Forwarded_For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        # A page of another site in a browser on this machine, also by a name that points here.
        {"Origin": "https://other.example"},
        {"Origin": "null"},
        {"host": "rebound.example:8000"},
        {"host": "rebound.example", "Origin": "http://rebound.example"},
    ],
)
def test_without_any_key_nobody_else_may_and_the_log_says_so(guarded, stranger, caplog):
    answer = refused(guarded.ask("PUT", "/v1/thing", **stranger), 403, "no-key")
    assert "recsys keys create" in answer.get_json()["detail"]
    assert "no key is set up" in caplog.text


def test_a_page_of_the_service_itself_may_write_from_this_machine(guarded):
    own = {"host": "localhost:8000", "Origin": "http://localhost:8000"}
    assert guarded.ask("PUT", "/v1/thing", **own).text == "done"


def test_behind_a_proxy_that_is_named_the_key_counts(make):
    guarded = make(n_proxies=1)
    refused(guarded.ask("PUT", "/v1/thing", X_Forwarded_For="10.0.0.1"), 403, "no-key")
    # What the client claims stands further left, and is not believed.
    claim = "127.0.0.1, 10.0.0.1"
    refused(guarded.ask("PUT", "/v1/thing", X_Forwarded_For=claim), 403, "no-key")
    key = store.create_key(guarded.engine, "app")
    assert guarded.ask("PUT", "/v1/thing", key, X_Forwarded_For=claim).text == "done"


def test_what_is_not_there_needs_no_key(guarded):
    store.create_key(guarded.engine, "app")
    assert guarded.ask("PUT", "/v1/nothing").status_code == 404
    assert guarded.ask("PUT", "/v1/items").status_code == 405


def test_the_log_names_the_key_and_does_not_show_it(guarded, caplog):
    caplog.set_level("INFO", "recsys.access")
    key = store.create_key(guarded.engine, "app")
    guarded.ask("PUT", "/v1/thing", key)
    assert caplog.records[-1].key == "app"
    assert key not in caplog.text


def test_a_database_that_fails_lets_nobody_write(guarded):
    store.create_key(guarded.engine, "app")
    with guarded.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE api_keys RENAME TO lost")
    try:
        refused(guarded.ask("PUT", "/v1/thing"), 503, "store")
        refused(guarded.ask("PUT", "/v1/thing", "some-key"), 503, "store")
    finally:
        with guarded.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE lost RENAME TO api_keys")


def test_a_post_is_a_write_unless_it_is_known_to_read():
    assert is_write("POST", "/v1/something-new")
    assert not is_write("POST", "/v1/recommendations/batch")
    assert not is_write("GET", "/v1/ratings")
    assert not is_write("POST", "/elsewhere")
