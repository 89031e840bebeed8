"""The self-test, the choice of events and their arrangement, on counters of known behaviour."""

from collections.abc import Sequence

import pytest

from profiler.catalogue.events import BY_NAME, Cpu
from profiler.errors import MachineError
from profiler.model import Missing, Reading
from profiler.sources.perf_events import Available, arrange, find_available, this_cpu
from profiler.sources.perf_output import NOT_SUPPORTED, Asked
from profiler.sources.pmu import LONG, SHORT, PmuSelfTest, judge, program, self_test

START = 40_000_000
ZEN5 = Cpu(vendor="AuthenticAMD", family=26)
SKYLAKE = Cpu(vendor="GenuineIntel", family=6)


def reading(one: Asked, value: float | None, *, reason: str | None = None, raw_name: str | None = None) -> Reading:
    return Reading(
        event=one.event,
        value=value,
        unit=one.unit,
        enabled_ns=None,
        running_ns=None,
        source="hardware",
        raw_name=raw_name or one.spec,
        reason=reason,
    )


def general(asked: Sequence[Asked], own: frozenset[str]) -> int:
    """How many counters that count anything are needed."""
    names = [one.event for one in asked if BY_NAME[one.event].needs_slot]
    return len(names) - len(own & set(names))


class Pmu:
    """``free`` counters; the ones in ``dead`` (from 1) read 41; ``factor`` falsifies all; the events ``own`` have a
    counter each that counts nothing else.
    """

    def __init__(
        self, *, free: int = 6, dead: tuple[int, ...] = (), factor: float = 1.0, own: tuple[str, ...] = ()
    ) -> None:
        self.free = free
        self.own = frozenset(own)
        self.dead = dead
        self.factor = factor
        self.runs = 0

    def __call__(self, asked: Sequence[Asked], iterations: int | None) -> tuple[Reading, ...]:
        self.runs += 1
        wanted = general(asked, self.own)
        true = (START + 2 * (iterations or 0)) * self.factor
        readings, number = [], 0
        for one in asked:
            number += BY_NAME[one.event].needs_slot
            if not BY_NAME[one.event].needs_slot:
                readings.append(reading(one, 5.0))
            elif wanted > self.free:
                readings.append(reading(one, None, reason="multiplexed: ran 83 % of the time; rejected"))
            else:
                readings.append(reading(one, 41.0 if number in self.dead else true))
        return tuple(readings)


def test_all_counters_pass() -> None:
    test = self_test(Pmu())
    assert (test.slots, test.dead, test.reason) == (6, (), None)
    assert [trial.copies for trial in test.tried] == [6]


def test_the_dead_slot_of_the_field() -> None:
    """Six copies: the sixth reads 41 at 100 % running. Five are right."""
    test = self_test(Pmu(dead=(6,)))
    assert (test.slots, test.dead) == (5, (6,))
    assert test.tried[0].per_iteration == (2.0, 2.0, 2.0, 2.0, 2.0, 0.0)
    assert test.sentence() == (
        "5 counters at once passed the self-test; of 6, number 6 counted wrong although perf says it ran all the time "
        "(dead slot)"
    )


def test_a_dead_slot_in_the_middle_limits_what_may_be_used() -> None:
    test = self_test(Pmu(dead=(3,)))
    assert (test.slots, test.dead) == (2, (3,))


def test_scarce_slots() -> None:
    test = self_test(Pmu(free=4))
    assert (test.slots, test.dead) == (4, ())
    assert test.sentence() == "4 counters at once passed the self-test; 5 at once would be multiplexed"


def test_dead_and_scarce() -> None:
    test = self_test(Pmu(free=5, dead=(5,)))
    assert (test.slots, test.dead) == (4, (5,))


def test_no_counter_is_free() -> None:
    test = self_test(Pmu(free=0))
    assert test.slots == 0
    assert test.reason == "not even one hardware counter is free all the time: something else holds them"


@pytest.mark.parametrize(("factor", "slots"), [(1.0009, 6), (1.0011, 0), (0.9989, 0)])
def test_a_tenth_of_a_per_cent_is_the_limit(factor: float, slots: int) -> None:
    test = self_test(Pmu(factor=factor))
    assert test.slots == slots
    assert (test.reason is None) == (slots > 0)


def test_start_up_cancels() -> None:
    one = Asked(event="instructions", spec="instructions:u", unit="instructions")
    trial = judge([reading(one, 7e9 + 2 * SHORT)], [reading(one, 7e9 + 2 * LONG)])
    assert trial.per_iteration == (2.0,)
    assert trial.passed


def test_an_event_that_perf_does_not_know_is_missing_with_what_perf_said() -> None:
    pmu = Pmu()

    def count(asked: Sequence[Asked], iterations: int | None) -> tuple[Reading, ...]:
        if asked[0].spec == "branch-misses:u":
            raise MachineError("perf failed: event syntax error: 'branch-misses:u'", hint="planted")
        return pmu(asked, iterations)

    available = find_available(SKYLAKE, count)
    assert (
        Missing(
            event="branch-misses",
            reason="branch-misses:u: perf failed: event syntax error: 'branch-misses:u'",
        )
        in available.missing
    )
    assert "branches" in {one.event for one in available.asked}


