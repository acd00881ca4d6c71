"""Foreign code that loops, is slow, or cannot carry other numbers; and what Ctrl-C leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from opcheck import registry
from opcheck.cli import main
from opcheck.engine import guard as guards
from opcheck.engine import run as running
from opcheck.engine.budget import allotted, budget, share
from opcheck.engine.run import run, run_batch
from opcheck.errors import OpcheckError
from opcheck.evidence import check as checks
from opcheck.evidence.check import check, checking
from opcheck.evidence.operators import effort
from opcheck.evidence.operators.constants import KINDS, constants
from opcheck.evidence.operators.effort import Effort
from opcheck.evidence.operators.few_calls import of_few_calls
from opcheck.evidence.operators.search import Graph
from opcheck.evidence.operators.subject import subject
from opcheck.evidence.simulation import verify as verifying
from opcheck.evidence.simulation.verify import verify
from opcheck.evidence.worst_case import conic
from opcheck.evidence.worst_case.attack import attack
from opcheck.evidence.worst_case.worst_case import worst
from opcheck.model.method import resolve
from opcheck.model.operator import linear, operator
from opcheck.model.problem import Problem, problem
from opcheck.watchdog import Interrupted, TooLong, apart, limit, limited

pytestmark = pytest.mark.usefixtures("own_registry")

ROTATION = np.array([[0.5, 1.0], [-1.0, 0.5]])


def cli(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def written(folder: Path, text: str) -> Path:
    (folder / "mine.py").write_text(text)
    return folder / "mine.py"


# ---- code that does not come back ----------------------------------------------------------------

LOOPS = {
    "F": "def F(z, out, data):\n    while True:\n        pass\n",
    "a function of z": "def F(z):\n    while True:\n        pass\n",
    "F that catches": (
        "def F(z, out, data):\n    while True:\n        try:\n            x = 1\n"
        "        except Exception:\n            pass\n"
    ),
    "F that sleeps": "import time\ndef F(z):\n    time.sleep(1e6)\n    return z\n",
    "the file": "while True:\n    pass\n",
    "a family": (
        "import opcheck\n@opcheck.problem_family('looping')\ndef looping(a=1.0):\n"
        "    while True:\n        pass\n"
    ),
}


@pytest.mark.parametrize("text", LOOPS.values(), ids=LOOPS.keys())
@pytest.mark.filterwarnings("ignore:operator")
def test_a_loop_without_end_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """B4: in F, at import, in a family; whatever dimension it is tried in, and however it waits."""
    monkeypatch.setenv("OPCHECK_LIMIT", "0.2")
    done = cli("check", written(tmp_path, text))
    assert done.exit_code == 2, done.output
    sentences = [line for line in done.output.splitlines() if "runs interpreted" not in line]
    assert len(sentences) == 1
    assert "did not come back within 0.2 s" in sentences[0]
    assert "OPCHECK_LIMIT=" in sentences[0]


def test_a_method_and_a_measure_that_loop_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """B4."""
    monkeypatch.setenv("OPCHECK_LIMIT", "0.2")
    path = written(
        tmp_path,
        "import opcheck\n"
        "@opcheck.method('endless', params='', rows='z', calls=1, constrained=False, source='x')\n"
        "def endless(F, F_data, J, J_data, state, params, k, n):\n    while True:\n        pass\n"
        "@opcheck.measure('endless_too')\n"
        "def endless_too(F, F_data, J, J_data, state, params, k):\n    while True:\n        pass\n",
    )
    registry.load_file(path)
    with pytest.raises(TooLong, match="the method 'endless' did not come back"):
        run("endless", "bilinear", 3)
    with pytest.raises(TooLong, match="the measure 'endless_too' did not come back"):
        run("extragradient", "bilinear", 3, gamma=0.5, measures=["endless_too"])


FAR = """
import opcheck


def F(z, out, data):
    turns = 0
    while z[0] > 300:  # nobody looks so far out before the run goes there
        turns += 1
        if turns < 0:
            break
    out[0] = -z[0] / 100 + 0 * turns
    out[1] = z[1]


@opcheck.problem_family("mine", start=(1.0, 1.0), solution=(0.0, 0.0))  # none is sought
def mine():
    return opcheck.operator(F, 2)
