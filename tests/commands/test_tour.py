"""docs/tour.ipynb: it runs from the top, and is kept without outputs."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "tour.ipynb"


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook after all its cells, in a folder of its own, by this interpreter."""
    import nbformat
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient

    class Here(AsyncKernelManager):
        kernel_spec = KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            language="python",
        )

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=300,
        kernel_manager_class=Here,
        resources={"metadata": {"path": str(tmp_path_factory.mktemp("tour"))}},
    )
    return client.execute()


def outputs(notebook: Any) -> list[dict[str, Any]]:
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def test_it_is_kept_without_outputs() -> None:
    import nbformat

    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.ci
@pytest.mark.filterwarnings("default")  # of the client's event loop and sockets
def test_it_runs_and_shows_pictures_tables_and_mathematics(executed: Any) -> None:
    shown = [output["data"] for output in outputs(executed) if "data" in output]
    pictures = [data["image/png"] for data in shown if "image/png" in data]
    assert len(pictures) == 2
    assert all(base64.b64decode(p).startswith(b"\x89PNG") for p in pictures)
    assert any("<table>" in data.get("text/html", "") for data in shown)
    assert any(r"\Vert F\,z_{k}\Vert^2 \le" in data.get("text/latex", "") for data in shown)
    printed = "".join(o["text"] for o in outputs(executed) if o.get("name") == "stdout")
    assert "every k; A = 0" in printed
    assert "proved: gorbunov2022_eg_last, k = 3" in printed


@pytest.mark.ci
def test_nothing_is_said_on_standard_error(executed: Any) -> None:
    assert [o["text"] for o in outputs(executed) if o.get("name") == "stderr"] == []
