import json
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import contextmanager

import pytest

from api.server import serve
from recsys.errors import RecsysError

PROGRAM = """
import sys
from pathlib import Path
from api import Config
from api.server import serve
serve(Config(sys.argv[1], Path(sys.argv[2])), port=0, workers=2)
"""


@contextmanager
def running(shop):
    """Start the server on a free port, in a folder of its own, and yield it with its address."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, shop.config.database_url, str(shop.config.cache_dir)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=shop.config.cache_dir.parent,
    )
    try:
        lines = []
        for line in process.stderr:
            lines.append(line)
            if listening := re.search(r"Listening at: (http://\S+)", line):
                break
        else:
            pytest.fail("the server ended: " + "".join(lines))
        yield process, listening[1]
    finally:
        process.kill()
        process.communicate()


def get(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def test_gunicorn_serves_follows_a_promotion_and_ends_cleanly_on_sigterm(fresh_shop):
    with running(fresh_shop) as (process, address):
        assert get(f"{address}/readyz")["model_id"] == 1
        first = get(f"{address}/v1/users/1/recommendations?limit=5")
        assert first == fresh_shop.get("/v1/users/1/recommendations?limit=5").get_json()

        fresh_shop.train(seed=2)
        # Whichever of the two workers answers, it has noticed.
        assert {get(f"{address}/readyz")["model_id"] for _ in range(8)} == {2}

        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=30)
    assert process.returncode == 0
    assert log.count('"GET /v1/users/1/recommendations?limit=5" 200') == 1
    assert "Traceback" not in log


def test_a_port_that_is_taken_is_one_clear_line(shop):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(RecsysError) as raised:
            serve(shop.config, port=port)
    assert str(raised.value) == (
        f"cannot listen on 127.0.0.1:{port}: Address already in use; "
        "choose another address with --host or --port"
    )


def test_a_host_that_is_none_is_one_clear_line(shop):
    with pytest.raises(RecsysError, match=r"cannot listen on no such host:8000: .+; choose"):
        serve(shop.config, host="no such host")
