import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "client.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:8000"


def conftest(room):
    spec = importlib.util.spec_from_file_location(
        f"{room}_conftest", Path(__file__).parents[1] / room / "conftest.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def address(tmp_path, monkeypatch):
    """A service whose films, other than the page's, are called Matrix 0 and so on."""
    client = conftest("client")
    made_ratings = client.shops.make_ratings

    def renamed():
        ratings = made_ratings()
        titles = tuple(f"Matrix {n}" for n in range(len(ratings.metadata.titles)))
        genres = tuple(("Drama",) for _ in titles)
        metadata = client.shops.replace(ratings.metadata, titles=titles, genres=genres)
        return client.shops.replace(ratings, metadata=metadata)

    monkeypatch.setattr(client.shops, "make_ratings", renamed)
    shop = client.make_shop(tmp_path)
    with client.listening(shop.app) as found:
        yield found
    shop.close()


def examples(language):
    found = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found


def test_the_python_examples_run(address, capsys, monkeypatch):
    for code in examples("python"):
        # The little store has no key, and takes local writes without one.
        exec(code.replace(ADDRESS, address).replace(', api_key="recsys_..."', ""), {})
    told = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"1 Matrix \d+ \d\.\d+", told[0])
    assert re.fullmatch(r"1 \['Matrix \d+'\]", told[5])
    assert told[6].startswith("404 user 'nobody' is unknown to version 1; ")


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_javascript_example_runs(address, tmp_path):
    (code,) = examples("js")
    script = tmp_path / "example.mjs"
    script.write_text(code.replace(ADDRESS, address))
    done = subprocess.run(["node", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    *items, problem = done.stdout.splitlines()
    assert [re.fullmatch(r"(\d) Matrix \d+ \d\.\d+", line)[1] for line in items] == list("12345")
    assert problem.startswith("404 Unknown user: user 'nobody' is unknown to version 1; ")
