from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from recsys.errors import StoreError
from recsys.store.turns import Turns


def test_one_thread_at_a_time_has_its_turn_and_all_get_one():
    turns, inside, most = Turns(60), [], []

    def take(name):
        with turns.turn():
            inside.append(name)
            most.append(len(inside))
            inside.remove(name)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(take, range(400)))
    assert most == [1] * 400


def test_who_waits_gives_up_when_the_turn_takes_too_long_and_may_try_again():
    turns = Turns(0.01)
    with turns.turn():
        for _ in range(2):
            with pytest.raises(StoreError, match=r"for over 0\.01 s; try again"), turns.turn():
                pass
    with turns.turn():
        pass


def test_a_turn_ends_with_an_error():
    turns = Turns(0)
    with pytest.raises(KeyError), turns.turn():
        raise KeyError
    with turns.turn():
        pass