def test_raw_events_belong_to_their_cpu() -> None:
    zen = {one.event: one.spec for one in find_available(ZEN5, Pmu()).asked}
    intel = {one.event: one.spec for one in find_available(SKYLAKE, Pmu()).asked}
    assert zen["l1i-misses"] == "cpu/event=0x60,umask=0x10/u"
    assert zen["frontend-bound"] == "cpu/event=0x1a0,umask=0x01/u"
    assert zen["indirect-branches"] == "cpu/event=0xcc/u", "0xca counts those that were mispredicted"
    assert intel["l1i-misses"] == "L1-icache-load-misses:u"
    zen2 = {one.event for one in find_available(Cpu(vendor="AuthenticAMD", family=0x17), Pmu()).asked}
    assert "indirect-branches" not in intel
    assert "indirect-branches" not in zen2, "AMD documents none before Zen 3"


def test_the_next_candidate_is_tried() -> None:
    def count(asked: Sequence[Asked], iterations: int | None) -> tuple[Reading, ...]:
        return tuple(
            reading(one, None, reason=NOT_SUPPORTED) if "0x1a0" in one.spec else reading(one, 9.0) for one in asked
        )

    specs = {one.event: one.spec for one in find_available(ZEN5, count).asked}
    assert specs["frontend-bound"] == "stalled-cycles-frontend:u"


def test_a_hardware_event_that_counts_nothing_is_not_zero_but_missing() -> None:
    def count(asked: Sequence[Asked], iterations: int | None) -> tuple[Reading, ...]:
        return tuple(reading(one, 0.0) for one in asked)

    available = find_available(SKYLAKE, count)
    assert {one.event for one in available.asked} == {"page-faults", "task-clock", "wall", "context-switches"}
    reasons = {one.event: one.reason for one in available.missing}
    assert "counts 0 over a start of Python" in reasons["dtlb-misses"]


def test_context_switches_restricted_to_user_mode_are_missing() -> None:
    def count(asked: Sequence[Asked], iterations: int | None) -> tuple[Reading, ...]:
        return tuple(reading(one, 3.0, raw_name=f"{one.spec.partition(':')[0]}:u") for one in asked)

    available = find_available(SKYLAKE, count)
    assert "page-faults" in {one.event for one in available.asked}
    assert "perf_event_paranoid=1" in next(one.reason for one in available.missing if one.event == "context-switches")


def slotted(asked: Sequence[Asked]) -> int:
    return general(asked, frozenset())


def passing(slots: int) -> PmuSelfTest:
    return PmuSelfTest(slots=slots, cycles_beside=False, tried=(), dead=(), reason=None, remedy=None)


@pytest.mark.parametrize("slots", [3, 4, 5, 6])
def test_every_pass_has_the_anchors_and_fits_the_slots(slots: int) -> None:
    pmu = Pmu(free=slots)
    available = find_available(ZEN5, pmu)
    passes, missing = arrange(available, passing(slots), pmu)
    assert missing == ()
    assert all(slotted(asked) <= slots for asked in passes)
    for asked in passes:
        assert {"instructions", "cycles", "task-clock", "wall"} <= {one.event for one in asked}
    others = [one.event for asked in passes for one in asked if not BY_NAME[one.event].anchor]
    assert sorted(others) == sorted(one.event for one in available.asked if not BY_NAME[one.event].anchor)


def anchors_in(asked: Sequence[Asked]) -> set[str]:
    return {one.event for one in asked if BY_NAME[one.event].anchor}


CLOCKS = {"task-clock", "wall"}


@pytest.mark.parametrize(
    ("pmu", "slots", "beside", "passes", "kept"),
    [
        # Arm's PMUv3 with six counters and one for cycles, of which so many are held by others.
        (Pmu(free=6, own=("cycles",)), 6, True, 2, {"instructions", "cycles"}),
        (Pmu(free=3, own=("cycles",)), 3, True, 5, {"instructions", "cycles"}),
        (Pmu(free=2, own=("cycles",)), 2, True, 10, {"instructions", "cycles"}),
        (Pmu(free=1, own=("cycles",)), 1, True, 11, {"cycles"}),
        # Intel: instructions and cycles have counters of their own, beside four.
        (Pmu(free=4, own=("instructions", "cycles")), 5, True, 3, {"instructions", "cycles"}),
        (Pmu(free=1, own=("instructions", "cycles")), 2, True, 10, {"instructions", "cycles"}),
        # AMD: six, and none but these.
        (Pmu(free=6), 6, False, 3, {"instructions", "cycles"}),
        (Pmu(free=3), 3, False, 10, {"instructions", "cycles"}),
        (Pmu(free=2), 2, False, 11, {"instructions"}),
    ],
)
def test_with_counters_held_by_others_the_rest_follows_in_more_passes(
    pmu: Pmu, slots: int, beside: bool, passes: int, kept: set[str]
) -> None:
    available = find_available(ZEN5, pmu)
    events = [one.event for one in available.asked if not BY_NAME[one.event].anchor]
    assert sum(BY_NAME[name].needs_slot for name in events) == 10
    test = self_test(pmu)
    assert (test.slots, test.cycles_beside) == (slots, beside)
    (first, *rest), missing = arrange(available, test, pmu)
    assert missing == ()
    assert sorted(one.event for asked in (first, *rest) for one in asked if not BY_NAME[one.event].anchor) == sorted(
        events
    )
    assert all(general(asked, pmu.own) <= pmu.free for asked in (first, *rest))
    assert anchors_in(first) == {"instructions", "cycles"} | CLOCKS
    assert all(anchors_in(asked) == kept | CLOCKS for asked in rest)
    assert 1 + len(rest) == passes


