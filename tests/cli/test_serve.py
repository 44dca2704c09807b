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
    told = [process.stderr.readline() for _ in range(2)]
    assert told == [
        "there is no champion yet; requests get 503 until: recsys train\n",
        "there is no API key: writes are taken from this machine only: recsys keys create NAME\n",
    ]
    listening = next(filter(None, (re.search(r"http://\S+", line) for line in process.stderr)))
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{listening[0]}/readyz")
    refused.value.close()
    assert refused.value.code == 503


def test_a_log_of_json_has_nothing_else_from_the_first_line_to_the_last(start):
    process = start("serve", "--port", 0, "--workers", 1, "--log-format", "json")
    lines = [process.stderr.readline() for _ in range(5)]
    process.send_signal(signal.SIGTERM)
    lines += process.communicate(timeout=30)[1].splitlines()
    told = [json.loads(line) for line in lines]
    assert told[0]["message"].startswith("there is no champion yet")
    assert told[1]["message"].startswith("there is no API key")
    assert {fact["level"] for fact in told[:2]} == {"WARNING"}


def test_a_port_that_is_taken_is_one_clear_line(recsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = recsys("serve", "--port", taken.getsockname()[1])
    assert refused.code == 1
    assert "Address already in use" in refused.err


def shown(outcome):
    """Return what --show-config printed, as {setting: (value, origin)}."""
    header, rule, *rows = outcome.out.splitlines()
    assert header.split() == ["setting", "value", "from"]
    starts = [match.start() for match in re.finditer(r"-+", rule)]
    return {
        row[: starts[1]].strip(): (row[starts[1] : starts[2]].strip(), row[starts[2] :].strip())
        for row in rows
    }


def test_show_config_says_each_setting_and_where_it_comes_from(done, home):
    (home / "recsys.toml").write_text(
        '[serve]\nport = 1\nworkers = 3\ncors_origin = ["https://a.example", "https://b.example"]\n'
    )
    asked = ("serve", "--port", 2, "--show-config")
    found = shown(done(*asked, RECSYS_SERVE_PORT="3", RECSYS_SERVE_HOST="::1"))
    assert found["port"] == ("2", "command line")
    assert found["host"] == ("::1", "RECSYS_SERVE_HOST")
    assert found["workers"] == ("3", "recsys.toml")
    assert found["threads"] == ("4", "default")
    assert found["cors_origin"] == ("https://a.example https://b.example", "recsys.toml")
    assert found["rate_limit"] == ("", "default")
    assert (found["proxies"], found["reads_need_key"]) == (("0", "default"), ("no", "default"))
    assert found["database_url"] == ("sqlite:///var/recsys.db", "default")
    assert not (home / "var").exists()  # nothing is opened


@pytest.mark.parametrize(
    "value", ["*", "http://[::1]:8080", "https://SHOP-1.example:8443", "http://localhost"]
)
def test_an_origin_may_be_any_one_a_name_or_an_address(done, value):
    found = shown(done("serve", "--cors-origin", value, "--show-config"))
    assert found["cors_origin"] == (value, "command line")


@pytest.mark.parametrize("value", ['"https://a.example"', '["https://a.example"]'])
def test_an_option_that_may_be_repeated_may_stand_alone_in_the_file(done, home, value):
    (home / "recsys.toml").write_text(f"[serve]\ncors_origin = {value}\n")
    found = shown(done("serve", "--show-config"))
    assert found["cors_origin"] == ("https://a.example", "recsys.toml")


def test_show_config_holds_all_that_serve_can_be_told(done, contexts):
    (serve,) = [context.command for context in contexts if context.command_path == "recsys serve"]
    options = {option.opts[0].removeprefix("--").replace("-", "_") for option in serve.params}
    found = shown(done("serve", "--show-config"))
    assert found.keys() == (options | {"database_url"}) - {"show_config"}


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://user:hush@host/name",
        "postgresql+psycopg://host/name?user=user&password=hush",
    ],
)
def test_show_config_shows_no_password(done, url):
    told = done("serve", "--show-config", RECSYS_DATABASE_URL=url)
    assert "hush" not in told.out + told.err
    value, origin = shown(told)["database_url"]
    assert "host/name" in value
    assert origin == "RECSYS_DATABASE_URL"


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--rate-limit", "often", "'often' is not a rate; allowed: such as 100/minute"),
        ("--cors-origin", "shop.example", "'shop.example' is not an origin; allowed: such as"),
        ("--cors-origin", "https://shop.example/", "is not an origin"),
        ("--cors-origin", "https://*.shop.example", "is not an origin"),
        ("--cors-origin", "https://shop[.]example", "is not an origin"),
        ("--cors-origin", "://", "is not an origin"),
        ("--cors-origin", "ftp://shop.example", "is not an origin"),
        ("--log-format", "xml", "'xml' is not one of 'plain', 'json'"),
        ("--max-body", "0", "0 is not in the range"),
        ("--proxies", "-1", "-1 is not in the range"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_with_its_origin(recsys, option, value, complaint):
    refused = recsys("serve", option, value, "--show-config")
    assert refused.code == 2
    assert complaint in refused.err
    variable = f"RECSYS_SERVE_{option[2:].upper().replace('-', '_')}"
    refused = recsys("serve", "--show-config", **{variable: value})
    assert refused.code == 2
    assert f"(set by {variable})" in refused.err
