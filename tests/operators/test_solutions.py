"""Where a run begins when a problem says nothing: not at a solution."""

from __future__ import annotations

import numpy as np
import pytest

from opcheck import linear, subject

TURN = np.array([[0.5, 2.0], [-1.0, 0.25]])  # not symmetric


@pytest.mark.parametrize("matrix", [np.eye(2), TURN])
def test_a_start_that_is_a_solution_is_moved(matrix: np.ndarray) -> None:
    """Of Mz + q, whose residual there is known without running anything; ones would be taken."""
    solved = subject(linear(matrix, list(-matrix @ np.ones(2))))
    assert not np.array_equal(solved.start, np.ones(2))
    assert np.linalg.norm(solved.operator(solved.start)) > 0.1


@pytest.mark.parametrize("matrix", [np.eye(2), TURN])
def test_any_other_start_is_taken(matrix: np.ndarray) -> None:
    """Also where M'z + q or Mz would vanish at ones."""
    for offset in (-matrix.T @ np.ones(2) + [0.0, 1.0], np.ones(2)):
        assert np.array_equal(subject(linear(matrix, list(offset))).start, np.ones(2))
