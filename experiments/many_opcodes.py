"""Statements of many kinds, so that most opcodes of ordinary code run in each iteration: M from the command line."""

import sys


class Point:
    __slots__ = ("x", "y")
    kind = "point"

    def __init__(self, x, y):
        self.x = x
        self.y = y

    def norm(self):
        return self.x + self.y

    @property
    def double(self):
        return self.x * 2


class Box:
    def __init__(self, value):
        self.value = value

    def get(self):
        return self.value

    def __len__(self):
        return 3


TABLE = {"a": 1, "b": 2, "c": 3}
LIMIT = 7


def plain(p, q=3):
    return p + q


def keywords(p, *, q):
    return p - q


def many(*args, **kwargs):
    return len(args) + len(kwargs)


def pairs(n):
    for k in range(n):
        yield k, k + 1


def outer(p):
    def inner(q):
        nonlocal p
        p = p + q
        return p

    return inner(2)


def run(m):
    global LIMIT
    acc = 0
    text = "abc"
    numbers = [3, 1, 2]
    floats = 1.5
    record = {"k": 1}
    box = Box(5)
    for i in range(m):
        point = Point(i & 7, 2)
        acc += i * i - (i & 7)
        acc ^= i << 1 | i >> 2
        acc %= 1000003
        floats = floats * 1.0001 + 0.5 - floats / 3.0
        acc += point.norm() + point.double + box.get() + box.value
        point.x = i & 3
        box.value = i & 15
        acc += len(box) + len(text) + len(numbers)
        numbers[0] = i & 5
        numbers[1], numbers[2] = numbers[2], numbers[1]
        first, second, third = numbers
        acc += first if second > third else third
        one = (first, second)
        left, right = one
        acc += one[0] + left - right
        record["k"] = acc & 3
        acc += record["k"] + TABLE["b"]
        if "a" in TABLE and text is not None and not acc == -1:
            acc += LIMIT
        LIMIT = acc & 7
        word = text + "d"
        acc += word == "abcd"
        label = f"{left}:{right!r}"
        acc += len(label)
        acc += plain(left) + plain(left, right) + keywords(left, q=right) + many(*one, **record)
        for k, v in pairs(2):
            acc += k * v
        acc += sum([n for n in numbers if n])
        squares = {n: n * n for n in numbers}
        acc += len(squares) + len({left, right, 9}) + len([1, 2, left])
        part = numbers[1:]
        acc += part[-1] + (-left) + (~right & 3)
        acc += outer(left)
        add = lambda p: p + 1  # noqa: E731
        acc += add(left)
        try:
            if left == 3:
                raise ValueError
            acc += 1
        except ValueError:
            acc += 2
        while left > 1:
            left -= 1
            if left == 2:
                continue
        acc += isinstance(box, Box) + int("7") + max(left, right) + abs(-2)
        joined = ",".join(["x", "y"])
        acc += joined.count("x")
        numbers.append(4)
        numbers.pop()
        del part
        assert acc is not True
        first = second = left or right
        acc += first and second
    return acc, round(floats, 6)


if __name__ == "__main__":
    print(run(int(sys.argv[1])))
