"""What is true of all figures of a source, whatever was measured: one entry each."""

from __future__ import annotations

from profiler.model import Noun, SourceName


class SourceKind(Noun, frozen=True, kw_only=True):
    """One source."""

    name: SourceName
    how: str
    """For people: what is counted and what is timed."""
    model: str | None
    """What figures of its models of caches and predictors are called; None: it has none."""
    emulates: bool
    """It runs the program slowly in a machine of its own: it counts no cycles, and times are those of other runs."""


SOURCE_KINDS: dict[SourceName, SourceKind] = {
    kind.name: kind
    for kind in (
        SourceKind(name="hardware", how="hardware counters", model=None, emulates=False),
        SourceKind(name="qemu", how="qemu counts, bare runs timed", model="modelled", emulates=True),
        SourceKind(name="callgrind", how="callgrind counts, bare runs timed", model="modelled", emulates=True),
        SourceKind(
            name="emulated", how="counted in an emulator of the target, nothing is timed", model=None, emulates=True
        ),
        SourceKind(name="software", how="clocks alone, nothing counted", model=None, emulates=False),
    )
}