"""


def python(folder: Path, *words: str, limit: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", "from opcheck.cli import main; main()", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, **({"OPCHECK_LIMIT": limit} if limit else {})},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX sends them")
def test_a_compiled_loop_without_end_is_left(tmp_path: Path) -> None:
    """B4: in compiled code, where no exception can be raised; by time, and by Ctrl-C."""
    written(tmp_path, FAR)
    words = ["run", "gradient_descent_ascent", "mine.py", "-p", "gamma=1", "-n", "2000"]
    done = python(tmp_path, *words, limit="1")
    _, said = done.communicate(timeout=60)
    assert done.returncode == 2, said
    assert "the operator of 'mine' did not come back within 1 s" in said
    done = python(tmp_path, *words, limit="1000")
    time.sleep(20)
    done.send_signal(signal.SIGINT)
    shown, said = done.communicate(timeout=20)
    assert (done.returncode, said.splitlines()[-1]) == (130, "opcheck: interrupted"), said
    assert "interrupted after k = " in shown


def test_the_limit_is_read_and_can_be_lifted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPCHECK_LIMIT", raising=False)
    assert limit() == 20
    for value, seconds in (("0", 0), ("2.5", 2.5)):
        monkeypatch.setenv("OPCHECK_LIMIT", value)
        assert limit() == seconds
    for wrong in ("soon", "-1", "inf", "nan"):
        monkeypatch.setenv("OPCHECK_LIMIT", wrong)
        with pytest.raises(OpcheckError, match="is no number of seconds"):
            limit()


def endless() -> None:
    while True:
        pass


def test_a_limit_holds_inside_another_and_in_any_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPCHECK_LIMIT", "0.1")

    def nested() -> None:
        with limited("outer"):
            with limited("inner"):
                pass
            endless()  # the outer limit is there again

    with pytest.raises(TooLong, match="outer did not"):
        nested()
    found: list[BaseException] = []

    def elsewhere() -> None:
        try:
            with limited("there"):
                endless()
        except TooLong as error:
            found.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join(20)
    assert [str(e).partition(" did")[0] for e in found] == ["there"]


def test_a_beat_is_a_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is for one call of F, not for the run that makes many of them."""
    monkeypatch.setenv("OPCHECK_LIMIT", "0.3")
    with limited("F") as beat:
        for _ in range(8):
            time.sleep(0.1)
            beat.touch()


def test_what_runs_apart_raises_here_and_sees_the_error_state() -> None:
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        apart(lambda: np.ones(1) / np.zeros(1))
    assert apart(lambda: 3, "code") == 3


# ---- slow code -----------------------------------------------------------------------------------


class Counted:
    """F(z) = Mz that counts its calls."""

    calls = 0

    def __call__(self, z: Any) -> Any:
        self.calls += 1
        return ROTATION @ np.asarray(z)


def counted() -> tuple[Counted, Problem]:
    F = Counted()
    with pytest.warns(UserWarning, match="interpreted"):
        made = operator(lambda z: F(z), 2)
    return F, Problem(made, name="counted", start=np.ones(2), solution=np.zeros(2))


