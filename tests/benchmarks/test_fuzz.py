import importlib.util
import json
from pathlib import Path

import pytest

from benchmarks.fuzz import fuzz
from recsys import store

_spec = importlib.util.spec_from_file_location(
    "client_conftest", Path(__file__).parents[1] / "client" / "conftest.py"
)
rooms = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(rooms)


def test_schemathesis_finds_nothing(tmp_path):
    shop = rooms.make_shop(tmp_path)
    key = store.create_key(shop.engine, "fuzz")
    with rooms.listening(shop.app) as address:
        assert fuzz(address, key, 2, 3, tmp_path, known=False, phases="fuzzing") > 30
    shop.close()


def test_what_is_found_fails(tmp_path):
    answers = {"responses": {"200": {"description": "always"}}}
    described = {
        "openapi": "3.1.0",
        "info": {"title": "broken", "version": "1"},
        "paths": {"/": {"get": answers}},
    }

    def broken(environ, start_response):
        is_asked = environ["PATH_INFO"] == "/openapi.json"
        text = json.dumps(described).encode() if is_asked else b""
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(text)))]
        start_response("200 OK" if is_asked else "500 Internal Server Error", headers)
        return [text]

    with rooms.listening(broken) as address, pytest.raises(RuntimeError, match="ended with 1"):
        fuzz(address, "recsys_x", 1, 3, tmp_path, known=True, phases="fuzzing")
