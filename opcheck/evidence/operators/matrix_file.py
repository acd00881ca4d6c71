"""Matrices in files, as other programs write them."""

from __future__ import annotations

import gzip
import re
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from opcheck.errors import OpcheckError
from opcheck.model.operator import refuse_lost

REAL = "fiub"  # kinds of dtype: floats, integers, booleans


def is_matrix_file(reference: str) -> bool:
    """Whether a name ends as that of a matrix file does."""
    return any(reference.lower().endswith(ending) for ending in READERS)


def matrix_in(path: str | Path) -> Any:
    """The one matrix that a file holds: a dense array of shape (m, n), or a scipy sparse one.

    Raises OpcheckError where there is no such file, or it holds no real matrix, or several.
    """
    file = Path(path)
    if not file.is_file():
        raise OpcheckError(f"no file {str(path)!r}; give the path of a matrix file")
    ending = next(e for e in READERS if file.name.lower().endswith(e))
    try:
        matrix = READERS[ending](file)
    except OpcheckError:
        raise
    except Exception as error:  # whatever a reader of foreign formats may meet
        said = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise OpcheckError(
            f"{file.name} can't be read as {KINDS[ending]}: {said}; write it again, or give "
            "another format"
        ) from error
    return real_matrix(matrix, file.name)


def real_matrix(value: Any, name: str) -> Any:
    """The same with two axes of real numbers: an array, or a sparse matrix as it is.

    Raises OpcheckError for complex numbers, other entries, masked ones, whole numbers that float64
    rounds, another number of axes, and no entries.
    """
    refuse_lost(value, name)
    try:
        matrix = value if hasattr(value, "tocsr") else np.asarray(value)
    except ValueError as error:
        raise OpcheckError(f"{name} is not a matrix: {error}") from error
    kind = matrix.dtype.kind
    if kind == "c":
        raise OpcheckError(
            f"{name} holds complex numbers; an operator acts on real vectors, so give [[A, -B], "
            "[B, A]] for A + iB"
        )
    if kind not in REAL:
        raise OpcheckError(f"{name} holds {matrix.dtype} entries; a matrix holds real numbers")
    if len(matrix.shape) != 2 or 0 in matrix.shape:
        raise OpcheckError(f"{name} holds an array of shape {matrix.shape}, which is no matrix")
    _finite(matrix, name)
    return matrix


def _finite(matrix: Any, name: str) -> None:
    """Raise OpcheckError for an entry that is not finite, with its place."""
    if hasattr(matrix, "tocsr"):
        entries = matrix.tocoo()
        bad = np.flatnonzero(~np.isfinite(entries.data))
        places = [(entries.row[i], entries.col[i], entries.data[i]) for i in bad[:1]]
    else:
        places = [(i, j, matrix[i, j]) for i, j in np.argwhere(~np.isfinite(matrix))[:1]]
    for row, column, value in places:
        raise OpcheckError(
            f"{name} holds {float(value):g} in row {row + 1}, column {column + 1}; a matrix holds "
            "finite numbers"
        )


def _only(arrays: dict[str, Any], file: Path) -> Any:
    if len(arrays) != 1:
        held = f"{len(arrays)} arrays ({', '.join(arrays)})" if arrays else "no array"
        raise OpcheckError(f"{file.name} holds {held}; save the matrix alone")
    return next(iter(arrays.values()))


def _begins(file: Path, *marks: bytes) -> None:
    """Raise ValueError where a file begins as no file of its kind: numpy speaks of pickles."""
    with open(file, "rb") as content:
        head = content.read(6)
    if not head.startswith(marks):
        raise ValueError("it is empty" if not head else f"it begins with {head!r}")


def _npy(file: Path) -> Any:
    _begins(file, np.lib.format.MAGIC_PREFIX)
    try:
        return np.load(file, allow_pickle=False)
    except ValueError as error:
        if "Object arrays" in str(error):
            raise ValueError("it holds Python objects, not numbers") from error
        raise


def _npz(file: Path) -> Any:
    _begins(file, b"PK")
    with np.load(file, allow_pickle=False) as archive:
        if "indptr" not in list(archive) and "row" not in list(archive):
            return _only({name: archive[name] for name in archive}, file)
    from scipy.sparse import load_npz

    return load_npz(file)


def _market(file: Path) -> Any:
    from scipy.io import mmread

    opener = gzip.open if file.name.lower().endswith(".gz") else open
    with opener(file, "rt", encoding="utf-8", errors="replace") as lines:
        _whole_numbers((line for line in lines if not line.startswith("%")), file.name)
    return mmread(file)


def _whole_numbers(lines: Iterable[str], name: str) -> None:
    """Raise OpcheckError for one that float64 rounds; those of so many digits alone may be such."""
    for line in lines:
        for digits in re.findall(r"(?<![\d.eE])-?\d{16,}(?![\d.eE])", line):
            refuse_lost(int(digits), name)


def _text(file: Path) -> Any:
    with open(file, encoding="utf-8-sig", errors="replace") as lines:
        _whole_numbers(lines, file.name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of no data: the shape says it
            return np.loadtxt(file, delimiter=",", ndmin=2, encoding="utf-8-sig")
    except ValueError as error:
        raise OpcheckError(
            f"{file.name} is not a matrix of numbers with commas between them: {_defect(file)}"
        ) from error


def _defect(file: Path) -> str:
    """What of a text is no matrix: the first line that is not a row of numbers as the first is."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        return "it is no text in UTF-8; save it as one"
    width = 0
    for i, line in enumerate(lines, 1):
        content = line.partition("#")[0]
        if not content.strip():
            continue
        cells = content.split(",")
        for j, cell in enumerate(cells, 1):
            if not _is_number(cell):
                between = next((w for s, w in SEPARATORS.items() if s in cell.strip()), "")
                mend = f"; put commas in place of {between}" if between else ""
                mend = mend or ("; leave the heading out" if i == 1 else "; write a number")
                shown = cell.strip()[:40] or "nothing"
                return f"line {i}, entry {j} is {shown!r}{mend}"
        if width and len(cells) != width:
            return f"line {i} has {len(cells)} entries, and those before have {width}"
        width = len(cells)
    return "it holds no row"


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _matlab(file: Path) -> Any:
    from scipy.io import loadmat
    from scipy.io.matlab import matfile_version

    major, _ = matfile_version(file, appendmat=False)
    if major > 1:  # HDF5, which scipy does not read
        raise OpcheckError(f"{file.name} is a MATLAB 7.3 file; save it with save(..., '-v7')")
    return _only({n: v for n, v in loadmat(file).items() if not n.startswith("__")}, file)


SEPARATORS = {";": "semicolons", "\t": "tabs", " ": "blanks"}
KINDS = {
    ".npy": "an array of numpy",
    ".npz": "an archive of numpy",
    ".mtx": "a Matrix Market file",
    ".mtx.gz": "a Matrix Market file, gzipped",
    ".csv": "numbers with commas between them",
    ".mat": "a MATLAB file",
}
READERS: dict[str, Callable[[Path], Any]] = {
    ".npy": _npy,
    ".npz": _npz,
    ".mtx": _market,
    ".mtx.gz": _market,
    ".csv": _text,
    ".mat": _matlab,
}
