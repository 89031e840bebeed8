"""Time as a product of its terms, of every launcher of which all are known."""

from __future__ import annotations

from collections.abc import Iterator

from profiler.analyze.numbers import RatioText
from profiler.catalogue.metrics import title
from profiler.model import Decomposition, Noun, Term, Verdict
from profiler.present.forest import is_estimated, ratio_of, term_name, term_ratio, time_split
from profiler.present.whom import against_baseline, subjects

_COUNTED = "instructions"
_LARGEST = 0.5


class ProductTerm(Noun, frozen=True, kw_only=True):
    """One term of a product, or the product itself."""

    name: str
    ratio: RatioText
    how: str
    """``counted``, ``estimated, holds 1``."""
    main: bool
    """Most of the product's logarithm is its."""


class Product(Noun, frozen=True, kw_only=True):
    """``whole`` = the first factor × the second × …"""

    launcher: str
    whole: ProductTerm
    factors: tuple[ProductTerm, ...]
    note: str


def products(verdict: Verdict) -> tuple[Product, ...]:
    """In the order of the launchers; without those of which a term is unknown."""
    return tuple(_products(verdict))


def _products(verdict: Verdict) -> Iterator[Product]:
    for name in subjects(verdict):
        split = time_split(verdict, name)
        whole = None if split is None else against_baseline(verdict, name).get(split.of)
        if split is None or whole is None:
            continue
        yield Product(
            launcher=name,
            whole=ProductTerm(name=title(split.of), ratio=ratio_of(whole), how="measured", main=False),
            factors=tuple(_factor(verdict, split, term) for term in split.terms),
            note=split.reason or "",
        )


def _factor(verdict: Verdict, split: Decomposition, term: Term) -> ProductTerm:
    how = "counted" if term.term == _COUNTED else "estimated" if is_estimated(verdict, split, term.term) else "measured"
    holds = term.lo is not None and term.hi is not None and term.lo <= 1 <= term.hi
    return ProductTerm(
        name=term_name(term.term),
        ratio=term_ratio(verdict, split, term),
        how=f"{how}, holds 1" if holds else how,
        main=not holds and (term.share or 0.0) >= _LARGEST,
    )
