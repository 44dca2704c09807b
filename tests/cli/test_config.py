import pytest


@pytest.fixture
def configure(home):
    """Write recsys.toml."""
    return lambda text, name="recsys.toml": (home / name).write_text(text)


@pytest.fixture
def n_factors(shop, done):
    """Train, and return the number of factors that it was told."""

    def train(*arguments, **environment):
        settings = done(
            "train", "--data", shop, "--n-epochs", 1, *arguments, "--json", **environment
        ).json["hyperparameters"]["rating"]
        return settings["n_factors"]

    return train


def test_command_line_beats_environment_beats_file_beats_default(n_factors, configure):
    default = n_factors()
    configure("[train]\nn_factors = 5\n")
    assert default != n_factors() == 5
    assert n_factors(RECSYS_TRAIN_N_FACTORS="6") == 6
    assert n_factors("--n-factors", 7, RECSYS_TRAIN_N_FACTORS="6") == 7


def test_the_database_is_found_by_the_same_order(shop, done, configure, home):
    train = ("train", "--data", shop, "--n-epochs", 1)
    configure('database_url = "sqlite:///file.db"\n')
    done(*train)
    assert (home / "file.db").exists()
    done(*train, RECSYS_DATABASE_URL="sqlite:///environment.db")
    assert (home / "environment.db").exists()
    urls = {"RECSYS_DATABASE_URL": "sqlite:///environment.db"}
    done("--database-url", "sqlite:///line.db", *train, **urls)
    assert (home / "line.db").exists()
    assert not (home / "var").exists()


def test_a_file_elsewhere_can_be_named(shop, done, recsys, configure, n_factors):
    configure("[train]\nn_factors = 5\n", "mine.toml")
    assert n_factors(RECSYS_CONFIG="mine.toml") == 5
    train = ("train", "--data", shop, "--n-epochs", 1, "--json")
    trained = done("--config", "mine.toml", *train).json
    assert trained["hyperparameters"]["rating"]["n_factors"] == 5
    missing = recsys("--config", "missing.toml", *train)
    assert missing.code == 2
    assert "'missing.toml' does not exist" in missing.err


def test_dashes_lists_and_flags_are_understood(shop, done, configure):
    configure('[train]\nn-epochs = 1\ny-range = [0.5, 5.5]\nno_promote = true\ndata = "shop.csv"\n')
    trained = done("train", "--json").json
    assert trained["hyperparameters"]["rating"]["y_range"] == [0.5, 5.5]
    assert not trained["promoted"]
    done("train", RECSYS_TRAIN_Y_RANGE="0 6")


def test_a_command_in_a_group_has_a_table_in_the_group_s_table(trained, done, configure):
    configure('[models.promote]\nalias = "challenger"\n')
    assert done("models", "promote", 1).out == "challenger is version 1.\n"


def test_evaluate_takes_its_files_from_its_table(shop, done, configure):
    configure('[evaluate]\ntrain = "shop.csv"\ntest = "shop.csv"\nbaseline = "global"\n')
    assert done("evaluate", "--json").json["n_test"] == 900


@pytest.mark.parametrize(
    ("text", "setting", "allowed"),
    [
        ("n_factors = 5\n", "unknown setting n_factors", "database_url, [train], [evaluate]"),
        ("train = 5\n", "unknown setting train", "[train]"),
        ("[trian]\n", "unknown setting [trian]", "[train]"),
        ("[train]\nn_factor = 5\n", "unknown setting train.n_factor", "n_factors, "),
        ("[train]\njson = true\n", "unknown setting train.json", "n_factors, "),
        ("[train.data]\na = 1\n", "unknown setting [train.data]", "n_factors, "),
        ("[models]\nalias = 'a'\n", "unknown setting models.alias", "[models.promote]"),
        ("[models.demote]\n", "unknown setting [models.demote]", "[models.promote]"),
        ("[models.promote]\nname = 'a'\n", "unknown setting models.promote.name", "alias"),
        ("[models.list]\nname = 'a'\n", "unknown setting models.list.name", "none"),
    ],
)
def test_a_setting_that_is_unknown_is_refused_with_what_is_allowed(
    recsys, configure, text, setting, allowed
):
    configure(text)
    refused = recsys("models", "list") if "models" in text else recsys("train")
    assert (refused.code, refused.out) == (2, "")
    assert f"Error: recsys.toml: {setting}; allowed: " in refused.err
    assert allowed in refused.err.split("allowed: ")[1]


