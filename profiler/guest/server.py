"""Runs inside the interpreter under test: does the work in chunks on request, and says what each chunk took.

Not imported by tax-probe: the generated script (``guest.script``) executes this text in the process that it measures,
in any CPython from 3.8 on. Requests come line by line from a file or a FIFO, each is answered by one line:

    run M        do the work of M; the answer is ``repr((wall_ns, cpu_ns, counts, text, placement))``
    grow N…      keep N more objects of each size class, so that the heap is at another phase; no answer

The first line of the answers is ``repr((how, text, runs))``: whether the work is the workload's own function
``run(m)`` or its whole text executed again, what the text printed, and what these first runs took, each like an answer.
The placement of a chunk is where a fresh object lay just before it (``_tax_probe_where`` of the script).
"""

import io
import os
import stat
import sys
import time

WALL, CPU = time.perf_counter_ns, time.process_time_ns


def used_by_children():
    """What ended processes of this one took, to see whether there were any; None where it cannot be asked."""
    try:
        from resource import RUSAGE_CHILDREN, getrusage
    except ImportError:
        return None
    return getrusage(RUSAGE_CHILDREN)


class Clock:
    """No counters."""

    def start(self):
        """Begin a region."""

    def stop(self):
        """End it."""
        return ()


class MarkedRegions:
    """Regions that an emulator, in which the process runs, counts and writes to its own file."""

    def __init__(self, start, stop):
        self.start = start
        self._stop = stop

    def rehearsal(self):
        """One that writes no region, for runs of which nobody asked for one. It runs the same code: whatever the first
        call of it frees would be a hole in a full pool, had the pools been plugged before."""
        return MarkedRegions(WALL, WALL)

    def stop(self):
        """End it."""
        self._stop()
        return ()


def load_counters(path):
    """The extension module in the file ``path``, in whatever program this interpreter is."""
    # By what is frozen into every interpreter: a bundled program may have no importlib.
    from _frozen_importlib import ModuleSpec, module_from_spec
    from _frozen_importlib_external import ExtensionFileLoader

    loader = ExtensionFileLoader("_counters", path)
    module = module_from_spec(ModuleSpec("_counters", loader, origin=path))
    loader.exec_module(module)
    return module


def make_counter(wanted, path):
    """``clock``, the emulator's name, or ``perf:`` and names of events."""
    if wanted == "clock":
        return Clock()
    counters = load_counters(path)
    if wanted == "callgrind":
        return MarkedRegions(counters.valgrind_start, counters.valgrind_stop)
    if wanted == "qemu":
        return MarkedRegions(counters.qemu_start, counters.qemu_stop)
    return counters.Region(wanted.partition(":")[2].split(","))


class Server:
    """The work of one script, and the counter around it."""

    def __init__(self, code, namespace, count, counters, requests, answers):
        self.code = code
        self.namespace = namespace
        self.counter = make_counter(count, counters)
        self.requests = open(requests)
        self.answers = open(answers, "w")
        # A file that every chunk reads from its beginning; a terminal or /dev/null need not be.
        self.reads = sys.stdin is not None and stat.S_ISREG(os.fstat(0).st_mode)
        self.children = used_by_children()
        self.told = int(os.environ.get("TAX_PROBE_M") or 0)

    def serve(self, grow, where):
        """Answer requests until there are no more."""
        self.where = where
        first = int(sys.argv[1])
        names = dict(self.namespace)
        counter = self.counter.rehearsal() if isinstance(self.counter, MarkedRegions) else self.counter
        try:
            opening = self.whole(first, names, counter)
        finally:
            # Said first: what such work fails of here may be no more than that (a pool can pickle nothing of it).
            if used_by_children() != self.children:
                sys.exit("tax-probe: the work starts other processes, which are no part of a chunk")
        text = opening[3]
        run = names.get("run")
        # Only a function that gives what the whole script prints is the script's work.
        try:
            second = self.through(run, first, counter) if callable(run) else None
        except Exception:
            second = None
        through_run = second is not None and second[3] == text
        self.answer(("run" if through_run else "script", text, [opening, second] if through_run else [opening]))
        # What the first runs freed (a table that outgrew its room, say) left holes in pools that are full by then.
        grow(())
        kept = []
        for line in self.requests:
            word, *figures = line.split()
            figures = list(map(int, figures))
            if word == "grow":
                # Freed later, these would leave holes in pools that are full by then.
                kept.append((line, word, figures))
                grow(figures)
            elif through_run:
                self.answer(self.through(run, *figures, self.counter))
            else:
                self.answer(self.whole(*figures, dict(self.namespace), self.counter))

    def rewind(self):
        """Back to the beginning of what the work reads on stdin, for whoever reads it by whatever way."""
        if self.reads:
            os.lseek(0, 0, 0)
            sys.stdin.seek(0)

    def answer(self, what):
        """One line, at once."""
        self.answers.write(repr(what) + "\n")
        self.answers.flush()

    def through(self, run, m, counter):
        """One chunk by the workload's function."""
        self.rewind()
        placement = self.where()
        cpu, wall = CPU(), WALL()
        counter.start()
        result = run(m)
        counts = counter.stop()
        wall, cpu = WALL() - wall, CPU() - cpu
        return wall, cpu, counts, str(result) + "\n", placement

    def whole(self, m, names, counter):
        """One chunk by the whole text of the workload, with what it prints held back."""
        sys.argv[1] = str(m)
        if m != self.told:
            # Not anew for each chunk: the former value would leave a hole in the placed pools.
            self.told = m
            os.environ["TAX_PROBE_M"] = f"{m:012d}"
        self.rewind()
        stdout, sys.stdout = sys.stdout, io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="surrogateescape")
        placement = self.where()
        try:
            cpu, wall = CPU(), WALL()
            counter.start()
            exec(self.code, names)
            counts = counter.stop()
            wall, cpu = WALL() - wall, CPU() - cpu
            sys.stdout.flush()
            text = sys.stdout.buffer.getvalue().decode("utf-8", "surrogateescape")
        finally:
            sys.stdout = stdout
        return wall, cpu, counts, text, placement
