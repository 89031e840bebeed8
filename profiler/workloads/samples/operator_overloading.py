"""Operators of a class of one's own, reflected and in place."""


class Vector:
    def __init__(self, *parts):
        self.parts = parts

    def __repr__(self):
        return "Vector%r" % (self.parts,)

    def __add__(self, other):
        if not isinstance(other, Vector):
            return NotImplemented
        return Vector(*(a + b for a, b in zip(self.parts, other.parts)))

    def __mul__(self, by):
        return Vector(*(a * by for a in self.parts))

    __rmul__ = __mul__

    def __matmul__(self, other):
        return sum(a * b for a, b in zip(self.parts, other.parts))

    def __iadd__(self, other):
        self.parts = tuple(a + b for a, b in zip(self.parts, other.parts))
        return self

    def __eq__(self, other):
        return isinstance(other, Vector) and self.parts == other.parts

    def __hash__(self):
        return hash(self.parts)

    def __getitem__(self, at):
        return Vector(*self.parts[at]) if isinstance(at, slice) else self.parts[at]

    def __bool__(self):
        return any(self.parts)

    def __len__(self):
        return len(self.parts)


v = Vector(1, 2, 3)
same = v
v += Vector(1, 1, 1)
print(
    v,
    same is v,
    2 * v,
    v * 3,
    v @ v,
    v[1:],
    v[-1],
    len(v),
    bool(Vector(0, 0)),
    Vector(1) == Vector(1),
    len({Vector(1), Vector(1)}),
)
try:
    v + 1
except TypeError as error:
    print(type(error).__name__)
