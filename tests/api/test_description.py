from api.description import describe

SPEC = {
    "paths": {
        "/v1/items": {"get": {"responses": {"200": {}, "422": {}}}},
        "/v1/ratings": {"post": {"requestBody": {}, "responses": {"200": {}}}},
        "/v1/recommendations": {"post": {"requestBody": {}, "responses": {"200": {}}}},
        "/healthz": {"get": {"responses": {"200": {}}}},
    }
}


def statuses(spec, path, method):
    return list(spec["paths"][path][method]["responses"])


def test_what_guards_and_limits_answer_is_described():
    spec = describe(SPEC, reads_need_key=False)
    assert statuses(spec, "/v1/items", "get") == ["200", "422", "429"]
    assert statuses(spec, "/v1/ratings", "post") == ["200", "401", "403", "413", "429"]
    assert statuses(spec, "/v1/recommendations", "post") == ["200", "413", "429"]
    assert statuses(spec, "/healthz", "get") == ["200"]


def test_what_needs_a_key_says_so():
    def secured(**options):
        return {
            path
            for path, item in describe(SPEC, **options)["paths"].items()
            for operation in item.values()
            if operation.get("security")
        }

    assert secured(reads_need_key=False) == {"/v1/ratings"}
    assert secured(reads_need_key=True) == {"/v1/items", "/v1/ratings", "/v1/recommendations"}


def test_what_an_operation_says_itself_stays():
    spec = {"paths": {"/v1/items": {"get": {"responses": {"429": {"description": "own"}}}}}}
    described = describe(spec, reads_need_key=False)
    assert described["paths"]["/v1/items"]["get"]["responses"]["429"] == {"description": "own"}


def test_the_scheme_is_that_of_the_header_which_is_read(shop):
    components = shop.get("/openapi.json").get_json()["components"]
    (scheme,) = components["securitySchemes"].values()
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
