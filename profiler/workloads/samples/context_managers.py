"""with: by a class, by a generator, several at once, and exceptions that are held back."""

from contextlib import ExitStack, contextmanager, suppress

log = []


class Held:
    def __init__(self, name, swallow=False):
        self.name, self.swallow = name, swallow

    def __enter__(self):
        log.append("enter " + self.name)
        return self

    def __exit__(self, kind, error, trace):
        log.append("exit %s %s" % (self.name, kind.__name__ if kind else None))
        return self.swallow


@contextmanager
def around(name):
    log.append("before " + name)
    try:
        yield name.upper()
    except KeyError as error:
        log.append("caught %s" % error.args[0])
    finally:
        log.append("after " + name)


with Held("a") as a, Held("b", swallow=True), around("c") as c:
    log.append(a.name + c)
    raise ValueError("x")
with around("d"):
    raise KeyError("k")
with suppress(ZeroDivisionError):
    1 // 0
with ExitStack() as stack:
    for name in "ef":
        stack.enter_context(Held(name))
    stack.callback(log.append, "called")
print("\n".join(log))
