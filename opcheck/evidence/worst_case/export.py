"""The worst operator that an attack reached, as a file that declares it as a problem.

The file stands alone: the numbers that were run, the texts of the kernels that ran them, and the
hypotheses as facts; ``exact`` where they hold in rationals of these numbers, ``estimated`` where
they hold to rounding. What the search met to rounding alone is moved into the class where it can.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from opcheck.engine.kernel_text import source
from opcheck.errors import OpcheckError
from opcheck.evidence.worst_case.confirm import Witness, into_class
from opcheck.evidence.worst_case.operators_to_attack import RIDGES, Part, piecewise

Floats = NDArray[np.float64]
BESIDE = 1e-6  # of the way to a middle of the class, at most: the ratio stays what it was


def problem_file(witness: Witness, ratio: float, *, name: str = "worst.py") -> str:
    """Python that declares what was run, as the one problem of a file.

    Args:
        witness: what was run, with its setting.
        ratio: measured/bound of it, for the words.
        name: of the file, for the command in its words.

    Raises OpcheckError where a kernel has no text.
    """
    placed = into_class(witness, most=BESIDE)
    shown, how = placed or (witness, "")
    setting, theorem = witness.setting, witness.setting.theorem
    facts = [
        f"{'exact' if placed else 'estimated'}({p.kind.name}({_arguments(p, setting.constants)})),"
        for p in theorem.asked
    ]
    kinds = sorted({p.kind.name for p in theorem.asked} | {"exact" if placed else "estimated"})
    resolvent = _resolvent(shown) if shown.resolvent.data.size else []
    choice = " ".join(f"-p {n}={v}" for n, v in setting.parameters.items())
    compiled = "operator" if shown.folded or shown.operator.kernel is piecewise else "linear"
    names = [*kinds, "Problem", *(["Resolvent"] if resolvent else []), compiled]
    lines = [
        f'"""Where {theorem.name} is tightest, as far as a search saw.',
        "",
        f"measured/bound = {ratio:.6g} at k = {witness.k}"
        + (f" with {_list(setting.constants)}." if setting.constants else "."),
        f"The hypotheses hold {'in rationals of' if placed else 'to rounding for'} these numbers"
        + (f", {how}." if how else "."),
        "",
        f"    opcheck verify {theorem.name} --problem {name} {choice}".rstrip(),
        '"""',
        "",
        "import numpy as np",
        "",
        f"from opcheck import {', '.join(sorted(names))}",
        "",
        *_operator(shown),
        *resolvent,
        "worst = Problem(",
        "    F,",
        *(["    J,"] if resolvent else []),
        f'    name="worst_of_{theorem.name}",',
        f"    start={_row(shown.start)},",
        f"    solution={_row(np.zeros(len(shown.start)))},",
        "    facts=[",
        *(f"        {fact}" for fact in facts),
        "    ],",
        ")",
    ]
    return "\n".join(lines) + "\n"


def write_problem(witness: Witness, ratio: float, path: str | Path) -> None:
    """Write ``problem_file``.

    Raises OpcheckError for a name without .py, or where the file can't be written.
    """
    target = target_of(path)
    text = problem_file(witness, ratio, name=target.name)
    try:
        target.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise OpcheckError(f"{target} can't be written: {error.strerror}") from error


def target_of(path: str | Path) -> Path:
    """A path to write to. Raises OpcheckError for a name without .py, or a folder that is none."""
    target = Path(path)
    if target.suffix != ".py":
        raise OpcheckError(f"{target} holds Python; give it a name with .py")
    if not target.parent.is_dir():
        raise OpcheckError(f"{target} can't be written: {target.parent} is no folder")
    return target


def _arguments(prop: Any, constants: Any) -> str:
    value = prop.number if prop.symbol is None else constants[prop.symbol]
    number = [f'"{value}"'] if prop.kind.symbol and value is not None else []
    return ", ".join([*number, f'of="{prop.of}"'])


def _list(values: Any) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items())


def _row(values: Floats) -> str:
    return "[" + ", ".join(repr(v) for v in (np.asarray(values) + 0.0).tolist()) + "]"


