from __future__ import annotations

from dataclasses import replace

from recsys.analysis import bias_table
from recsys.data import IdMap


def test_a_title_is_shown_with_its_year_and_an_untitled_item_by_its_id(make_items):
    items, catalogue = make_items([0.1], [30])
    untitled = replace(
        catalogue,
        item_ids=IdMap(["i0"]),
        metadata=replace(catalogue.metadata, titles=(None,), years=(None,)),
    )
    assert bias_table(items, catalogue).best(1)[0].label == "Film 0 (1950)"
    assert bias_table(items, untitled).best(1)[0].label == "item i0"
