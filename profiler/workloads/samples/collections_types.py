"""Counter, defaultdict, deque, OrderedDict, namedtuple, ChainMap."""

from collections import ChainMap, Counter, OrderedDict, defaultdict, deque, namedtuple

words = "the cat and the dog and the bird".split()
print(sorted(Counter(words).items()), Counter(words).most_common(1), sorted((Counter("aab") - Counter("abc")).items()))
groups = defaultdict(list)
for word in words:
    groups[len(word)].append(word)
print(sorted(groups.items()))
queue = deque(range(5), maxlen=4)
queue.rotate(1)
queue.appendleft(9)
print(list(queue))
ordered = OrderedDict((c, n) for n, c in enumerate("abc"))
ordered.move_to_end("a")
print(list(ordered), ordered.popitem(last=False))
Point = namedtuple("Point", "x y", defaults=[0])
print(Point(1), Point(1)._replace(y=5), Point(3, 4)._asdict() == {"x": 3, "y": 4})
print(ChainMap({"a": 1}, {"a": 2, "b": 3})["b"], sorted(ChainMap({"a": 1}, {"a": 2, "b": 3}).items()))
