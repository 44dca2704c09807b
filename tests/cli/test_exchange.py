from recsys.store.exchange import FORMATS

ELSEWHERE = ("--database-url", "sqlite:///elsewhere.db")


def hashes(done, version, *database):
    found = done(*database, "models", "show", version, "--json").json
    return {s["objective"]: s["content_hash"] for s in found["snapshots"]}


def test_a_version_moves_to_another_database(trained, done):
    for n, form in enumerate(FORMATS, 1):
        exported = done("models", "export", "champion", form, "--format", form).out
        assert exported == f"Version 1 is in {form}.\n"
        imported = done(*ELSEWHERE, "models", "import", form).out
        assert imported == (f"Version {n} is stored: rating and ranking, trained on shop.csv.\n")
        assert hashes(done, n, *ELSEWHERE) == hashes(done, 1)
    done(*ELSEWHERE, "models", "promote", 1)
    lists = [done(*where, "recommend", "u1", "--json").json for where in ((), ELSEWHERE)]
    assert lists[0] == lists[1]


def test_without_ratings_it_needs_the_data(trained, done, recsys):
    done("models", "export", 1, "out.npz", "--without-ratings")
    refused = recsys(*ELSEWHERE, "models", "import", "out.npz")
    assert refused.code == 4
    assert "without the ratings of 'shop.csv'" in refused.err
    assert done("models", "import", "out.npz").out.startswith("Version 2 is stored")


def test_what_cannot_be_done_is_told(trained, home, recsys):
    (home / "mine").write_text("mine")
    for arguments, code, complaint in (
        (("export", 9, "out"), 4, "there is no version 9"),
        (("export", 1, "mine"), 2, "mine is there already"),
        (("export", 1, "out", "--format", "pickle"), 2, "'pickle' is not one of"),
        (("import", "nowhere.npz"), 2, "Path 'nowhere.npz' does not exist"),
        (("import", "mine"), 3, "mine: this is damaged"),
    ):
        refused = recsys("models", *arguments)
        assert refused.code == code
        assert complaint in refused.err
    assert not (home / "out").exists()
