"""Functions, methods and modules that are changed while the program runs, and put back."""

import math
import types


class Greeter:
    def greet(self):
        return "hello"


greeter = Greeter()
print(greeter.greet())
Greeter.greet = lambda self: "patched"
print(greeter.greet())
greeter.greet = types.MethodType(lambda self: "own %s" % type(self).__name__, greeter)
print(greeter.greet(), Greeter().greet())
del greeter.greet
print(greeter.greet())
before = math.sqrt
try:
    math.sqrt = lambda x: "root of %s" % x
    print(math.sqrt(4))
finally:
    math.sqrt = before
print(math.sqrt(4))
Greeter.__add__ = lambda self, other: "sum with %s" % other
print(greeter + 3)


class Loud(Greeter):
    def greet(self):
        return super().greet() + "!"


greeter.__class__ = Loud
print(greeter.greet())
