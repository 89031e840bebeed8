"""The flame graph: frames add up, colours say which side takes more, and what stands in it is text."""

from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest

from profiler.analyze.conclude import analyse
from profiler.analyze.profile.stacks import wide
from profiler.model import Verdict
from profiler.model.drilldown import StackCost
from profiler.present.figures import drawn
from profiler.present.flame import WIDTH, Flame, FlameFrame, flame
from profiler.present.view import view
from tests.unit.test_drilldown import compared, folder

SVG = "{http://www.w3.org/2000/svg}"


def stacks_of(verdict: Verdict) -> dict[tuple[str | None, ...], tuple[float, float]]:
    assert verdict.stacks is not msgspec.UNSET
    return {one.stack: (one.baseline_value, one.value) for one in verdict.stacks if one.launcher == "pyo3"}


def frames_of(verdict: Verdict) -> dict[tuple[int, str], FlameFrame]:
    found = flame(verdict)
    assert found is not None
    return {(frame.depth, frame.told.partition(":")[0]): frame for frame in found.frames}


def with_stacks(verdict: Verdict, *stacks: tuple[tuple[str | None, ...], float, float]) -> Verdict:
    return msgspec.structs.replace(
        verdict,
        stacks=tuple(
            StackCost(launcher="pyo3", stack=stack, baseline_value=base, value=here) for stack, base, here in stacks
        ),
    )


@pytest.mark.parametrize("command", ["opcodes", "where"])
def test_stacks_add_up_to_the_comparison(tmp_path: Path, command: str) -> None:
    verdict = analyse(folder(tmp_path, command)).verdict
    assert sum(here - base for base, here in stacks_of(verdict).values()) == pytest.approx(compared(verdict))


def test_stacks_go_from_opcodes_to_functions_and_from_files_to_kinds(tmp_path: Path) -> None:
    opcodes = stacks_of(analyse(folder(tmp_path, "opcodes")).verdict)
    assert opcodes["ADD", "_PyLong_New"] == pytest.approx((0, 90))
    assert opcodes[None, "memset"] == pytest.approx((3, 3))
    (tmp_path / "where").mkdir()
    places = stacks_of(analyse(folder(tmp_path / "where", "where")).verdict)
    loop = "python3.11 → libpython3.11.so.1.0"
    assert places[loop, "_PyLong_New", "stack frame"] == pytest.approx((0, 147.5))


def test_what_is_too_narrow_is_one_frame() -> None:
    """0.4 per cent of the whole can be seen."""
    whole: dict[tuple[str | None, ...], list[float]] = {
        ("a", "f"): [500.0, 600.0],
        ("a", "g"): [0.5, 0.2],
        ("b", "h"): [0.4, 0.9],
        ("c", "f"): [399.0, 300.0],
    }
    assert wide(whole) == {("a", "f"): [500, 600], ("a", None): [0.5, 0.2], (None,): [0.4, 0.9], ("c", "f"): [399, 300]}


def test_a_frame_is_as_wide_as_the_side_that_takes_more(tmp_path: Path) -> None:
    verdict = analyse(folder(tmp_path, "where")).verdict
    found = frames_of(
        with_stacks(
            verdict, (("a", "f"), 100.0, 150.0), (("a", "g"), 50.0, 0.0), (("b", "h"), 100.0, 100.0), ((None,), 1, 0)
        )
    )
    whole = 150 + 50 + 100 + 1
    assert found[0, "w in pyo3"].width == WIDTH
    assert (found[1, "a"].width, found[1, "a"].tone, found[1, "a"].part) == (
        pytest.approx(WIDTH * 200 / whole, abs=0.01), "plain", 0.0,
    )  # fmt: skip
    assert (found[2, "f"].tone, found[2, "f"].part) == ("worse", pytest.approx(1 / 3, abs=0.01))
    assert (found[2, "g"].tone, found[2, "g"].part) == ("better", 1.0)
    assert found[2, "h"].tone == "plain"
    assert found[2, "f"].at == found[1, "a"].at == 0.0, "the dearest stands left"
    assert found[2, "g"].at == pytest.approx(WIDTH * 150 / whole, abs=0.01)
    assert found[1, "the rest"].at + found[1, "the rest"].width == pytest.approx(WIDTH, abs=0.01)


def test_it_is_told_in_words(tmp_path: Path) -> None:
    verdict = analyse(folder(tmp_path, "opcodes")).verdict
    found = flame(with_stacks(verdict, (("ADD", "f"), 10.0, 60.0), (("SUB", "g"), 20.0, 5.0), ((None,), 3.0, 9.0)))
    assert isinstance(found, Flame)
    assert found.label == "instructions an iteration of w in pyo3, less python3's: +41.00"
    assert found.said == "The largest differences: ADD → f +50.00, SUB → g −15.00."
    assert [frame.told for frame in found.frames if frame.depth == 1] == [
        "ADD: 10.00 → 60.00, +50.00", "SUB: 20.00 → 5.000, −15.00", "no opcode: 3.000 → 9.000, +6.000",
    ]  # fmt: skip


def test_what_stands_in_it_is_text(tmp_path: Path) -> None:
    analysis = analyse(folder(tmp_path, "where"))
    evil = "</text><script>alert(1)</script>"
    verdict = with_stacks(analysis.verdict, ((evil, "f & g"), 10.0, 60.0))
    root = ElementTree.fromstring(drawn(verdict, view(analysis))["figures/flame.svg"])  # noqa: S314 - our own drawing
    assert not list(root.iter(f"{SVG}script"))
    assert (root.findtext(f"{SVG}title") or "").startswith("instructions an iteration")
    assert "f & g +50.00" in (root.findtext(f"{SVG}desc") or "")
    titles = [frame.findtext(f"{SVG}title") for frame in root.iter(f"{SVG}g")]
    assert f"{evil}: 10.00 → 60.00, +50.00" in titles


def test_nothing_is_drawn_of_nothing(tmp_path: Path) -> None:
    verdict = analyse(folder(tmp_path, "where")).verdict
    assert flame(with_stacks(verdict)) is None
    assert flame(msgspec.structs.replace(verdict, places=msgspec.UNSET)) is None
