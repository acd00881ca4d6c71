"""Forms as sums of squares in short numbers: the sum is the form, exactly, or there is none."""

from __future__ import annotations

import itertools

import pytest
from flint import fmpq
from hypothesis import given
from hypothesis import strategies as st

from opcheck.rocq.squares import Form, Squares, by_elimination, by_rounding, squares_of

entries = st.integers(-5, 5)


def added_up(squares: Squares) -> Form:
    total: dict[tuple[int, int], fmpq] = {}
    for weight, row in squares:
        assert weight >= 0
        for (i, a), (j, b) in itertools.product(row.items(), repeat=2):
            total[i, j] = total.get((i, j), fmpq(0)) + weight * a * b
    return {key: c for key, c in total.items() if c}


def gram(rows: list[list[int]], ridge: fmpq) -> Form:
    """Σ rowᵀ row + ridge I."""
    size = range(len(rows[0]))
    whole = {
        (i, j): fmpq(sum(r[i] * r[j] for r in rows)) + (ridge if i == j else 0)
        for i, j in itertools.product(size, repeat=2)
    }
    return {key: c for key, c in whole.items() if c}


@given(st.lists(st.lists(entries, min_size=4, max_size=4), min_size=1, max_size=5))
def test_the_squares_add_up_to_the_form(rows: list[list[int]]) -> None:
    for ridge in (fmpq(0), fmpq(1, 97), fmpq(10**9)):
        form = gram(rows, ridge)
        for squares in (squares_of(form), by_elimination(form), by_rounding(form)):
            if squares is not None:
                assert added_up(squares) == form
        assert squares_of(form) is not None
        if ridge > 1:
            assert by_rounding(form) is not None


@given(st.lists(st.lists(entries, min_size=3, max_size=3), min_size=1, max_size=4))
def test_what_is_negative_somewhere_is_no_sum_of_squares(rows: list[list[int]]) -> None:
    form = dict(gram(rows, fmpq(0)))
    least = form.get((0, 0), fmpq(0))
    form[0, 0] = -least - 1
    assert squares_of(form) is None


def test_a_form_on_the_boundary_is_eliminated_exactly() -> None:
    form = gram([[1, -3, 2]], fmpq(0))
    assert by_rounding(form) is None
    assert squares_of(form) == [(fmpq(1), {0: fmpq(1), 1: fmpq(-3), 2: fmpq(2)})]


def test_the_rounded_factor_is_shorter_where_there_is_room() -> None:
    size = 12
    form = {
        (i, j): fmpq(1, 2 * (i + j) + 3) + (fmpq(1, 7) if i == j else 0)
        for i, j in itertools.product(range(size), repeat=2)
    }
    rounded, exact = by_rounding(form), by_elimination(form)
    assert rounded is not None
    assert exact is not None

    def longest(squares: Squares) -> int:
        return max(len(str(v)) for _, row in squares for v in row.values())

    assert longest(rounded) < 12 < 60 < longest(exact)
    assert squares_of(form) == rounded


@pytest.mark.parametrize("form", [{}, {(0, 0): fmpq(3)}])
def test_small_forms(form: Form) -> None:
    squares = squares_of(form)
    assert squares is not None
    assert added_up(squares) == form
