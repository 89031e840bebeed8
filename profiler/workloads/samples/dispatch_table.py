"""Dynamic dispatch by tables of functions and of bound methods."""

import operator


class Machine:
    def __init__(self):
        self.stack = []

    def push(self, value):
        self.stack.append(value)

    def binary(self, function):
        right, left = self.stack.pop(), self.stack.pop()
        self.stack.append(function(left, right))


table = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.floordiv, "^": operator.pow}
for text in ("3 4 + 2 *", "2 10 ^ 7 -", "100 7 / 3 -"):
    machine = Machine()
    for word in text.split():
        machine.binary(table[word]) if word in table else machine.push(int(word))
    print(text, "=", machine.stack)
print(operator.attrgetter("stack")(machine), operator.itemgetter(1, 0)("ab"), operator.methodcaller("upper")("x"))
