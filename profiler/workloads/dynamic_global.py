"""The PoC's dynamic work as the PoC had it: the loop at module level (LOAD_NAME, STORE_NAME)."""

import sys

from dynamic import NAMES, Machine

machine = Machine()
table = {index: getattr(machine, name) for index, name in enumerate(NAMES)}
acc = 0
for i in range(int(sys.argv[1])):
    table[i & 3](i & 1023)
    getattr(machine, NAMES[(i >> 2) & 3])(7)
    acc = (acc * 31 + machine.value) & 0xFFFFFFFF
print(acc)
