import json
import re
import signal
import socket
import urllib.error
import urllib.request

import pytest


def test_it_serves_what_recommend_lists_and_ends_cleanly_on_sigterm(trained, start, done):
    process = start("serve", "--port", 0, "--workers", 1)
    listening = next(filter(None, (re.search(r"http://\S+", line) for line in process.stderr)))
    with urllib.request.urlopen(f"{listening[0]}/v1/users/u1/recommendations?limit=3") as answer:
        served = [item["item_id"] for item in json.load(answer)["items"]]
    asked = done("recommend", "u1", "--limit", 3, "--json").json["items"]
    assert served == [item["item_id"] for item in asked]
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_without_a_champion_it_says_so_and_answers_503(start):
    process = start("serve", "--port", 0, "--workers", 1)
    told = process.stderr.readline()
    assert told == "there is no champion yet; requests get 503 until: recsys train\n"
    listening = next(filter(None, (re.search(r"http://\S+", line) for line in process.stderr)))
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{listening[0]}/readyz")
    refused.value.close()
    assert refused.value.code == 503


def test_a_port_that_is_taken_is_one_clear_line(recsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = recsys("serve", "--port", taken.getsockname()[1])
    assert refused.code == 1
    assert "Address already in use" in refused.err