def test_a_slow_operator_gets_the_calls_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """B2: at 1.5 ms a call there is time for some thousand calls, and the page says so."""
    F, p = counted()
    monkeypatch.setattr(effort, "seconds_a_call", lambda p: 1.5e-3)
    found = check(p)
    assert F.calls < 9000
    assert "F is slow, 0.002 s a call" in found.left_out[0]
    L = next(c.lower for c in found.constants if c.kind.name == "Lipschitz")
    assert pytest.approx(np.linalg.norm(ROTATION, 2), rel=1e-3) == L
    assert len(found.verdicts) > 40
    assert not {v.status for v in found.verdicts} & {"violated", "error"}
    assert sum(v.status == "holds" for v in found.verdicts) > 20


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_of_a_very_slow_operator_only_what_fits_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """It took minutes without a limit: now each constant from one side, and what is left out."""
    monkeypatch.setattr(guards, "SLOW", 0.003)
    monkeypatch.setattr(effort, "SOUGHT", 0.2)
    monkeypatch.setattr(effort, "PATIENT", 0.1)
    monkeypatch.setattr("opcheck.evidence.check.SOUGHT", 0.2)
    monkeypatch.setattr("opcheck.evidence.operators.constants.PATIENT", 0.1)
    calls = []

    def F(z: Any) -> list[float]:
        calls.append(z)
        time.sleep(0.004)
        return [z[0] + 2 * z[1], -2 * z[0]]

    found = check(F)
    assert len(calls) <= 2 + 50 + 2  # the first look, what fits, and the last look
    assert found.verdicts == found.classes == ()
    assert found.problem.solution is None
    L, rho, mu = found.constants
    assert 1.5 < L.lower <= np.sqrt(4.5 + np.sqrt(4.25)) + 1e-6
    assert 0 <= rho.upper < 0.2
    assert 0 <= mu.upper < 0.5
    assert "bounds them from one side" in found.left_out[0]
    assert "no theorem is run" in found.left_out[0]
    with pytest.raises(OpcheckError, match="is slow"):
        verify("gorbunov2022_eg_last", F)
    assert constants(F)[0].lower > 1.0
    assert len(calls) < 120


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_dimensions_of_a_slow_function_are_not_tried_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("opcheck.evidence.operators.subject.TRYING", 0.02)

    def F(z: Any) -> Any:
        time.sleep(0.015)
        return np.eye(9) @ z

    with pytest.raises(OpcheckError, match=r"is slow, and none of the dimensions tried .* --dim"):
        check(F)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("constraint", [None, "box:-1,1", "ball:0,0:1"])
@pytest.mark.ci
def test_few_calls_say_nothing_that_is_false(constraint: str | None) -> None:
    """What every pair of a few points shows, against the constants of the matrix."""
    M = np.array([[0.5, 2.0], [-2.0, 0.25]])
    p = subject(lambda z: M @ z, dim=2, constraint=constraint)
    true = {"Lipschitz": np.linalg.norm(M, 2), "StronglyMonotone": 0.25}
    true["Comonotone"] = np.linalg.eigvalsh(np.linalg.inv(M) + np.linalg.inv(M).T)[0] / 2
    for calls in (0, 1, 2, 5, 60, 2000):
        graphs = [Graph(p, of, False, 0) for of in (("F", "S") if constraint else ("F",))]
        for c in of_few_calls(graphs, KINDS, calls, 0):
            if c.kind.name in true and c.of == "F":
                assert c.lower <= true[c.kind.name] * (1 + 1e-6)
                assert c.upper >= true[c.kind.name] * (1 - 1e-6)
            assert not np.isfinite(c.value)  # no theorem may rely on it


def test_an_operator_of_opcheck_is_not_timed() -> None:
    """Two checks of one problem have the same bytes."""
    assert Effort.of(problem("bilinear"), False, None) == Effort()


@pytest.mark.ci
def test_a_quick_check_costs_less_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    F, p = counted()
    monkeypatch.setattr(effort, "seconds_a_call", lambda p: 0.0)
    quick = check(p, quick=True)
    assert F.calls < 40000
    assert quick.left_out[0].startswith("quick: ")
    first = quick.as_dict()["verdicts"]
    assert first == check(p, quick=True).as_dict()["verdicts"]


def test_a_time_limit_leaves_out_theorems_by_name() -> None:
    found = check("bilinear", time_limit=1e-6)
    assert found.constants
    assert found.verdicts == ()
    assert "the time limit of 1e-06 s came before" in found.left_out[-1]
    for wrong in (0, -1, np.inf, "soon"):
        with pytest.raises(OpcheckError, match="must be a positive number of seconds"):
            check("bilinear", time_limit=wrong)


