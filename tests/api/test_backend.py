import threading

from api import Config, create_app
from recsys import store
from recsys.store.prepared import Prepared


def test_no_answer_mixes_versions_while_the_champion_changes(fresh_shop):
    fresh_shop.train(seed=2)
    url = "/v1/users/3/recommendations?limit=100"
    expected = {}
    for model_id in (1, 2):
        store.promote(fresh_shop.engine, model_id)
        expected[model_id] = fresh_shop.get(url).get_json()
    answers, stop = [], threading.Event()

    def ask():
        client = fresh_shop.app.test_client()
        while not stop.is_set():
            answers.append(client.get(url).get_json())

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for asker in askers:
        asker.start()
    for n in range(20):
        store.promote(fresh_shop.engine, 1 + n % 2)
        seen = len(answers)
        while len(answers) < seen + 3:
            assert any(asker.is_alive() for asker in askers)
    stop.set()
    for asker in askers:
        asker.join(30)

    assert {answer["model_id"] for answer in answers} == {1, 2}
    for answer in answers:
        assert answer == expected[answer["model_id"]]


def test_a_list_takes_one_look_into_the_database(shop, monkeypatch):
    url = "/v1/users/3/recommendations?limit="
    shop.get(f"{url}1")  # loads the version
    looks = []
    rows = Prepared.rows
    monkeypatch.setattr(
        Prepared, "rows", lambda query, **values: looks.append(values) or rows(query, **values)
    )
    assert shop.get(f"{url}2").status_code == 200
    assert looks == [{"user_id": "3"}]


def test_the_database_is_not_asked_for_a_user_that_there_cannot_be(shop, monkeypatch):
    looks = []
    rows = Prepared.rows
    monkeypatch.setattr(
        Prepared, "rows", lambda query, **values: looks.append(values) or rows(query, **values)
    )
    # Postgres would refuse the text itself, which is no failure of the database.
    assert shop.get("/v1/users/%00/recommendations").status_code == 422
    assert looks == [{}]


def test_a_worker_opens_the_database_once(fresh_shop, monkeypatch):
    opened = []

    def count(url, **settings):
        opened.append(url)
        return store.open_database(url, **settings)

    monkeypatch.setattr("api.backend.open_database", count)
    app = create_app(fresh_shop.config)
    for url in ("/v1/items", "/v1/models", "/readyz"):
        assert app.test_client().get(url).status_code == 200
    assert opened == [fresh_shop.config.database_url]
    app.extensions["recsys"].engine.dispose()


def test_workers_share_one_file_per_snapshot(fresh_shop):
    apps = [create_app(fresh_shop.config) for _ in range(3)]
    lists = [app.test_client().get("/v1/users/1/recommendations").get_json() for app in apps]
    assert lists[0] == lists[1] == lists[2]
    (file,) = fresh_shop.config.cache_dir.iterdir()
    assert file.suffix == ".items"
    for app in apps:
        app.extensions["recsys"].engine.dispose()


def test_a_database_that_appears_later_is_opened_then(tmp_path):
    config = Config(f"sqlite:///{tmp_path}/recsys.db", tmp_path / "cache")
    app = create_app(config)
    assert app.test_client().get("/readyz").status_code == 503
    engine = store.open_database(config.database_url)
    store.prepare(engine)
    engine.dispose()
    assert app.test_client().get("/v1/models").get_json()["items"] == []
    app.extensions["recsys"].engine.dispose()