def _parts(parts: Sequence[tuple[str, Floats]]) -> list[str]:
    """Named numbers, matrices row by row."""
    lines = []
    for name, numbers in parts:
        if numbers.ndim == 1:
            lines.append(f"{name} = {_row(numbers)}")
            continue
        lines += [f"{name} = [", *(f"    {_row(row)}," for row in numbers), "]"]
    return lines


def _kernel(function: Callable[..., Any], name: str) -> list[str]:
    """The text of a kernel, under a name of the file."""
    text = source(function)
    if not text:
        raise OpcheckError(f"the kernel {function.__name__} has no text that could be written")
    head, _, body = text.partition("\n")
    head = head.split("  #")[0].replace(f"def {function.__name__}(", f"def {name}(")
    return ["", "", head, *body.splitlines(), "", ""]


def _operator(witness: Witness) -> list[str]:
    """F: its numbers by their names, its kernel, and the two together."""
    data, d = witness.operator.data, len(witness.start)
    kernel = witness.operator.kernel
    parts = [("M", data[: d * d].reshape(d, d)), ("q", data[d * d : d * d + d])]
    if kernel is piecewise:
        said = "F(z) = Mz + q + Σ u clip(⟨w, z⟩ − c, 0, h), the sum over ridges"
        parts += [(f"ridge_{r + 1}", data[6 + 6 * r : 12 + 6 * r]) for r in range(RIDGES)]
    elif witness.folded:
        said = "F(z) = Mz + q + u max(⟨w, z⟩ − 1, 0)"
        parts += [("u", data[d * d + d : d * d + 2 * d]), ("w", data[d * d + 2 * d :])]
    else:
        return ["# F(z) = Mz + q", *_parts(parts), "F = linear(M, q)", ""]
    names = ", ".join(f"*{name}" for name, _ in parts[1:])
    return [
        f"# {said}",
        *_parts(parts),
        *_kernel(kernel, "kernel"),
        f"F = operator(kernel, {d}, [*np.ravel(M), {names}])",
        "",
    ]


def _resolvent(witness: Witness) -> list[str]:
    """J of A, its numbers by their names, and g where A = ∂g is what the statement asks for."""
    J, part, d = witness.resolvent, witness.part, len(witness.start)
    potential = witness.setting.theorem.A == "subdifferential"
    if part is None:
        said = "A has the points (s + Ts)/2 with the values (s − Ts)/2 − offset"
        numbers = [("T", J.data[: d * d].reshape(d, d)), ("offset", J.data[d * d :])]
        data = "np.array([*np.ravel(T), *offset])"
        more = _QUADRATIC if potential else []
    else:
        said = f"A = {part}"
        numbers, data = [("weights", J.data)], "np.array(weights)"
        more = _convex(part) if potential else []
    potential_of = f", {more[0]}" if more else ""
    return [
        f"# {said}",
        *_parts(numbers),
        *_kernel(J.kernel, "resolvent"),
        *more[1:],
        f'J = Resolvent(resolvent, {data}, {J.dim}, "A"{potential_of})',
        "",
    ]


def _convex(part: Part) -> list[str]:
    """How a Resolvent takes the set or g of A = aI + B, then the text of that function."""
    inside = [
        "True",
        "not z.any()",
        "z[0] == 0",
        f"z[0] <= {part.level!r}",
        f"z.max() <= {part.level!r}",
        "True",
    ][part.part]
    if part.a == 0 and part.part in (1, 2, 3, 4):
        return ["contains=contains", "def contains(z):", f"    return bool({inside})", "", ""]
    terms = [f"{part.a / 2!r} * (z @ z)"] if part.a else []
    terms += [f"{part.level!r} * abs(z[0])"] if part.part == 5 else []
    value = f"{' + '.join(terms)} if {inside} else np.inf"
    return ["value=value", "def value(z):", f"    return float({value})", "", ""]


# of a symmetric T with T e = t e: on e the slope of A is (1 − t)/(1 + t), and where t = −1 its
# only point is 0
_QUADRATIC = """value=value
def value(z):
    t, basis = np.linalg.eigh(np.array(T))
    along = basis.T @ z
    flat = t <= -1 + 1e-12
    if np.abs(along[flat]).max(initial=0.0) > 1e-9:
        return np.inf
    slopes = (1 - t[~flat]) / (1 + t[~flat])
    return float(slopes @ along[~flat] ** 2 / 2 - np.array(offset) @ z)


""".splitlines()
