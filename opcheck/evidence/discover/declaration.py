"""A statement and its proof as the texts that declare them."""

from __future__ import annotations

from collections.abc import Mapping

from opcheck.model.proof import Proof
from opcheck.model.property import Property
from opcheck.model.theorem import Theorem

INDENT = "    "


def block(proof: Proof) -> str:
    """``proof=Proof(...),`` as it stands in a declaration."""
    lines = ["proof=Proof("]
    if proof.potential:
        lines.append(f"{INDENT}potential={quoted(proof.potential)},")
        if proof.at_most != "R**2":
            lines.append(f"{INDENT}at_most={quoted(proof.at_most)},")
        if proof.begin:
            lines.append(f"{INDENT}begin={proof.begin},")
    for name in ("start", "step", "end"):
        part: Mapping[str, str] = getattr(proof, name)
        if part:
            lines.append(f"{INDENT}{name}={{")
            lines += [f"{2 * INDENT}{quoted(i)}: {quoted(m)}," for i, m in part.items()]
            lines.append(f"{INDENT}}},")
    if list(proof.cases) != [{}]:
        lines.append(f"{INDENT}cases={[dict(case) for case in proof.cases]!r},".replace("'", '"'))
    return "\n".join([*lines, "),"])


def file_of(theorem: Theorem) -> str:
    """A file that declares the statement with its proof."""
    assert theorem.proof is not None
    kinds = sorted({p.kind.name for p in theorem.asked})
    fields = [
        f"method={quoted(theorem.method)},",
        f"given=[{', '.join(map(_property, theorem.given))}],",
    ]
    if theorem.technical:
        fields.append(f"technical=[{', '.join(map(_property, theorem.technical))}],")
    for name in ("where", "measure", "bound"):
        if getattr(theorem, name):
            fields.append(f"{name}={quoted(getattr(theorem, name))},")
    if theorem.let:
        items = ", ".join(f"{quoted(n)}: {quoted(v)}" for n, v in theorem.let.items())
        fields.append(f"let={{{items}}},")
    if theorem.claim != "upper bound":
        fields.append(f"claim={quoted(theorem.claim)},")
    if theorem.first:
        fields.append(f"first={theorem.first},")
    if theorem.free:
        fields.append(f"free=[{', '.join(map(quoted, theorem.free))}],")
    if theorem.constrained:
        said = True if theorem.constrained is True else quoted(theorem.constrained)
        fields.append(f"constrained={said},")
    fields.append('source=Source("opcheck", derived=True),')
    fields += block(theorem.proof).splitlines()
    return "\n".join(
        [
            '"""Written by opcheck; opcheck prove FILE checks it."""',
            "",
            f"from opcheck import {', '.join([*kinds, 'Proof', 'Source', 'theorem'])}",
            "",
            "theorem(",
            f"{INDENT}{quoted(theorem.name + '_found')},",
            *(INDENT + line for line in fields),
            ")",
            "",
        ]
    )


def quoted(text: str) -> str:
    """A Python literal in double quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _property(prop: Property) -> str:
    constant = ""
    if prop.kind.better is not None:
        number = prop.number
        if prop.symbol is not None:
            constant = quoted(prop.symbol) + ", "
        elif number is not None:
            constant = quoted(str(number)) + ", "
    return f"{prop.kind.name}({constant}of={quoted(prop.of)})"
