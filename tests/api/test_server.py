import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from api.server import serve
from recsys import store
from recsys.errors import RecsysError

PROGRAM = """
import sys
from pathlib import Path
from api import Config
from api.server import serve
serve(Config(sys.argv[1], Path(sys.argv[2]), rate_limit="1000000/minute"), port=0, workers=2)
"""


# As above, with lists that wait until somebody writes into a pipe.
SLOW = """
import os
from recsys.serving import Recommender
list_now = Recommender.recommend
def list_later(*arguments, **options):
    os.write(int(os.environ["BEGUN"]), b".")
    os.read(int(os.environ["GO_ON"]), 1)
    return list_now(*arguments, **options)
Recommender.recommend = list_later
"""


@contextmanager
def running(shop, program=PROGRAM, **options):
    """Start the server on a free port, in a folder of its own, and yield it with its address."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, shop.config.database_url, str(shop.config.cache_dir)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=shop.config.cache_dir.parent,
        **options,
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


def workers_of(process):
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(pid) for pid in children.read_text().split()]


def item_maps(pid):
    """Return the permissions, the inode and the dirty kilobytes of each mapped item file."""
    found, current = set(), None
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            fields = line.split()
            current = (fields[1], fields[4]) if line.endswith(".items") else None
        elif current and line.startswith("Private_Dirty:"):
            found.add((*current, line.split()[1]))
    return found


def n_requests(text):
    """Return how many requests for health /metrics has counted."""
    return sum(
        int(float(count))
        for count in re.findall(r'_count\{method="GET",route="/healthz",status="200"\} (\S+)', text)
    )


def text_of(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="Linux alone tells of maps")
def test_workers_share_the_items_and_count_together_also_when_one_is_killed(fresh_shop):
    with running(fresh_shop) as (process, address):
        known = set()
        for model_id in (1, 2):
            if model_id == 2:
                fresh_shop.train(seed=2)
            for _ in range(200):
                assert get(f"{address}/readyz")["model_id"] == model_id
                files = set(fresh_shop.config.cache_dir.glob("*.items")) - known
                inodes = {str(file.stat().st_ino) for file in files}
                maps = [item_maps(pid) for pid in workers_of(process)]
                if all({inode for _, inode, _ in mapped} >= inodes for mapped in maps):
                    break
            assert inodes
            for mapped in maps:
                # Shared and read-only, and no page of them is this process's own.
                new = {
                    (permissions, dirty) for permissions, inode, dirty in mapped if inode in inodes
                }
                assert new == {("r--s", "0")}
            known |= files

        for _ in range(10):
            get(f"{address}/healthz")
        assert {n_requests(text_of(f"{address}/metrics")) for _ in range(6)} == {10}
        os.kill(workers_of(process)[0], signal.SIGKILL)
        for line in process.stderr:
            if "Booting worker" in line:
                break
        assert {n_requests(text_of(f"{address}/metrics")) for _ in range(6)} == {10}
        assert get(f"{address}/healthz") == {"status": "ok"}
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 0


def test_no_request_fails_or_is_mixed_while_versions_are_promoted_and_rolled_back(fresh_shop):
    url, expected = "/v1/users/1/recommendations?limit=20", {}
    for model_id in (1, 2):
        if model_id == 2:
            fresh_shop.train(seed=2)
        expected[model_id] = fresh_shop.get(url).get_json()
    stop, answers, faults = threading.Event(), [], []

    def ask(address):
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        try:
            while not stop.is_set():
                connection.request("GET", url)
                answer = connection.getresponse()
                answers.append((answer.status, json.load(answer)))
        except Exception as fault:
            faults.append(fault)
        finally:
            connection.close()

    with running(fresh_shop) as (process, address):
        # A log that nobody reads would fill the pipe and stop the server.
        reader = threading.Thread(target=process.stderr.read)
        reader.start()
        askers = [threading.Thread(target=ask, args=(address,)) for _ in range(3)]
        for asker in askers:
            asker.start()
        try:
            for _ in range(10):
                store.rollback(fresh_shop.engine)
                n = len(answers)
                while len(answers) < n + 10 and not faults:
                    get(f"{address}/healthz")
                store.promote(fresh_shop.engine, 2)
        finally:
            stop.set()
            for asker in askers:
                asker.join()
            process.terminate()
            reader.join()
    assert faults == []
    assert {status for status, _ in answers} == {200}
    assert {body["model_id"] for _, body in answers} == {1, 2}
    assert all(body == expected[body["model_id"]] for _, body in answers)


def test_a_request_under_way_is_answered_after_sigterm(fresh_shop):
    begun, begin = os.pipe()
    go_on, let_go = os.pipe()
    environment = {**os.environ, "BEGUN": str(begin), "GO_ON": str(go_on)}
    options = {"env": environment, "pass_fds": (begin, go_on)}
    got = []
    with running(fresh_shop, SLOW + PROGRAM, **options) as (process, address):
        url = f"{address}/v1/users/1/recommendations?limit=5"
        asker = threading.Thread(target=lambda: got.append(get(url)))
        asker.start()
        assert os.read(begun, 1) == b"."
        process.send_signal(signal.SIGTERM)
        for line in process.stderr:
            if "Handling signal: term" in line:
                break
        os.write(let_go, b".")
        asker.join(30)
        process.communicate(timeout=30)
    for end in (begun, begin, go_on, let_go):
        os.close(end)
    assert got == [fresh_shop.get("/v1/users/1/recommendations?limit=5").get_json()]
    assert process.returncode == 0


def status_and_type(address, target):
    """Return what is answered to a request for just these bytes, which urllib would not send."""
    where = urlsplit(address)
    with socket.create_connection((where.hostname, where.port), 30) as asking:
        asking.sendall(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        head = asking.makefile("rb").read().partition(b"\r\n\r\n")[0].decode("latin-1")
    (kind,) = re.findall(r"(?mi)^content-type: (\S+)", head)
    return int(head.split()[1]), kind


def test_what_gunicorn_cannot_read_is_414_or_400_in_html_and_an_encoded_letter_is_an_answer(shop):
    query = b"/v1/items?query="
    with running(shop) as (_, address):
        too_long = status_and_type(address, query + b"a" * 8190)
        as_it_is = status_and_type(address, query + "Amélie".encode())
        encoded = status_and_type(address, query + b"Am%C3%A9lie")
    assert too_long == (414, "text/html")
    assert as_it_is == (400, "text/html")
    assert encoded == (200, "application/json")


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


def test_no_acknowledged_rating_is_lost_when_the_server_is_killed_under_several_writers(fresh_shop):
    acknowledged, enough = [], threading.Event()

    def write(address, writer):
        for n in range(100_000):
            given = {"user_id": f"w{writer}-{n}", "item_id": "m1", "rating": 1 + n % 5}
            request = urllib.request.Request(
                f"{address}/v1/ratings",
                data=json.dumps({"ratings": [given]}).encode(),
                headers={"Content-Type": "application/json"},
            )
            try:
                assert get(request)["n_accepted"] == 1
            except (OSError, http.client.HTTPException):
                return  # killed
            acknowledged.append((given["user_id"], "m1", given["rating"]))
            if len(acknowledged) >= 30:
                enough.set()

    with running(fresh_shop, start_new_session=True) as (process, address):
        writers = [threading.Thread(target=write, args=(address, n)) for n in range(4)]
        for writer in writers:
            writer.start()
        assert enough.wait(timeout=60)
        os.killpg(process.pid, signal.SIGKILL)
        for writer in writers:
            writer.join()

    stored = {entry[:3] for entry in store.load_feedback(fresh_shop.engine, "tiny").entries}
    assert len(acknowledged) >= 30
    assert set(acknowledged) <= stored
    # At most one request of each writer was stored without its answer having arrived.
    assert len(stored) <= len(acknowledged) + len(writers)
