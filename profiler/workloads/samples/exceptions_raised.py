"""Exceptions: chains, else and finally, own classes, and what is raised again."""


class Broken(Exception):
    def __init__(self, code):
        super().__init__("broken %d" % code)
        self.code = code


def risky(n):
    try:
        if n == 0:
            return "zero"
        if n == 1:
            raise Broken(7)
        if n == 2:
            [][1]
        return "fine"
    except Broken as error:
        return "handled %d %s" % (error.code, error)
    except LookupError as error:
        raise RuntimeError("wrapped") from error
    else:
        return "never"
    finally:
        order.append(n)


order = []
print([risky(n) for n in (0, 1, 3)])
try:
    risky(2)
except RuntimeError as error:
    print(error, type(error.__cause__).__name__, order)
try:
    try:
        1 / 0
    except ZeroDivisionError:
        {}["x"]
except KeyError as error:
    print(type(error.__context__).__name__, error.args)


def loop():
    for n in range(3):
        try:
            continue
        finally:
            order.append("f%d" % n)


loop()
print(order)