def test_with_all_general_counters_held_instructions_and_cycles_remain() -> None:
    """Intel's fixed counters: what else is free counts nothing else."""
    pmu = Pmu(free=0, own=("instructions", "cycles"))
    test = self_test(pmu)
    assert (test.slots, test.cycles_beside) == (1, True)
    assert test.sentence() == "1 counter passed the self-test, and cycles beside; 2 at once would be multiplexed"
    available = find_available(SKYLAKE, pmu)
    (only,), missing = arrange(available, test, pmu)
    assert (set(only), missing) == (set(available.asked), ())
    assert all("multiplexed" in one.reason for one in available.missing if one.event == "branches")


def test_cycles_in_a_dead_slot_have_no_counter_of_their_own() -> None:
    def count(asked: Sequence[Asked], iterations: int | None) -> tuple[Reading, ...]:
        found = Pmu(free=7)(asked, iterations)
        return tuple(
            reading(one, 41.0) if one.event == "cycles" else was for one, was in zip(asked, found, strict=True)
        )

    assert not self_test(count).cycles_beside
    assert not self_test(Pmu(dead=(6,))).cycles_beside


def test_what_was_taken_since_the_self_test_makes_passes_smaller() -> None:
    available = find_available(ZEN5, Pmu())
    passes, missing = arrange(available, passing(6), Pmu(free=4))
    assert missing == ()
    assert [slotted(asked) for asked in passes] == [4] * 5


def test_events_that_do_not_go_together_are_split() -> None:
    """Some events fit only one of the counters: six would pass the self-test, these two still exclude each other."""

    def count(asked: Sequence[Asked], iterations: int | None) -> tuple[Reading, ...]:
        clash = {"branches", "branch-misses"} <= {one.event for one in asked}
        return tuple(reading(one, None if clash else 9.0, reason="multiplexed" if clash else None) for one in asked)

    passes, missing = arrange(find_available(SKYLAKE, count), passing(6), count)
    assert missing == ()
    assert not any({"branches", "branch-misses"} <= {one.event for one in asked} for asked in passes)
    assert {"branches", "branch-misses"} <= {one.event for asked in passes for one in asked}


def test_an_event_that_needs_the_counter_of_cycles_is_counted_beside_instructions() -> None:
    def count(asked: Sequence[Asked], iterations: int | None) -> tuple[Reading, ...]:
        clash = {"branches", "cycles"} <= {one.event for one in asked}
        return tuple(reading(one, None if clash else 9.0, reason="multiplexed" if clash else None) for one in asked)

    passes, missing = arrange(find_available(SKYLAKE, count), passing(6), count)
    assert missing == ()
    (alone,) = (asked for asked in passes if "branches" in {one.event for one in asked})
    assert {one.event for one in alone} == {"instructions", "branches"} | CLOCKS
    assert all(anchors_in(asked) >= {"instructions", "cycles"} for asked in passes if asked != alone)
    assert anchors_in(passes[0]) == {"instructions", "cycles"} | CLOCKS


def test_an_event_that_never_counts_beside_the_anchors_is_missing() -> None:
    def count(asked: Sequence[Asked], iterations: int | None) -> tuple[Reading, ...]:
        clash = len(asked) > 1 and "branches" in {one.event for one in asked}
        return tuple(reading(one, None if clash else 9.0, reason="multiplexed" if clash else None) for one in asked)

    available = find_available(SKYLAKE, count)
    passes, missing = arrange(available, passing(6), count)
    assert [one.event for one in missing] == ["branches"]
    assert "cache-misses" in {one.event for asked in passes for one in asked}


def test_nothing_but_anchors_is_still_a_pass() -> None:
    anchors = tuple(
        Asked(event=name, spec=BY_NAME[name].perf[0].spec, unit=BY_NAME[name].unit)
        for name in ("instructions", "cycles")
    )
    assert arrange(Available(asked=anchors, missing=()), passing(6), Pmu()) == ((anchors,), ())


def test_the_test_program_is_shielded_from_the_users_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONMALLOC", "malloc")
    monkeypatch.setenv("PYTHONHASHSEED", "random")
    command = program(None, 0)
    assert {key: value for key, value in command.env.items() if key.startswith("PYTHON")} == {"PYTHONHASHSEED": "0"}
    assert command.cpu == 0


def test_this_cpu_has_a_vendor_or_none() -> None:
    cpu = this_cpu()
    assert isinstance(cpu.vendor, str)
    assert cpu.family >= 0
