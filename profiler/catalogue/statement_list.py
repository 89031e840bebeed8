"""Single statements whose cost is told without symbols and without a trace: each a kind of ordinary code.

They run in ``workloads/statements.py``, which has the names. Every one leaves all as it was, so that the thousandth
costs what the first does; each is in the syntax of CPython 3.8.
"""

from __future__ import annotations

NAME = "statements"
"""The workload."""
STATEMENTS = (
    "x = p", "x = 5", "x = NUMBER", "x = len", "CHANGED = p",
    "x = p + q", "x = p - q", "x = p * q", "x = p // q", "x = p % q", "x = p / q", "x = p ** 2",
    "x = p & q", "x = p << 2", "x = p >> 1", "x = -p", "x = not p", "x = large + p", "x = large * large",
    "x = r + r", "x = r * r", "x = r / q",
    "x = p < q", "x = p == q", "x = s == u", "x = p is None", "x = p in t", "x = s in d",
    "x = s + u", "x = s[1]", "x = f'{p}'", "x = s.upper()", "x = int(digits)", "x = byte[1]",
    "x = t[0]", "x = l[0]", "x = l[1:]", "x = d['a']", "l[0] = p", "d['k'] = p",
    "x = [p, q]", "x = (p, q)", "x = {p, q}", "x = {'k': p}", "x, y = t", "x, y = q, p", "l.append(p)\nl.pop()",
    "x = o.value", "o.value = p", "x = z.value", "x = o.kind", "x = o.computed", "x = o.method()",
    "x = nothing()", "x = one(p)", "x = keywords(p, q=q)", "x = len(l)", "x = abs(q)", "x = isinstance(o, Thing)",
    "x = Thing()", "x = sum(l)", "x = sorted(l)",
    "x = p if q else r", "if p < q:\n    x = q", "for y in t:\n    pass", "for y in range(3):\n    pass",
    "x = [y for y in t]", "try:\n    x = p\nexcept ValueError:\n    pass", "with o:\n    pass",
)  # fmt: skip
FEW, MANY = 4, 12
"""How often a loop's body repeats its statement: the slope between both leaves the loop itself out."""
FORM = 1_000_000
"""M is the number of a form times this, and the iterations: see ``workloads/statements.py``."""
