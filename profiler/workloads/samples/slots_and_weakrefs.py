"""__slots__, weak references, and the end of objects."""

import gc
import weakref


class Small:
    __slots__ = ("a", "__weakref__")


class Graph:
    def __init__(self):
        self.me = self


small = Small()
small.a = 1
try:
    small.b = 2
except AttributeError as error:
    print(type(error).__name__)
ended = []
reference = weakref.ref(small, lambda _: ended.append("small"))
print(reference() is small, hasattr(small, "__dict__"))
del small
gc.collect()
print(reference(), ended)
cyclic = Graph()
weakref.finalize(cyclic, ended.append, "graph")
kept = weakref.WeakValueDictionary(key=cyclic)
print(list(kept))
del cyclic
gc.collect()
print(ended, list(kept))
