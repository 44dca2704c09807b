import importlib.util
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from recsys.client import Client

# The stores that the service's own tests are made on.
_spec = importlib.util.spec_from_file_location(
    "api_conftest", Path(__file__).parents[1] / "api" / "conftest.py"
)
shops = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(shops)


@contextmanager
def listening(app):
    """Serve a WSGI application on a free port of this machine, and yield its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def serve():
    """Serve an application, as `listening` does."""
    return listening


def make_shop(folder):
    made = shops.Shop(folder)
    made.train(seed=1, make=shops.make_full)
    made.train(seed=2, make=shops.make_full, promote=False)
    return made


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    """A store with two versions that have all that a version can have; the first is served."""
    made = make_shop(tmp_path_factory.mktemp("shop"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def client(shop):
    """A client of the service over `shop`, which no test changes."""
    with listening(shop.app) as address, Client(address, retries=0) as made:
        yield made


@pytest.fixture
def writer(tmp_path):
    """A client of a service for the test to change."""
    shop = make_shop(tmp_path)
    with listening(shop.app) as address, Client(address, retries=0) as made:
        yield made
    shop.close()