@pytest.mark.ci
def test_code_that_ends_the_process_does_not_decide_how(tmp_path: Path) -> None:
    """os._exit(0) in F was a check that found nothing wrong."""
    (tmp_path / "ends.py").write_text("import os\ndef F(z):\n    os._exit(0)\n")
    command = [sys.executable, "-m", "opcheck", "check", str(tmp_path / "ends.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 2
    assert "ended the process by os._exit" in done.stderr


STUBBORN = {
    "that catches everything": (
        "def F(z):\n    while True:\n        try:\n            while True:\n"
        "                pass\n        except BaseException:\n            pass\n",
        "the operator of 'mine' at [1.0, 1.0] did not come back within 1 s",
    ),
    "that never leaves C": (
        "def F(z):\n    return [sum(range(10**13)), 0]\n",
        "the operator of 'mine' at [1.0, 1.0] did not come back within 1 s",
    ),
    "that catches everything when it is imported": (
        "while True:\n    try:\n        while True:\n            pass\n"
        "    except BaseException:\n        pass\n",
        "the import of",
    ),
    "that leaves threads": (
        "import threading\nSTARTED = []\ndef F(z):\n    if not STARTED:\n"
        "        STARTED.append(threading.Thread(target=threading.Event().wait))\n"
        "        STARTED[0].start()\n    return [z[1], -z[0]]\n",
        "threads that do not end",
    ),
}


def started(folder: Path, *arguments: str, limit: str = "1") -> subprocess.Popen[str]:
    """The command line, as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "opcheck", *arguments],
        cwd=folder,
        env={**os.environ, "OPCHECK_LIMIT": limit},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.ci
@pytest.mark.skipif(not hasattr(signal, "sigtimedwait"), reason="ended by a thread there")
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param(*v, marks=[] if k.startswith("that never") else pytest.mark.slow, id=k)
        for k, v in STUBBORN.items()
    ],
)
def test_what_nothing_inside_can_stop_is_ended(tmp_path: Path, text: str, sentence: str) -> None:
    written(tmp_path, text)
    command = (
        "run extragradient mine.py -p gamma=0.1 -n 3" if "threads" in sentence else "check mine.py"
    )
    process = started(tmp_path, *command.split())
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 2, said
    assert sentence in said
    assert "Traceback" not in said


@pytest.mark.ci
def test_what_catches_everything_ends_its_process_in_a_pool(tmp_path: Path) -> None:
    """A worker has no supervisor; a thread of its own ends it, and the pool says so."""
    text = "import time\nfrom opcheck.watchdog import limited, watch_from_a_thread\n"
    text += "watch_from_a_thread()\nwith limited('a worker'):\n    while True:\n        try:\n"
    text += "            time.sleep(1)\n        except BaseException:\n            pass\n"
    environment = {**os.environ, "OPCHECK_LIMIT": "0.2"}
    command = [sys.executable, "-c", text]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr.partition(" within")[0]) == (
        2,
        "opcheck: a worker did not come back",
    )


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are no files there")
@pytest.mark.ci
def test_workers_end_with_what_they_work_for(tmp_path: Path) -> None:
    """Also in the middle of a result that is longer than a pipe takes: two once stayed for ever."""
    text = "import os, time\nfrom opcheck.processes import over_processes\n"
    text += "def work(name):\n    open(f'{os.getpid()}.pid', 'w').close()\n    time.sleep(0.5)\n"
    text += "    return bytes(10**7)\n"
    text += "def stop(name):\n    time.sleep(60)\n"
    text += "over_processes(work, list('abcdefgh'), 2, stop)\n"
    parent = subprocess.Popen([sys.executable, "-c", text], cwd=tmp_path)
    while len(list(tmp_path.glob("*.pid"))) < 2:
        time.sleep(0.05)
    time.sleep(1.5)  # one result is there, and the next ones wait to be read
    parent.kill()
    parent.wait()
    workers = [Path("/proc") / file.stem for file in tmp_path.glob("*.pid")]
    end = time.monotonic() + 20
    while any(worker.exists() for worker in workers):
        assert time.monotonic() < end, "a worker is left"
        time.sleep(0.1)


SWALLOWS = (
    "import time\n\ndef F(z):\n    try:\n        time.sleep(0.01)\n    except BaseException:\n"
    "        pass\n    return [z[1], -z[0]]\n"
)
LONG = {
    "check": ("check bilinear", ""),
    "check of a file": ("check mine.py", "def F(z):\n    return [z[1], -z[0]]\n"),
    "check of what swallows it": ("check mine.py", SWALLOWS),
    "constants": ("constants mine.py", SWALLOWS),
    "verify": ("verify --all", ""),
    "worst": ("worst lee2021_feg -k 1..60", ""),
}


@pytest.mark.skipif(not hasattr(signal, "sigtimedwait"), reason="there is no supervisor there")
@pytest.mark.parametrize(
    ("command", "text"),
    [
        v if k == "check of what swallows it" else pytest.param(*v, marks=pytest.mark.slow)
        for k, v in LONG.items()
    ],
    ids=LONG.keys(),
)
@pytest.mark.parametrize(
    "after", [1.5, *(pytest.param(s, marks=pytest.mark.slow) for s in (0.1, 4.0))]
)
def test_an_interrupt_is_answered_at_every_stage(
    tmp_path: Path, command: str, text: str, after: float
) -> None:
    written(tmp_path, text)
    process = started(tmp_path, *command.split(), limit="20")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None and not children.read_text():  # Python itself is starting
        time.sleep(0.02)
    time.sleep(after)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert process.returncode in (0, 130), said  # it may have been done
    assert "Traceback" not in said


def test_an_import_may_wait_longer_than_it_may_compute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """torch takes 20 s on a machine that is busy; a file that computes for ever is stopped."""
    monkeypatch.setenv("OPCHECK_LIMIT", "0.3")
    waits = "import time\ntime.sleep(0.6)\nM = [[0, 1], [-1, 0]]\n"
    waits += "import numpy\nM = numpy.array(M)\n"
    assert subject(str(written(tmp_path, waits)), start=[1.0, 0.0]).dim == 2
    (tmp_path / "busy.py").write_text("while True:\n    pass\n")
    with pytest.raises(TooLong, match="the import of"):
        registry.load_file(str(tmp_path / "busy.py"))


def test_an_allotment_is_part_of_the_outer_one() -> None:
    assert budget().left == np.inf
    with allotted(calls=10) as outer:
        with share(2) as inner:
            assert inner.left == 5
            inner.spend(6)
            assert inner.over
        assert (outer.left, outer.over) == (4, False)
        with allotted(calls=100) as inner:
            assert inner.left == 4
    assert not budget().over


# ---- code that only floats can pass --------------------------------------------------------------

TENSORS = """
import numpy as np

class Tensor:
    requires_grad = False

    def __init__(self, values):
        self.values = np.asarray(values)
        if self.values.dtype == object:
            raise RuntimeError(f"Could not infer dtype of {type(self.values.flat[0]).__name__}")

    def __array__(self, dtype=None, copy=None):
        if self.requires_grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        return np.asarray(self.values, dtype=dtype)

def F(z):
    t = Tensor(z)
    return Tensor([t.values[1], t.values[1] - t.values[0]])
"""


@pytest.mark.filterwarnings("ignore:operator")
def test_a_function_of_tensors_is_read_in_floats(tmp_path: Path) -> None:
    """B2: what foreign code can't carry is dropped, and its own words stay its own."""
    done = cli("check", written(tmp_path, TENSORS), "--quick", "--json")
    assert done.exit_code == 0, done.output
    assert "Ball" not in done.output
    assert json.loads(done.stdout)["dimension"] == 2


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("[z[1], -z[0]]", True),
        ("(z[1], -z[0])", True),
        ("np.array([z[1], -z[0]], dtype=object)", True),
        ("np.array([z[1], -z[0]], dtype=np.float32)", "float32"),
        ("1.0", "shape"),
    ],
)
@pytest.mark.filterwarnings("ignore:operator")
def test_whatever_a_function_returns(tmp_path: Path, value: str, expected: bool | str) -> None:
    """B2: lists and objects are values; float32 is too coarse, a scalar not two coordinates."""
    path = written(tmp_path, f"import numpy as np\ndef F(z):\n    return {value}\n")
    if isinstance(expected, str):
        with pytest.raises(OpcheckError, match=expected):
            subject(str(path), dim=2)
        return
    assert subject(str(path), dim=2).operator([2.0, 5.0]).tolist() == [5.0, -2.0]


