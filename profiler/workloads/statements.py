"""Single statements, each in a loop of its own that repeats it few times or many: M from the command line.

``statements.py M FEW MANY STATEMENT…``: M is ``form × 1_000_000 + iterations``. Form 0 does each statement once an
iteration, form ``2 i + 1`` does statement i FEW times, ``2 i + 2`` MANY times. What a loop itself takes is equal in
both, and so cancels in their difference: a branch that is never taken makes each body so long that its jumps need as
many EXTENDED_ARG, and all that a statement jumps to lies beyond 256 as well.
"""

import sys

FORM = 1000000
NEVER_TAKEN = 200
WARM = 64


class Thing:
    """What attributes and methods are looked up of."""

    kind = "thing"

    def __init__(self):
        self.value = 5

    def __repr__(self):
        return "a thing"

    def method(self):
        return 5

    @property
    def computed(self):
        return 5

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None


class Slotted:
    """The same in a slot."""

    __slots__ = ("value",)


def nothing():
    return None


def one(p):
    return p


def keywords(p, *, q=3):
    return q


NUMBER = 7
CHANGED = 0
HEAD = """def loop(m):
    global CHANGED
    never = 0
    p, q, r, large, byte = 500, 300, 1.5, 10**20, b"abc"
    s, u, digits = "abc", "def", "42"
    t, l, d = (1, 2), [3, 1, 2], {"a": 1, "k": 2}
    o, z = Thing(), Slotted()
    z.value = x = y = 5
    for i in range(m):
        if never:
"""


def compiled(statements):
    """A function of iterations, whose loop does each of ``statements`` in turn."""
    lines = [HEAD, "            x = " + " + ".join(["never"] * NEVER_TAKEN) + "\n"]
    lines += ["        " + line + "\n" for statement in statements for line in statement.split("\n")]
    lines.append("    return repr((x, y))\n")
    names = dict(globals())
    exec("".join(lines), names)  # noqa: S102 - the statements of our list
    return names["loop"]


def extended(function):
    """How many EXTENDED_ARG it has; None where the interpreter has no module that says which these are."""
    try:
        import opcode
    except ImportError:
        return None
    return sum(number == opcode.EXTENDED_ARG for number in function.__code__.co_code[::2])


def pair(statement):
    """The functions that do it few times and many.

    Raises:
        SystemExit: they differ in EXTENDED_ARG by more than those of the statement itself.
    """
    few, many = map(int, sys.argv[2:4])
    found = [compiled([statement] * times) for times in (few, many)]
    jumps = [extended(function) for function in found]
    if None not in jumps and (jumps[1] - jumps[0]) % (many - few):
        sys.exit(f"the loops around {statement!r} need {jumps} EXTENDED_ARG")
    return found


def prepare(form):
    """Have the function of ``form`` compiled and warm. With form 0, which comes first where a process does many, all
    are: nothing of that is in the work of another then."""
    statements = sys.argv[4:]
    wanted = range(1, 2 * len(statements), 2) if form == 0 else [form - (form + 1) % 2]
    if 0 not in KNOWN:
        KNOWN[0] = compiled(statements)
    for first in wanted:
        if first not in KNOWN:
            KNOWN[first], KNOWN[first + 1] = pair(statements[first // 2])
    for function in KNOWN.values():
        function(WARM)


KNOWN = {}


def run(m):
    form, iterations = divmod(m, FORM)
    if form not in KNOWN:
        prepare(form)
    return form, iterations, KNOWN[form](iterations)


print(run(int(sys.argv[1])))
