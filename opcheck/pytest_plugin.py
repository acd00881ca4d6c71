"""``pytest --opcheck``: what a repository registers is checked, confronted and proved as tests.

pytest loads this file in every run of every repository in whose environment opcheck is, so nothing
is imported here but pytest, and nothing is done without ``--opcheck``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from opcheck.testing import Item as Check

KEYS = ("plugins", "all")


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("opcheck", "convergence statements")
    group.addoption(
        "--opcheck",
        action="store_true",
        help="also check what the files and modules of [tool.opcheck] plugins register",
    )
    group.addoption(
        "--opcheck-all",
        action="store_true",
        help="the same, with each theorem on every problem of the library",
    )


def pytest_configure(config: pytest.Config) -> None:
    """The marker, for ``-m opcheck``."""
    config.addinivalue_line("markers", "opcheck: collected by pytest --opcheck")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the items before -k and -m choose among all."""
    everything = config.getoption("--opcheck-all")
    if not (everything or config.getoption("--opcheck")):
        return
    table = _table(config)
    group = Statements.from_parent(session, name="opcheck", nodeid="opcheck")
    group.plugins = [_resolved(config.rootpath, name) for name in table["plugins"]]
    group.everything = bool(everything or table.get("all", False))
    items.extend(group.collect())


def _table(config: pytest.Config) -> dict[str, Any]:
    """``[tool.opcheck]`` of the pyproject.toml at the root. Raises UsageError for a bad one."""
    import tomllib

    path = config.rootpath / "pyproject.toml"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("opcheck", {})
    except OSError:
        table = {}
    except tomllib.TOMLDecodeError as error:
        raise pytest.UsageError(f"{path} is no TOML: {error}") from None
    if unknown := set(table) - set(KEYS):
        raise pytest.UsageError(
            f"[tool.opcheck] in {path} has no key {min(unknown)!r}; it has {' and '.join(KEYS)}"
        )
    plugins = table.get("plugins", [])
    if not isinstance(plugins, list) or not plugins or any(type(p) is not str for p in plugins):
        raise pytest.UsageError(
            f"--opcheck needs to know what to check: write [tool.opcheck] in {path} with "
            'plugins = ["my_file.py", "my_package"]'
        )
    return dict(table)


def _resolved(root: Path, name: str) -> str:
    """A file as seen from the root; a module as it is."""
    return str(root / name) if name.endswith(".py") or "/" in name else name


class Statements(pytest.Collector):
    """All that a repository registers."""

    plugins: list[str]
    everything: bool

    def collect(self) -> Iterator[pytest.Item]:
        """An item for each declaration, each theorem on each problem, and each proof.

        Raises UsageError, with opcheck's sentence, where something fails to load.
        """
        from opcheck import registry
        from opcheck.errors import OpcheckError
        from opcheck.testing.collected import checks_of, confrontations

        seen: set[str] = set()
        try:
            checks = [check for name in self.plugins for check in checks_of(name)]
            entries = [e for name in self.plugins for e in registry.entries_of(name)]
            checks += confrontations(entries, everything=self.everything)
        except OpcheckError as error:
            raise pytest.UsageError(str(error)) from None
        for check in checks:
            if check.name not in seen:
                seen.add(check.name)
                item = Statement.from_parent(self, name=check.name)
                item.check = check
                item.add_marker("opcheck")
                yield item


class Statement(pytest.Item):
    """One of them. A failure is one line."""

    check: Check

    def runtest(self) -> None:
        """Raises CheckFailed."""
        self.check()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """What failed, in the sentence of the check; a traceback only of a fault of opcheck's."""
        if isinstance(excinfo.value, AssertionError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it was declared."""
        file, _, line = self.check.place.rpartition(":")
        return (Path(file), int(line) - 1, self.name) if file else (self.path, None, self.name)


@pytest.fixture
def opcheck_registry() -> Iterator[None]:
    """What a test registers, or loads from files, is forgotten after it."""
    from opcheck import registry

    with registry.forgetting():
        yield
