import numpy as np
import pytest

from recsys.training.hyperparameters import Hyperparameters
from recsys.training.search_space import at_multiples, search_space

RANKING = {"objective": "ranking"}


@pytest.mark.parametrize("fixed", [{}, RANKING, {"model": "mlp"}, {"implicit": False}])
def test_every_range_holds_the_default_and_every_searched_name_has_one(ratings, fixed):
    defaults = Hyperparameters.choose(ratings, **fixed)
    space = search_space(defaults, fixed)
    assert len(space) >= 5
    for name, (low, high) in space.items():
        assert 0 < low < 1 < high
        assert getattr(defaults, name) > 0  # a multiple of nothing is nothing


@pytest.mark.parametrize("fixed", [{}, RANKING, {"model": "mlp"}, {"implicit": False}])
def test_both_ends_of_every_range_can_be_trained_with(ratings, fixed):
    space = search_space(Hyperparameters.choose(ratings, **fixed), fixed)
    for end in (0, 1):
        multiples = {name: range_[end] for name, range_ in space.items()}
        settings = at_multiples(ratings, fixed, multiples)
        assert settings != Hyperparameters.choose(ratings, **fixed)


def test_what_is_given_is_not_searched_nor_are_terms_that_are_left_out(ratings):
    fixed = {"n_factors": 16, "implicit": False}
    space = search_space(Hyperparameters.choose(ratings, **fixed), fixed)
    assert set(space) == {"n_epochs", "lr", "reg", "reg_bias", "n_prior", "init_std"}


def test_once_the_default_is_the_default(ratings):
    for fixed in ({}, RANKING):
        defaults = Hyperparameters.choose(ratings, **fixed)
        ones = dict.fromkeys(search_space(defaults, fixed), 1.0)
        assert at_multiples(ratings, fixed, ones) == defaults


def test_values_have_three_digits_and_numbers_of_things_stay_whole(ratings):
    at = {"reg": 0.15, "reg_bias": 0.05, "n_factors": 64}
    settings = at_multiples(ratings, at, {"reg": 1.5, "reg_bias": 1 / 3, "n_factors": 0.3})
    assert settings.reg == 0.225
    assert settings.reg_bias == 0.0167  # .05 / 3
    assert settings.n_factors == 19  # 64 * .3 = 19.2
    assert at_multiples(ratings, {}, {"n_factors": 1e-3}).n_factors == 1


def test_a_default_that_follows_from_a_searched_value_is_multiplied_afterwards(ratings):
    at = at_multiples(ratings, RANKING, {"unobserved": 0.5, "reg": 2, "lr": 0.5})
    defaults = Hyperparameters.choose(ratings, objective="ranking", unobserved=7.0)
    assert at.unobserved == 7
    assert at.reg == pytest.approx(2 * defaults.reg, rel=0.005)
    unlike = Hyperparameters.choose(ratings, objective="ranking")
    assert not np.isclose(unlike.reg, defaults.reg, rtol=0.1)
    # The rate's own default does not change: it follows from `unobserved`, not from `reg`.
    assert at.lr == pytest.approx(0.5 * defaults.lr, rel=0.005)
