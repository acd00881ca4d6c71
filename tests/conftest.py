"""What several files of tests share."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator

import pytest

# Two workers on two cores: the threads of each one's linear algebra wait for each other, and what
# they wait is five times what they compute. Read where numpy is imported, so before opcheck.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from opcheck import errors, registry


@pytest.hookimpl(tryfirst=True)  # before -m deselects by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of a sampled test one instance in n stays; the same in every run and on every machine."""
    for item in items:
        sampled = item.get_closest_marker("sampled")
        if sampled and zlib.crc32(item.name.encode()) % sampled.args[0]:
            item.add_marker("ci")


@pytest.fixture
def own_registry() -> Iterator[None]:
    """What a test registers is forgotten after it."""
    with registry.forgetting():
        yield


@pytest.fixture(autouse=True)
def _nothing_said() -> None:
    """What is said once a process is said once a test."""
    errors._said.clear()
