import sqlite3
from dataclasses import replace

import pytest

from api import create_app
from api.counters import SharedCounters
from api.rate_limit import COUNTERS, parse_rates
from recsys import store


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until it is told otherwise."""
    now = [1_000_000.0]
    for module in ("api.counters", "api.rate_limit"):
        monkeypatch.setattr(f"{module}.time.time", lambda: now[0])
    return now


@pytest.fixture
def worker(bare_store, tmp_path, clock):
    """Return a function that makes another worker of one server that allows 3 in a minute."""
    (tmp_path / "scratch").mkdir()
    config, engine = bare_store
    config = replace(config, rate_limit="3/minute", scratch_dir=tmp_path / "scratch")
    made = []

    def make():
        app = create_app(config)
        made.append(app)

        def ask(url="/v1/models", *, address="10.0.0.1", method="GET", **headers):
            return app.test_client().open(
                url, method=method, headers=headers, environ_overrides={"REMOTE_ADDR": address}
            )

        return ask

    yield make
    for app in made:
        app.extensions["recsys"].engine.dispose()
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM api_keys")


def statuses(ask, n, **options):
    return [ask(**options).status_code for _ in range(n)]


def test_beyond_the_limit_is_429_and_says_when_to_ask_again(worker, clock):
    ask = worker()
    assert statuses(ask, 3) == [200, 200, 200]
    clock[0] += 20
    answer = ask()
    assert answer.status_code == 429
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Retry-After"] == "40"  # a minute from the first, 20 s of it gone
    assert answer.get_json()["detail"] == "more than 3 per 1 minute; ask again in 40 s"
    clock[0] += 41
    assert ask().status_code == 200


def test_workers_count_together(worker):
    one, other = worker(), worker()
    assert statuses(one, 2) + statuses(other, 2) == [200, 200, 200, 429]
    assert one().status_code == 429


def test_each_address_has_its_own_count(worker):
    ask = worker()
    statuses(ask, 3)
    assert ask(address="10.0.0.2").status_code == 200


def test_the_addresses_of_one_ipv6_network_count_as_one(worker):
    ask = worker()
    assert statuses(ask, 3, address="2001:db8::1") == [200, 200, 200]
    assert ask(address="2001:db8::ffff:1").status_code == 429
    assert ask(address="2001:db8:0:1::1").status_code == 200


def test_a_key_has_its_own_count_from_whichever_address(worker, bare_store):
    ask = worker()
    key = {"Authorization": f"Bearer {store.create_key(bare_store[1], 'app')}"}
    statuses(ask, 3)
    assert [ask(address=f"10.0.0.{n}", **key).status_code for n in range(4)] == [200] * 3 + [429]


def test_wrong_keys_are_counted_by_address(worker):
    ask = worker()
    codes = [ask(method="GET", Authorization=f"Bearer {n}").status_code for n in range(4)]
    assert codes[3] == 429


def test_health_and_metrics_are_not_limited(worker):
    ask = worker()
    statuses(ask, 4)
    assert statuses(ask, 5, url="/healthz") == [200] * 5
    assert ask("/metrics").status_code == 200


def test_addresses_without_a_route_count_too(worker):
    ask = worker()
    assert statuses(ask, 4, url="/v1/nothing") == [404, 404, 404, 429]


def test_counters_that_fail_stop_no_request(worker, tmp_path, caplog):
    ask = worker()
    ask()
    with sqlite3.connect(tmp_path / "scratch" / COUNTERS) as database:
        database.execute("DROP TABLE counters")
    database.close()
    assert statuses(ask, 5) == [200] * 5
    assert "requests cannot be counted" in caplog.text


def test_without_a_limit_nothing_is_counted(shop):
    assert [shop.get("/v1/models").status_code for _ in range(50)] == [200] * 50


def test_several_rates_hold_at_once(bare_store):
    app = create_app(replace(bare_store[0], rate_limit="2/second; 3/day"))
    asked = [app.test_client().get("/v1/models").status_code for _ in range(4)]
    assert asked[:2] == [200, 200]
    assert asked[3] == 429
    app.extensions["recsys"].engine.dispose()


@pytest.mark.parametrize("text", ["", "often", "0/minute", "minute/3", "-3/minute"])
def test_what_is_no_rate_is_refused(text):
    with pytest.raises(ValueError, match=r"is not a rate; allowed: such as 100/minute"):
        parse_rates(text)


def test_counters_of_the_past_do_not_pile_up(tmp_path, clock):
    counters = SharedCounters(tmp_path / COUNTERS)
    for n in range(10):
        assert counters.incr(f"address {n}", 60) == 1
    clock[0] += 61
    assert counters.incr("address 0", 60) == 1
    assert counters.reset() == 1


def test_a_limit_does_not_outlive_a_clock_that_is_set_back(worker, clock):
    ask = worker()
    assert statuses(ask, 4) == [200, 200, 200, 429]
    clock[0] -= 3600
    assert statuses(ask, 4) == [200, 200, 200, 429]
    assert ask().headers["Retry-After"] == "60"


def test_a_counter_can_be_read_and_forgotten(tmp_path, clock):
    counters = SharedCounters(tmp_path / COUNTERS)
    counters.incr("a", 60, 2)
    assert (counters.get("a"), counters.get_expiry("a")) == (2, clock[0] + 60)
    counters.clear("a")
    assert (counters.get("a"), counters.check()) == (0, True)
