import pytest

from recsys.data.readers.titles import split_year


@pytest.mark.parametrize(
    ("written", "title", "year"),
    [
        ("Matrix, The (1999)", "Matrix, The", 1999),
        ("2001: A Space Odyssey (1968)", "2001: A Space Odyssey", 1968),
        ("Seven (a.k.a. Se7en) (1995)", "Seven (a.k.a. Se7en)", 1995),
        ("Land Before Time III (1995) (V)", "Land Before Time III (V)", 1995),
        ("Big Bang Theory, The (2007-)", "Big Bang Theory, The", 2007),
        ("Fireplay (2010- )", "Fireplay", 2010),
        ("Death Note: Desu nôto (2006–2007)", "Death Note: Desu nôto", 2006),
        ("Blind Side, The  (2009)", "Blind Side, The", 2009),
        ("Cosmos ", "Cosmos", None),
        ("unknown", "unknown", None),
        ("(1999) and after", "(1999) and after", None),
        ("Class of (12345)", "Class of (12345)", None),
        ("(1999)", None, 1999),
        ("", None, None),
        ("  ", None, None),
    ],
)
def test_a_title_loses_its_year_and_nothing_else(written, title, year):
    assert split_year(written) == (title, year)
