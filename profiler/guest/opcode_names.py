"""Says which opcodes the interpreter has, specialised ones too: ``repr`` of number → name, into the side file.

Runs inside a launcher, in any CPython from 3.8 on. Names: ``opcode.opmap``; specialised ones are in ``dis._all_opmap``
(3.11 and 3.12) or ``opcode._specialized_opmap`` (from 3.13 on).
"""

import os

try:
    import opcode

    numbers = dict(opcode.opmap)
    numbers.update(getattr(opcode, "_specialized_opmap", {}))
    if hasattr(opcode, "_specialized_instructions"):
        import dis

        numbers.update(getattr(dis, "_all_opmap", {}))
except ImportError:
    numbers = {}
with open(os.environ["TAX_PROBE_SIDE"], "w") as side:
    side.write(repr({number: name for name, number in numbers.items() if number < 256}))
