import hashlib
import io
import socket
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from recsys.data.fetch import fetch
from recsys.data.readers import read_ratings
from recsys.errors import DownloadError, NotFoundError


def archive():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("ml-1m/ratings.dat", "1::1193::5::978300760\n2::661::3::978302109\n")
        file.writestr("ml-1m/movies.dat", "1193::One (1975)::Drama\n661::Two (1996)::Comedy\n")
    return packed.getvalue()


ARCHIVE = archive()
MD5 = hashlib.md5(ARCHIVE).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves ``files`` and notes what was asked for; a path in ``cut`` breaks off half way."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {"/ml-1m.zip": ARCHIVE, "/ml-1m.zip.md5": f"{MD5}  ml-1m.zip\n".encode()}
        self.cut = set()
        self.asked = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if self.path in self.server.cut else content)
        self.close_connection = True

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def files_below(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_fetched_set_is_read_by_its_name(server, tmp_path):
    path = fetch("ml-1m", directory=tmp_path / "new", base_url=server.url, progress=False)
    assert path == tmp_path / "new" / "ml-1m.zip"
    assert path.read_bytes() == ARCHIVE
    ratings = read_ratings("ml-1m", directory=tmp_path / "new")
    assert ratings.name == "ml-1m"
    assert ratings.metadata.titles == ("Two", "One")


def test_the_digest_is_asked_for_before_the_archive(server, tmp_path):
    fetch("ml-1m", directory=tmp_path, base_url=server.url, progress=False)
    assert server.asked == ["/ml-1m.zip.md5", "/ml-1m.zip"]


def test_a_set_that_is_there_is_not_fetched_again(server, tmp_path):
    first = fetch("ml-1m", directory=tmp_path, base_url=server.url, progress=False)
    server.asked.clear()
    assert fetch("ml-1m", directory=tmp_path, base_url=server.url, progress=False) == first
    assert server.asked == []


def test_both_ways_of_writing_a_digest_are_understood(server, tmp_path):
    server.files["/ml-1m.zip.md5"] = f"MD5 (ml-1m.zip) = {MD5.upper()}\n".encode()
    assert fetch("ml-1m", directory=tmp_path, base_url=server.url, progress=False).exists()


def test_the_embedded_set_needs_no_fetching(tmp_path):
    path = fetch("ml-latest-small", directory=tmp_path, base_url="http://127.0.0.1:9")
    assert (path / "ratings.csv.gz").is_file()
    assert files_below(tmp_path) == []


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_is_shown_on_a_terminal_only(server, tmp_path, capsys, monkeypatch):
    fetch("ml-1m", directory=tmp_path / "one", base_url=server.url, progress=True)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    path = fetch("ml-1m", directory=tmp_path / "two", base_url=server.url, progress=True)
    size = f"/{path.stat().st_size} ["
    shown = terminal.getvalue().split("\r")
    assert any(line.startswith("downloading ml-1m:") and size in line for line in shown)
    assert shown[-2].strip() == ""  # it is gone when all is there
    assert capsys.readouterr().out == ""


def test_the_folder_can_come_from_the_environment(server, tmp_path, monkeypatch):
    monkeypatch.setenv("RECSYS_DATA_DIR", str(tmp_path / "there"))
    assert fetch("ml-1m", base_url=server.url, progress=False).parent == tmp_path / "there"
    assert read_ratings("ml-1m").n_ratings == 2


def test_a_wrong_checksum_leaves_nothing_behind(server, tmp_path):
    server.files["/ml-1m.zip"] = ARCHIVE[::-1]
    with pytest.raises(DownloadError, match="is not what its published MD5 says") as error:
        fetch("ml-1m", directory=tmp_path, base_url=server.url, progress=False)
    assert "\n" not in str(error.value)
    assert files_below(tmp_path) == []
    with pytest.raises(NotFoundError, match="recsys data fetch ml-1m"):
        read_ratings("ml-1m", directory=tmp_path)


@pytest.mark.parametrize("path", ["/ml-1m.zip", "/ml-1m.zip.md5"])
def test_a_cut_connection_leaves_nothing_behind(server, tmp_path, path):
    server.cut.add(path)
    with pytest.raises(DownloadError, match="download") as error:
        fetch("ml-1m", directory=tmp_path, base_url=server.url, progress=False)
    assert "\n" not in str(error.value)
    assert files_below(tmp_path) == []


@pytest.mark.parametrize("path", ["/ml-1m.zip", "/ml-1m.zip.md5"])
def test_a_missing_file_is_told_with_what_to_do_by_hand(server, tmp_path, path):
    del server.files[path]
    with pytest.raises(DownloadError, match="the server answered 404 Not Found") as error:
        fetch("ml-1m", directory=tmp_path, base_url=server.url, progress=False)
    assert f"download {server.url}/ml-1m.zip and save it as {tmp_path / 'ml-1m.zip'}" in str(
        error.value
    )
    assert files_below(tmp_path) == []


def test_an_archive_without_a_published_digest_is_not_fetched(server, tmp_path):
    server.files["/ml-1m.zip.md5"] = b"<html>gone</html>"
    with pytest.raises(DownloadError, match="holds no MD5"):
        fetch("ml-1m", directory=tmp_path, base_url=server.url, progress=False)
    assert "/ml-1m.zip" not in server.asked


def test_offline_says_in_one_line_what_to_download_and_where_to_put_it(tmp_path):
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unheard.getsockname()[1]}"
        with pytest.raises(DownloadError) as error:
            fetch("ml-1m", directory=tmp_path, base_url=url, progress=False)
    message = str(error.value)
    assert "\n" not in message
    assert f"download {url}/ml-1m.zip and save it as {tmp_path / 'ml-1m.zip'}" in message
    assert files_below(tmp_path) == []


def test_a_server_that_says_nothing_is_given_up(tmp_path):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(DownloadError, match="Timeout"):
            fetch("ml-1m", directory=tmp_path, base_url=url, progress=False, timeout=0.05)


def test_a_folder_that_cannot_be_made_is_told(server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DownloadError, match="file"):
        fetch("ml-1m", directory=tmp_path / "file", base_url=server.url, progress=False)


def test_an_archive_saved_by_hand_is_read_by_its_name(tmp_path):
    (tmp_path / "ml-1m.zip").write_bytes(ARCHIVE)
    assert read_ratings("ml-1m", directory=tmp_path).n_ratings == 2


def test_an_unknown_name_is_told_with_the_known_ones(tmp_path):
    with pytest.raises(NotFoundError, match="'ml-2m'; known: ml-latest-small, "):
        fetch("ml-2m", directory=tmp_path)
    with pytest.raises(NotFoundError, match="'ml-2m' is no file, no folder and no data set"):
        read_ratings("ml-2m", directory=tmp_path)
