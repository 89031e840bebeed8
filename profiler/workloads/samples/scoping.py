"""Global, local and built-in names; del; and names of classes."""

x = "global"


def reads():
    return x


def shadows():
    x = "local"
    return x, reads()


def changes():
    global x
    x = "changed"
    return reads()


class Body:
    x = "class"
    seen = [x for _ in range(1)]

    def method(self):
        return x, self.x


print(reads(), shadows(), Body().method(), Body.seen, changes(), x)
max_before = max
max = lambda *args: "mine"
print(max(1, 2))
del max
print(max(1, 2), max is max_before, "x" in globals())
