"""The programs of the folder ``samples``, each once a round: what they print must be the same everywhere.

As a workload an iteration is one round of all of them. ``tell`` writes what each of them prints, or how it failed.
"""

import hashlib
import io
import json
import os
import sys
import types

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "samples")


def names():
    return sorted(name[:-3] for name in os.listdir(FOLDER) if name.endswith(".py"))


def compiled(name):
    path = os.path.join(FOLDER, name + ".py")
    with open(path, encoding="utf-8") as source:
        return compile(source.read(), path, "exec")


def printed(name, code):
    """What a sample prints, run as a module of its own."""
    module = types.ModuleType(name)
    own, kept = sys.stdout, sys.modules.get(name)
    sys.stdout, sys.modules[name] = io.StringIO(), module
    try:
        exec(code, module.__dict__)
        return sys.stdout.getvalue()
    finally:
        sys.stdout = own
        if kept is None:
            del sys.modules[name]
        else:
            sys.modules[name] = kept


def run(m):
    programs = [(name, compiled(name)) for name in names()]
    digest = hashlib.sha256()
    for _ in range(m):
        for name, code in programs:
            digest.update(printed(name, code).encode())
    return "%d rounds of %d samples: %s" % (m, len(programs), digest.hexdigest())


def tell(path):
    """A line per sample into the file ``path``, before each its name: whoever dies shows where."""
    with open(path, "w", encoding="utf-8") as out:
        for name in names():
            out.write(json.dumps({"begins": name}) + "\n")
            out.flush()
            try:
                said = {"name": name, "printed": printed(name, compiled(name))}
            except BaseException as error:
                said = {"name": name, "failed": "%s: %s" % (type(error).__name__, error)}
            out.write(json.dumps(said) + "\n")
            out.flush()


if __name__ == "__main__":
    print(run(int(sys.argv[1])))
