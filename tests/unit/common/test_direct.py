"""The address of a direct POST is the one that httpx would have made."""

from urllib.parse import urlencode

import httpx
from hypothesis import given
from hypothesis import strategies as st

from common.http.direct import with_query

BASE = httpx.URL("http://127.0.0.1:8082/api/invoices")


@given(st.dictionaries(st.sampled_from(["administration", "comment", "filename"]), st.text(max_size=40), min_size=1))
def test_the_query_is_taken_as_it_is_encoded(params: dict[str, str]) -> None:
    url = with_query(BASE, urlencode(params))
    assert dict(url.params) == params
    assert str(url) == f"{BASE}?{urlencode(params)}"
    assert (url.host, url.port, url.path) == (BASE.host, BASE.port, BASE.path)
    assert BASE.query == b""
