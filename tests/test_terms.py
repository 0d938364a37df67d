"""A hundred terms of the corpus: each is found, and the first hit holds it."""

from __future__ import annotations

from pathlib import Path

import pytest

from vectorstore.index import Index
from vectorstore.normalize import normalize

_TERMS = (Path(__file__).parent / "data" / "terms.txt").read_text(encoding="utf-8").split("\n")
_TERMS = [term for term in _TERMS if term and not term.startswith("#")]


def test_list_holds_a_hundred_different_terms_of_all_lengths() -> None:
    assert len(_TERMS) == len(set(_TERMS)) == 100
    assert {1, 2, 3, 4, 5, 6} <= {len(term) for term in _TERMS}


@pytest.mark.parametrize("term", _TERMS)
def test_term_is_found_and_the_first_hit_holds_it(seed_index: Index, term: str) -> None:
    hits = seed_index.search(term, 5)
    assert hits, f"{term} finds nothing"
    assert normalize(term) in normalize(hits[0].sentence.plain)
    assert hits[0].lexical > 0
    assert seed_index.holds(term) > 0
