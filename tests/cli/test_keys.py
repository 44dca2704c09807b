import re

from recsys import store


def find(home, key):
    engine = store.open_database(f"sqlite:///{home}/var/recsys.db")
    found = store.find_key(engine, key)
    engine.dispose()
    return found


def test_a_new_key_is_the_one_line_on_stdout(done, home):
    made = done("keys", "create", "app")
    assert re.fullmatch(r"recsys_[\w-]{43}\n", made.out)
    assert made.err == "Keep it now: it cannot be shown again.\n"
    assert find(home, made.out.strip()) == "app"


def test_keys_are_listed_without_themselves(done):
    key = done("keys", "create", "app").out.strip()
    done("keys", "create", "ci")
    listed = done("keys", "list").out
    assert [line.split()[0] for line in listed.splitlines()[2:]] == ["app", "ci"]
    assert key not in listed


def test_a_revoked_key_is_worthless_and_listed_as_such(done, home):
    key = done("keys", "create", "app").out.strip()
    assert done("keys", "revoke", "app").out == "The key app is revoked.\n"
    assert find(home, key) is None
    assert len(re.findall(r"\d{4}-\d\d-\d\d", done("keys", "list").out)) == 2


def test_without_keys_it_says_how_to_make_one(done):
    assert done("keys", "list").err == "There is no key yet: recsys keys create NAME\n"


def test_mistakes_have_their_exit_codes(recsys, done):
    done("keys", "create", "app")
    assert recsys("keys", "create", "app").code == 2
    assert recsys("keys", "create", "a b").code == 2
    unknown = recsys("keys", "revoke", "apq")
    assert (unknown.code, unknown.err) == (4, "Error: there is no key 'apq'; the keys are app\n")