@pytest.mark.filterwarnings("default")
def test_what_numba_cannot_compile_is_said_once_in_a_line(tmp_path: Path) -> None:
    """C8: what, and at which line of the user's file."""
    text = "table = {}\ndef F(z, out, data):\n    out[0] = z[1] + len(table)\n    out[1] = -z[0]\n"
    done = cli("run", "extragradient", written(tmp_path, text), "-p", "gamma=0.1", "-n", "5")
    assert done.exit_code == 0, done.output
    (said,) = done.stderr.splitlines()
    assert said.startswith("opcheck: the operator of 'mine' runs interpreted, since numba can't")
    assert said.endswith("(mine.py, line 3)")


# ---- Ctrl-C --------------------------------------------------------------------------------------


def interrupts(at: int) -> Callable[..., Any]:
    """``confront`` that meets Ctrl-C at the so-many-th call."""
    count = 0

    def confront(*given: Any, **options: Any) -> Any:
        nonlocal count
        count += 1
        if count == at:
            raise KeyboardInterrupt
        return real(*given, **options)

    real = verifying.confront
    return confront


def test_an_interrupted_check_shows_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """D3: nothing is lost, on paper or as JSON; what is missing is named."""
    monkeypatch.setattr(checks, "confront", interrupts(12))
    with pytest.raises(Interrupted) as stop:
        check("bilinear")
    found = stop.value.finished
    assert 0 < len(found.verdicts) < 12
    assert "the interruption came before" in found.left_out[-1]
    monkeypatch.setattr(checks, "confront", interrupts(12))
    done = cli("check", "bilinear")
    assert done.exit_code == 130
    assert done.stderr == "opcheck: interrupted\n"
    assert all(v.theorem in done.stdout for v in found.verdicts)
    assert "the interruption came before" in done.stdout
    monkeypatch.setattr(checks, "confront", interrupts(12))
    done = cli("check", "bilinear", "--json")
    assert done.exit_code == 130
    assert json.loads(done.stdout)["interrupted"]