def test_a_command_does_not_look_into_another_command_s_table(done, configure):
    configure("[train]\nn_factor = 5\n")
    done("models", "list")


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ('"many"', "'many' is not a valid integer"),
        ("4.7", "'4.7' is not a valid integer"),
        ("[4]", "'[4]' is not a valid integer"),
        ("true", "'True' is not a valid integer"),
    ],
)
def test_a_value_of_another_kind_is_refused_and_the_file_named(recsys, configure, value, complaint):
    configure(f"[train]\nn_factors = {value}\n")
    refused = recsys("train")
    assert refused.code == 2
    assert f"{complaint}. (set by recsys.toml)" in refused.err


def test_a_bad_value_in_the_environment_names_the_variable(recsys):
    refused = recsys("train", RECSYS_TRAIN_N_FACTORS="many")
    assert refused.code == 2
    assert "'many' is not a valid integer. (set by RECSYS_TRAIN_N_FACTORS)" in refused.err


def test_a_bad_value_on_the_command_line_is_said_to_be_set_nowhere_else(recsys):
    assert "set by" not in recsys("train", "--n-factors", "many").err


@pytest.mark.parametrize("content", [b"[train", b"a = \xff\n"])
def test_a_file_that_is_no_toml_is_refused(recsys, home, content):
    (home / "recsys.toml").write_bytes(content)
    refused = recsys("models", "list")
    assert refused.code == 2
    assert "Error: recsys.toml: " in refused.err


@pytest.mark.parametrize(
    ("command", "variable", "allowed"),
    [
        (("models", "list"), "RECSYS_MODELS_PROMOTE_NAME", "RECSYS_MODELS_PROMOTE_ALIAS"),
        (("serve", "--show-config"), "RECSYS_SERVE_PROT", "RECSYS_SERVE_PORT"),
        (("train",), "RECSYS_TRAIN_N_FACTOR", "RECSYS_TRAIN_N_FACTORS"),
        (("train",), "RECSYS_TRAIN_AS_JSON", "RECSYS_TRAIN_N_FACTORS"),
    ],
)
def test_an_unknown_variable_of_the_command_is_refused_with_what_is_allowed(
    recsys, command, variable, allowed
):
    refused = recsys(*command, **{variable: "x"})
    assert (refused.code, refused.out) == (2, "")
    assert f"unknown setting {variable} in the environment; allowed: " in refused.err
    assert allowed in refused.err


@pytest.mark.parametrize("variable", ["RECSYS_DATABSE_URL", "RECSYS_SEVRE_PORT", "RECSYS_PORT"])
def test_a_variable_that_is_of_no_command_and_not_of_the_program_is_refused(recsys, variable):
    refused = recsys("models", "list", **{variable: "8000"})
    assert (refused.code, refused.out) == (2, "")
    assert f"unknown setting {variable} in the environment; allowed: " in refused.err
    assert "RECSYS_CONFIG, RECSYS_DATABASE_URL, " in refused.err


def test_variables_of_other_commands_and_of_the_projects_other_tools_are_left_alone(done):
    done("models", "list", RECSYS_TRAIN_N_FACTOR="x", RECSYS_CACHE="x")


def test_what_kubernetes_sets_for_a_service_called_recsys_is_left_alone(done):
    done(
        "models",
        "list",
        RECSYS_PORT="tcp://10.0.0.1:8000",
        RECSYS_PORT_8000_TCP_ADDR="10.0.0.1",
        RECSYS_SERVICE_HOST="10.0.0.1",
        RECSYS_SERVICE_PORT_HTTP="8000",
        RECSYS_WEB_SERVICE_PORT="80",
    )


@pytest.mark.parametrize(
    ("content", "told"), [(None, "does not exist. (set by RECSYS_CONFIG)"), ("a = 1", "mine.toml:")]
)
def test_a_wrong_file_that_a_variable_names_is_told_with_what_named_it(
    recsys, configure, content, told
):
    if content is not None:
        configure(content, "mine.toml")
    refused = recsys("models", "list", RECSYS_CONFIG="mine.toml")
    assert refused.code == 2
    assert told in refused.err


def test_a_url_that_is_none_is_refused_with_its_origin_and_not_shown(recsys, configure):
    configure("database_url = 5\n")
    refused = recsys("serve", "--show-config")
    assert (refused.code, refused.out) == (2, "")
    assert "no URL of a database; allowed: such as sqlite:///" in refused.err
    assert "(set by recsys.toml)" in refused.err
    secret = recsys("--database-url", "user:secret@host", "serve", "--show-config")
    assert secret.code == 2
    assert "secret" not in secret.err


def test_the_folder_of_downloads_is_no_setting_of_a_command(done, tmp_path):
    assert done("data", "list", "--json", RECSYS_DATA_DIR=str(tmp_path)).json["items"]
