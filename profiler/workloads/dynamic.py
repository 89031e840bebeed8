"""The PoC's dynamic work: a descriptor, a dispatch table, and getattr, in every iteration."""

import sys


class Scaled:
    """A data descriptor that computes on access."""

    def __set_name__(self, owner, name):
        self.slot = "_" + name

    def __get__(self, instance, owner=None):
        return getattr(instance, self.slot) * 3

    def __set__(self, instance, value):
        setattr(instance, self.slot, value & 0xFFFF)


class Machine:
    value = Scaled()

    def __init__(self):
        self.value = 1

    def op_add(self, x):
        self.value = self.value + x

    def op_xor(self, x):
        self.value = self.value ^ x

    def op_mul(self, x):
        self.value = self.value * (x | 1)

    def op_neg(self, x):
        self.value = x - self.value


NAMES = ("op_add", "op_xor", "op_mul", "op_neg")


def run(m):
    machine = Machine()
    table = {index: getattr(machine, name) for index, name in enumerate(NAMES)}
    acc = 0
    for i in range(m):
        table[i & 3](i & 1023)
        getattr(machine, NAMES[(i >> 2) & 3])(7)
        acc = (acc * 31 + machine.value) & 0xFFFFFFFF
    return acc


if __name__ == "__main__":
    print(run(int(sys.argv[1])))
