"""Says which opcodes the interpreter has, and how it was configured to dispatch them, into the side file.

That is ``repr`` of (number → name, setting → whether it is so). Runs inside a launcher, in any CPython from 3.8 on.
Names: ``opcode.opmap``; specialised ones are in ``dis._all_opmap`` (3.11 and 3.12) or ``opcode._specialized_opmap``
(from 3.13 on). Settings: ``switch``, ``tail-calls`` and ``jit`` by the options of configure, by HAVE_COMPUTED_GOTOS of
pyconfig.h (USE_COMPUTED_GOTOS is 0 too where it was left open), and by ``sys._jit`` from 3.14 on. What nobody says is
left out.
"""

import os
import sys

try:
    import opcode

    numbers = dict(opcode.opmap)
    numbers.update(getattr(opcode, "_specialized_opmap", {}))
    if hasattr(opcode, "_specialized_instructions"):
        import dis

        numbers.update(getattr(dis, "_all_opmap", {}))
except ImportError:
    numbers = {}
settings = {}
try:
    import sysconfig

    known = sysconfig.get_config_vars()
    words = str(known.get("CONFIG_ARGS") or "")
    settings["switch"] = "--without-computed-gotos" in words or not known.get("HAVE_COMPUTED_GOTOS", 1)
    settings["tail-calls"] = "--with-tail-call-interp" in words
    settings["jit"] = "--enable-experimental-jit" in words
except Exception:  # noqa: S110 - a bundled program has no such files, and then nobody says
    pass
if hasattr(sys, "_jit"):
    settings["jit"] = sys._jit.is_enabled()
with open(os.environ["TAX_PROBE_SIDE"], "w") as side:
    side.write(repr(({number: name for name, number in numbers.items() if number < 256}, settings)))