def test_a_check_comes_piece_by_piece() -> None:
    """B4: the operator, then its constants, then a verdict at a time."""
    pieces = checking("bilinear", quick=True)
    first, second, third = (next(pieces) for _ in range(3))
    assert (first.constants, first.verdicts) == ((), ())
    assert second.constants
    assert (second.verdicts, len(third.verdicts)) == ((), 1)


def test_an_interrupted_verify_keeps_whole_theorems(monkeypatch: pytest.MonkeyPatch) -> None:
    """D3."""
    monkeypatch.setattr(verifying, "confront", interrupts(3))
    names = ["elementary_gda_contraction", "elementary_fb_contraction", "yoon2021_eag_c"]
    plane = Problem(linear([[1.0, 1.0], [-1.0, 1.0]]), name="plane", start=np.ones(2))
    monkeypatch.setattr(verifying, "library", lambda: (plane,))
    with pytest.raises(Interrupted) as stop:
        verify(names)
    assert [s.theorem.name for s in stop.value.finished.summaries] == names[:2]
    monkeypatch.setattr(verifying, "confront", interrupts(3))
    done = cli("verify", *names, "--jobs", "1")
    assert done.exit_code == 130
    assert "2 of 3 theorems were finished" in done.stderr
    assert names[0] in done.stdout


def test_an_interrupted_attack_keeps_whole_k(monkeypatch: pytest.MonkeyPatch) -> None:
    from opcheck.evidence.worst_case import attack as attacking

    real, count = attacking._over_parts, 0

    def over_parts(*given: Any) -> Any:
        nonlocal count
        count += 1
        if count == 2:
            raise KeyboardInterrupt
        return real(*given)

    monkeypatch.setattr(attacking, "_over_parts", over_parts)
    with pytest.raises(Interrupted) as stop:
        attack("gorbunov2022_eg_last", [1, 2], budget=10)
    assert [r.k for r in stop.value.finished.reached] == [1]


def test_an_interrupted_run_keeps_what_it_recorded() -> None:
    looks = 0

    def look(k: int) -> None:
        nonlocal looks
        looks += 1
        if looks == 2:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as stop:
        run("gradient_descent_ascent", "bilinear", 10**12, gamma=1e-9, record="log", progress=look)
    found = stop.value.finished
    assert found.status == f"interrupted after k = {found.k[-1]}"
    assert len(found["residual"]) == len(found.k) == len(found.oracle_calls) > 10
    assert np.isfinite(found["residual"]).all()
    again = run("gradient_descent_ascent", "bilinear", int(found.k[20]), gamma=1e-9)
    assert again["residual"][found.k[:21]].tolist() == found["residual"][:21].tolist()


