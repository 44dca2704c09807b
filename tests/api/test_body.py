from dataclasses import replace
from io import BytesIO

import pytest
from flask import request

from api import create_app


@pytest.fixture
def client(shop):
    app = create_app(replace(shop.config, max_body=100))
    app.add_url_rule(
        "/v1/recommendations/test", "t", lambda: str(len(request.get_data())), methods=["PUT"]
    )
    yield app.test_client()
    app.extensions["recsys"].engine.dispose()


def put(client, n_bytes, **options):
    return client.put("/v1/recommendations/test", **options | {"data": b"x" * n_bytes})


def test_a_body_of_the_allowed_size_is_read(client):
    assert put(client, 100).text == "100"


def test_a_larger_one_is_413_and_says_what_is_allowed(client):
    answer = put(client, 101)
    assert answer.status_code == 413
    assert answer.content_type == "application/problem+json"
    assert "the 100 bytes" in answer.get_json()["detail"]


def test_one_that_does_not_say_its_length_is_cut_off_too(client):
    answer = client.put(
        "/v1/recommendations/test",
        input_stream=BytesIO(b"x" * 101),
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == 413
