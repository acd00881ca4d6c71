"""Proofs in rationals: at each k, of a potential, and their check."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from typing import Any

import click

from opcheck.cli import options
from opcheck.cli.emit import emit, finished, json_option, progress, say, working
from opcheck.errors import OpcheckError


@click.command()
@options.theorems_or_all
@options.k_option(default="1..5")
@options.exact_parameters_option()
@options.place_option
@click.option("--ratio", default="1", show_default=True, help="Of the bound, as 99/100.")
@click.option("--over", metavar="PARAMETER", help="Of one theorem: five values along its range.")
@options.out_option(help="Write one file a certificate.")
@click.option(
    "--rocq", metavar="FILE.v", type=click.Path(), help="Of one theorem at one k: for Rocq."
)
@click.option("--check", is_flag=True, help="With --rocq: also have coqc compile it.")
@json_option
def certify(
    names: list[str],
    ks: list[int],
    parameters: options.Values,
    place: Any,
    ratio: str,
    over: str | None,
    out: str | None,
    rocq: str | None,
    check: bool,
) -> None:
    """Prove bounds at each k, for every operator and dimension, in exact rationals.

    A certificate is for one choice of constants and parameters; it names them.

    Exit code 1 if one is not certified at the multiple of its bound that was asked for, or, of
    theorems asked for by name, is refused; with --rocq if it has no form in Rocq, and 3 if Rocq
    refuses what was written.
    """
    from opcheck.evidence.certificates.certificate import attempts, certify_over
    from opcheck.processes import over_processes
    from opcheck.report import terminal

    if rocq is not None and (len(names) != 1 or len(ks) != 1 or over is not None):
        raise OpcheckError("--rocq writes the certificate of one theorem at one k; give -k 3, say")
    if check and rocq is None:
        raise OpcheckError("--check is of what --rocq writes; say where: --rocq FILE.v")
    tried: list[Any] = []  # attempts, or points of a range
    values = options.symbols(certify_over, parameters)
    if over is not None:
        if len(names) != 1 or place != "middle":
            raise OpcheckError("--over takes one theorem, and no --place: it goes along the range")
        with progress("certify", len(ks)) as step:
            tried, interrupted = finished(
                lambda: over_processes(
                    lambda k: certify_over(names[0], over, int(k), ratio=ratio, **values),
                    [str(k) for k in ks],
                    1,
                    lambda k: step(f"{names[0]} k = {k}"),
                )
            )
        tried = [each for part in tried for each in part]
        show = partial(terminal.show_points, over, tried)
    else:
        with progress("certify", len(names)) as step:
            tried, interrupted = finished(
                lambda: over_processes(
                    lambda name: attempts(name, ks, values, place=place, ratio=ratio),
                    names,
                    1,
                    step,
                )
            )
        tried = [each for part in tried for each in part]
        if all(a.kind == "refused" for a in tried) and len(names) == 1:
            raise OpcheckError(tried[0].reason)
        show = partial(terminal.show_attempts, tried)
    paths = [each.write_certificate(out) for each in tried if out and each.certificate]
    emit(
        tried,
        partial(_with_paths, show, paths),
        interrupted="interrupted: what was finished is shown" * interrupted,
        code=_code(tried, Fraction(ratio)),
    )
    if rocq is not None and tried and tried[0].certificate:
        _for_rocq(tried[0].certificate, rocq, check=check)


def _for_rocq(certificate: Any, path: str, *, check: bool) -> None:
    """Write a certificate as a development of Rocq, and say what came of it."""
    from opcheck.rocq.files import write_certificate

    written = write_certificate(certificate.document, path, check=check)
    say(str(written))
    if written.refused:
        say(f"internal error, please report it: certified, and Rocq refuses {written.path}")
        click.get_current_context().exit(3)
    if not written.ok:
        click.get_current_context().exit(1)


def _code(tried: Sequence[Any], ratio: Fraction) -> int:
    """1 where something that was asked for is not shown, 2 where all of it is refused."""
    refused = sum(each.kind == "refused" for each in tried)
    if tried and refused == len(tried):
        return 2
    by_name = not click.get_current_context().params["everything"]
    short = [e for e in tried if e.kind != "refused" and not _shows(e.certificate, ratio)]
    return int(bool(short) or (by_name and refused > 0))


def _shows(certificate: Any, ratio: Fraction) -> bool:
    return certificate is not None and certificate.ratio <= ratio


def _with_paths(show: Any, paths: Sequence[Any], console: Any) -> None:
    show(console)
    for path in paths:
        click.echo(path)


@click.command()
@click.argument("method", shell_complete=options.names_of("methods"))
@click.option(
    "--given",
    multiple=True,
    required=True,
    metavar="PROPERTY",
    help="As 'Lipschitz(1) of F'; again for each.",
)
@options.exact_parameters_option(help="As gamma=1/4; one may be a range, gamma=1/8..1/4.")
@click.option(
    "--theta", default="smallest", show_default=True, help="The rate, as 7/8 or 1; or smallest."
)
@click.option(
    "--above",
    type=click.Choice(["distance", "residual"]),
    default="distance",
    show_default=True,
    help="What V bounds.",
)
@click.option("--vector", "vectors", multiple=True, help="Of V: z, 'F z', a row; default all.")
@click.option("--steps", default=1, show_default=True, help="Taken together, as Lookahead's τ.")
@click.option(
    "--history",
    default=0,
    show_default=True,
    help="Earlier states of which V may be made too, with the values that the steps met.",
)
@click.option("--constrained", is_flag=True, help="A is any maximally monotone operator, not 0.")
@options.out_option(help="Write both certificates.")
@json_option
def lyapunov(method: str, parameters: options.Values, out: str | None, **wishes: Any) -> None:
    """Search for a potential of METHOD on a class: V at k + 1 ≤ θ V at k, proved in rationals.

    One parameter may be a range, as -p gamma=1/8..1/4: then the rate is proved for every value in
    it, and --out writes a file for prove.

    Exit code 1 if there is none of this shape, or none that rounds.
    """
    from opcheck.evidence.certificates.certificate import NotCertified
    from opcheck.evidence.discover.over_range import OverRange
    from opcheck.evidence.lyapunov import lyapunov as search
    from opcheck.report import terminal

    values = options.symbols(search, parameters)
    try:
        with working(f"lyapunov {method}"):
            potential = search(method, **wishes, **values)
    except NotCertified as reason:
        nothing = {"method": method, "potential": None, "reason": str(reason)}
        emit(nothing, [str(reason)], code=1)
        return
    paths = potential.write_certificates(out) if out else []
    show = (
        partial(terminal.show_over_range, potential)
        if isinstance(potential, OverRange)
        else partial(terminal.show_potential, potential)
    )
    emit(potential, partial(_with_paths, show, paths))


@click.command()
@click.argument("file", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.option("--plugin", multiple=True, metavar="FILE.py", help="Where a theorem of yours stands.")
@click.option("--numbers-only", is_flag=True, help="Content where words can't be checked.")
@json_option
def recheck(file: tuple[str, ...], plugin: tuple[str, ...], numbers_only: bool) -> None:
    """Check certificates exactly, without a solver: their numbers, and that their words fit them.

    A development of Rocq, ending in .v, is compiled by coqc instead.

    Words are checked against the theorem and the method known here, and against the texts in the
    file. Exit code 1 if one is rejected, or if its theorem is not known here (then only its numbers
    are checked). ``python recheck.py FILE`` does without opcheck what the file alone allows.
    """
    from opcheck import registry
    from opcheck.evidence.certificates.certificate import NotCertified, recheck_file

    registry.load()
    for path in plugin:
        registry.load_file(path)
    rows: list[dict[str, Any]] = []
    lines = []
    for path in file:
        if path.endswith(".v"):
            from opcheck.rocq.files import recheck_development

            development = recheck_development(path)
            rows.append({"file": path, "valid": development.ok, **development.as_dict()})
            lines.append(str(development))
            continue
        try:
            checked = recheck_file(path)
        except NotCertified as rejected:
            rows.append({"file": path, "valid": False, "proved": str(rejected), "run": ""})
            lines.append(str(rejected))
        else:
            valid = numbers_only or not checked.numbers_only
            rows.append({"file": path, "valid": valid, **checked.as_dict()})
            lines.append(str(checked))
    emit(rows, lines, code=int(not all(row["valid"] for row in rows)))
