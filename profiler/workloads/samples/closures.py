"""Closures, nonlocal, and late binding."""


def counter(start):
    value = start

    def up(by=1):
        nonlocal value
        value += by
        return value

    def reset():
        nonlocal value
        value = start

    return up, reset


up, reset = counter(10)
print(up(), up(5), up(), reset(), up())
late = [lambda: n for n in range(3)]
bound = [lambda n=n: n for n in range(3)]
print([f() for f in late], [f() for f in bound], up.__closure__[0].cell_contents)
