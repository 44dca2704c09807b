from dataclasses import replace
from io import BytesIO

import pytest
from flask import request
from gunicorn.http.errors import InvalidChunkSize, NoMoreData

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


def put_stream(client, stream):
    return client.put(
        "/v1/recommendations/test",
        input_stream=stream,
        environ_overrides={"wsgi.input_terminated": True},
    )


@pytest.mark.parametrize(("n_bytes", "expected"), [(100, 200), (101, 413), (102, 413), (5000, 413)])
def test_one_that_does_not_say_its_length_is_held_to_the_same_and_never_cut(
    client, n_bytes, expected
):
    assert put_stream(client, BytesIO(b"x" * n_bytes)).status_code == expected


@pytest.mark.parametrize("fault", [InvalidChunkSize(b"zz"), NoMoreData(), BlockingIOError()])
def test_one_that_cannot_be_read_to_its_end_is_400(client, fault):
    class Broken(BytesIO):
        def read(self, _size=-1):
            raise fault

        readinto = read

    answer = put_stream(client, Broken())
    assert answer.status_code == 400
    assert "did not come in full" in answer.get_json()["detail"]