# ---- memory --------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", ["all", 1])
def test_a_run_that_memory_cannot_hold_is_refused(
    monkeypatch: pytest.MonkeyPatch, record: str | int
) -> None:
    """B4: before it starts, with the number and what to do."""
    monkeypatch.setattr(running, "available", lambda: 1e7)
    with pytest.raises(OpcheckError, match=r"would take about .* GB, and .* are free; take fewer"):
        run("extragradient", "bilinear", 10**6, gamma=0.5, record=record)
    assert len(run("extragradient", "bilinear", 10**4, gamma=0.5, record="log").k) > 100


def test_where_a_run_is_cut_does_not_decide_where_it_diverges() -> None:
    """Calls of the driver are as long as they take; a result must not depend on that."""
    p = Problem(linear([[-1.0, 0.0], [0.0, 1.0]]), name="out", start=np.ones(2))
    ends = []
    for piece in (1, 7, 4000):
        whole = running.CHUNK
        try:
            running.CHUNK = piece
            batch = run_batch(p, resolve("gradient_descent_ascent"), [{"gamma": 1.0}], [600], [])
        finally:
            running.CHUNK = whole
        ends.append(batch.status.tolist())
    assert ends[0] == ends[1] == ends[2]
    assert ends[0] != [0]


# ---- the solver ----------------------------------------------------------------------------------


def test_a_large_program_is_solved_by_a_process_to_the_same_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """B4: that process can be ended while the solver works."""
    real, here = conic.solve, []
    monkeypatch.setattr(conic, "solve", lambda *given: here.append(1) or real(*given))
    first = worst("gorbunov2022_eg_last", 3)
    assert here
    here.clear()
    monkeypatch.setattr(conic, "SMALL", 0)
    second = worst("gorbunov2022_eg_last", 3)
    assert not here
    assert (first.ratio, first.value) == (second.ratio, second.value)


def test_a_size_without_hope_is_refused_beforehand() -> None:
    """B4: with the hours that it would take or, where less than that is free, the memory."""
    words = r"(the solver takes about .* hours|GB that are free); take a smaller k"
    with pytest.raises(OpcheckError, match=words):
        worst("gorbunov2022_eg_last", 60)


def test_an_interrupted_solver_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """B4."""
    monkeypatch.setattr(conic, "SMALL", 0)
    children: list[Any] = []

    class Child(subprocess.Popen[bytes]):
        def communicate(self, *given: Any, **options: Any) -> Any:
            children.append(self)
            raise KeyboardInterrupt

    monkeypatch.setattr(conic.subprocess, "Popen", Child)
    with pytest.raises(KeyboardInterrupt):
        worst("gorbunov2022_eg_last", 3)
    assert children[0].wait(10) != 0


def test_what_was_interrupted_is_not_ok(monkeypatch: pytest.MonkeyPatch) -> None:
    """A script that reads ``ok`` must not take what is missing for what holds."""

    def stopped(work: Any, names: Any, jobs: int, progress: Any) -> Any:
        raise Interrupted([work(names[0])])

    monkeypatch.setattr(verifying, "over_processes", stopped)
    with pytest.raises(Interrupted) as caught:
        verifying.verify("gorbunov2022_eg")
    report = caught.value.finished
    document = report.as_dict()
    assert len(report.summaries) == 1
    assert (document["ok"], document["covered"], document["interrupted"]) == (False, False, True)


@pytest.mark.ci
def test_the_threads_of_a_pool_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine takes longer than any grace to end a pool: ``verify`` ended with code 2."""
    import joblib

    from opcheck import watchdog

    deadlines: list[str] = []

    class Told:
        def expect(self, when: float, sentence: str) -> None:
            deadlines.append(sentence)

    monkeypatch.setattr(watchdog, "_page", Told())
    assert joblib.Parallel(n_jobs=2)(joblib.delayed(abs)(i) for i in (-1, -2)) == [1, 2]
    kept = [type(t).__module__ for t in threading.enumerate() if not t.daemon]
    assert any(module.startswith("joblib.") for module in kept)
    watchdog.leave(0)
    assert deadlines == []
    hold = threading.Event()
    foreign = threading.Thread(target=hold.wait)
    foreign.start()
    watchdog.leave(0)
    hold.set()
    foreign.join()
    assert deadlines == [watchdog.LEFT_BEHIND]
