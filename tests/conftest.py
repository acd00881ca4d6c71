"""What several files of tests share."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator

import pytest

# Two workers on two cores: the threads of each one's linear algebra wait for each other, and what
# they wait is five times what they compute. Read where numpy is imported, so before opcheck.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from opcheck import errors, registry


@pytest.hookimpl(tryfirst=True)  # before -m deselects by marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of a sampled test one instance in n stays; the same in every run and on every machine.

    An instance that -k names, as by what somebody has just added, stays as well.
    """
    asked = set(re.findall(r"\w+", config.option.keyword)) - {"and", "or", "not"}
    for item in items:
        sampled, instance = item.get_closest_marker("sampled"), item.name.partition("[")[2]
        if (
            sampled
            and zlib.crc32(item.name.encode()) % sampled.args[0]
            and not any(word in instance for word in asked)
        ):
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
