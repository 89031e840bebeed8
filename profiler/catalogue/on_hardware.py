"""What counters of the CPU would add to a drill-down, none of which is taken yet: why not, by part.

Where there is no PMU, the machine's own reason stands in the place of these.
"""

from __future__ import annotations

ON_HARDWARE = {
    "perf-record": "this version takes no samples by perf record: all figures are counts by callgrind",
    "top-down": "a drill-down counts no slots; tax-probe ipc reads those bound by the front end and the back end",
}
NOT_ASKED = "the version that measured this did not look for a PMU"
