import errno
import os

import pytest
from prometheus_client.parser import text_string_to_metric_families

from api import metrics

DURATION = "recsys_http_request_duration_seconds"


def samples(shop):
    answer = shop.get("/metrics")
    assert answer.content_type == metrics.CONTENT_TYPE
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def requests(shop, **labels):
    return samples(shop).get((f"{DURATION}_count", *sorted(labels.items())), 0)


def test_requests_are_counted_by_method_route_and_status(shop):
    labels = {"method": "GET", "route": "/v1/items/<item_id>", "status": "200"}
    before = requests(shop, **labels)
    for url in ("/v1/items/m1", "/v1/items/m2", "/v1/items/nothing"):
        shop.get(url)
    assert requests(shop, **labels) == before + 2
    assert requests(shop, **labels | {"status": "404"}) >= 1


def test_times_are_counted_in_buckets_and_summed(shop):
    shop.get("/v1/items/m1")
    labels = {"method": "GET", "route": "/v1/items/<item_id>", "status": "200"}
    found = samples(shop)
    slowest = found[f"{DURATION}_bucket", *sorted((labels | {"le": "+Inf"}).items())]
    assert slowest == found[f"{DURATION}_count", *sorted(labels.items())]
    assert found[f"{DURATION}_sum", *sorted(labels.items())] > 0


def test_nothing_that_a_client_chooses_freely_becomes_a_label(shop):
    shop.get("/v1/users/somebody/recommendations")
    shop.get("/no/such/address")
    shop.client.open("/healthz", method="BREW")
    text = shop.get("/metrics").text
    assert "somebody" not in text
    assert "such" not in text
    assert "BREW" not in text
    assert requests(shop, method="GET", route="none", status="404") >= 1
    assert requests(shop, method="other", route="none", status="405") == 1


def test_loads_failed_loads_and_the_served_version_are_told(fresh_shop):
    loaded = ("recsys_model_loads_total", ("outcome", "loaded"))
    failed = ("recsys_model_loads_total", ("outcome", "failed"))
    assert (samples(fresh_shop)[loaded], samples(fresh_shop)[failed]) == (0, 0)
    fresh_shop.get("/readyz")
    fresh_shop.train(seed=2)
    fresh_shop.get("/readyz")
    found = samples(fresh_shop)
    assert (found[loaded], found[failed], found["recsys_served_model_id",]) == (2, 0, 2)

    fresh_shop.train(seed=3)
    with fresh_shop.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE item_embeddings SET factors = x'00'")
    fresh_shop.get("/readyz")
    found = samples(fresh_shop)
    assert (found[loaded], found[failed], found["recsys_served_model_id",]) == (2, 1, 2)


@pytest.mark.parametrize("url", ["/healthz", "/v1/models"])
def test_metrics_need_no_model(empty_shop, url):
    empty_shop.get(url)
    assert requests(empty_shop, method="GET", route=url, status="200") == 1


def test_an_answer_is_given_also_when_it_cannot_be_counted_and_the_log_says_so_once(
    fresh_shop, monkeypatch, caplog
):
    def full(*_labels):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("prometheus_client.Histogram.labels", full)
    assert [fresh_shop.get("/healthz").status_code for _ in range(2)] == [200, 200]
    assert caplog.text.count("requests are not counted") == 1
    assert "No space left on device" in caplog.text
    monkeypatch.undo()
    fresh_shop.get("/healthz")
    assert requests(fresh_shop, method="GET", route="/healthz", status="200") == 1
