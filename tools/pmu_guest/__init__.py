"""``make test-pmu``: an Arm guest whose counters follow its instructions exactly, and what tax-probe measures in it."""
