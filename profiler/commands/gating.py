"""The gates of a command: read and checked before anything is measured, held against what was."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from profiler.analyze.opened import Opened
    from profiler.model import Run, Verdict
    from profiler.model.across import Gate
    from profiler.model.run import Missing


@dataclass(frozen=True, kw_only=True)
class Gating:
    """What ``--max-ratio`` and ``--baseline`` ask for."""

    gates: tuple[Gate, ...]
    reference: Opened | None
    """The folder of ``--baseline``: the gates are on the change since."""

    def require_same_work(self, run: Run) -> None:
        """``run`` can be held against the reference.

        Raises:
            UsageError: it is of another workload.
        """
        from profiler.analyze.opened import require_same_work

        if self.reference is not None:
            require_same_work(self.reference, run, {})

    def require_measurable(self, run: Run) -> None:
        """A run that is to be measured can be held against the gates.

        Raises:
            UsageError: the reference is of another workload.
            MachineError: an event of a gate is none that its source counts.
        """
        self.require_same_work(run)
        self.require_counted(run.missing)

    def require_counted(self, lacking: Sequence[Missing]) -> None:
        """A source that is ``lacking`` these events counts what the gates are on.

        Raises:
            MachineError: it does not.
        """
        from profiler.catalogue.metrics import METRIC
        from profiler.errors import MachineError

        missing = {lack.event: lack.reason for lack in lacking}
        for gate in self.gates:
            if gate.metric is None:
                continue
            metric = METRIC[gate.metric]
            for event in metric.formula or (metric.event,):
                if event in missing:
                    raise MachineError(
                        f"--max-ratio: {gate.metric} cannot be measured here: {missing[event]}",
                        hint="gate on another metric, or choose another --source; tax-probe doctor lists both",
                    )

    def hold(self, folder: Path, verdict: Verdict) -> None:
        """Hold the answer of ``folder`` against the gates, and tell what changed since the reference.

        Raises:
            UsageError: the reference is of another workload.
            GateFailed: a ratio is proven to exceed its gate.
            MachineError: what a gate is on is not known.
        """
        from profiler.analyze.changes import across
        from profiler.analyze.gate import hold_changes, hold_verdict
        from profiler.analyze.opened import opened
        from profiler.present.gate_told import enforce, tell_change

        if self.reference is None:
            enforce(hold_verdict(self.gates, verdict), "the baseline's")
            return
        document = across([self.reference, opened(folder)])
        tell_change(document)
        enforce(hold_changes(self.gates, document, "tax"), f"those of {self.reference.path}")


def gating(max_ratio: object, baseline: str | None) -> Gating:
    """From what was given; ``max_ratio`` as ``catalogue.gates.parse_gates`` takes it.

    Raises:
        UsageError: a gate is none, or ``baseline`` is no result folder.
    """
    from profiler.catalogue.gates import parse_gates

    gates = parse_gates(max_ratio)
    if baseline is None:
        return Gating(gates=gates, reference=None)
    from profiler.analyze.opened import opened

    return Gating(gates=gates, reference=opened(Path(baseline)))
