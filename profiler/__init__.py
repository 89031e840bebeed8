"""tax-probe: how much slower CPython runs when embedded, and why."""
