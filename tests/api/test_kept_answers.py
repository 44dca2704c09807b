from api.kept_answers import KeptAnswers


def test_what_was_kept_is_returned_under_its_tag_alone():
    kept = KeptAnswers(100)
    kept.keep("a", b"one")
    kept.keep("a", b"one")
    assert (kept.get("a"), kept.get("b")) == (b"one", None)


def test_what_was_asked_for_longest_ago_goes_first_when_there_is_no_room():
    kept = KeptAnswers(10)
    kept.keep("a", b"1234")
    kept.keep("b", b"1234")
    kept.get("a")
    kept.keep("c", b"1234")  # 12 bytes: "b" goes
    assert [kept.get(tag) for tag in "abc"] == [b"1234", None, b"1234"]


def test_what_alone_is_too_large_is_not_kept():
    kept = KeptAnswers(3)
    kept.keep("a", b"1234")
    kept.keep("b", b"123")
    assert [kept.get(tag) for tag in "ab"] == [None, b"123"]


def test_a_kept_answer_is_the_same_and_ends_with_what_it_depends_on(folding_shop):
    url = "/v1/users/1/recommendations?limit=3"
    asked = []
    recommender = type(folding_shop.app.extensions["recsys"].serving.current().recommender)
    recommend = recommender.recommend

    def counted(self, *arguments, **options):
        asked.append(self.model_id)
        return recommend(self, *arguments, **options)

    recommender.recommend = counted
    try:
        first, again = folding_shop.get(url), folding_shop.get(url)
        assert (again.data, again.status_code) == (first.data, 200)
        same = ("ETag", "Content-Type", "Cache-Control", "Content-Security-Policy")
        assert [again.headers[name] for name in same] == [first.headers[name] for name in same]
        assert asked == [1]

        folding_shop.get(url + "&offset=1")
        assert asked == [1, 1]
        rated = {"user_id": "1", "item_id": "m3", "rating": 5}
        folding_shop.client.post("/v1/ratings", json={"ratings": [rated]})
        assert folding_shop.get(url).data != first.data
        folding_shop.train(seed=2)
        assert folding_shop.get(url).get_json()["model_id"] == 2
        assert asked == [1, 1, 1, 2]
    finally:
        recommender.recommend = recommend
