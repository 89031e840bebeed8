"""Generators: send, throw, close, yield from, and a pipeline."""


def averager():
    total = count = 0
    average = None
    while True:
        try:
            value = yield average
        except ValueError:
            total = count = 0
            average = None
            continue
        total, count = total + value, count + 1
        average = total / count


def tree(depth):
    if depth:
        yield from tree(depth - 1)
        yield depth
        result = yield from leaf()
        yield result


def leaf():
    yield "leaf"
    return "done"


def numbers():
    try:
        n = 0
        while True:
            yield n
            n += 1
    finally:
        print("closed")


mean = averager()
next(mean)
print([mean.send(n) for n in (10, 20, 60)], mean.throw(ValueError("x")), mean.send(4))
print(list(tree(2)))
source = numbers()
squares = (n * n for n in source if n % 2)
print([next(squares) for _ in range(4)])
squares.close()
source.close()
