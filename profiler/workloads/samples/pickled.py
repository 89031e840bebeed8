"""pickle, both ways, of what has its own way to be pickled."""

import pickle


class Money:
    def __init__(self, cents):
        self.cents = cents

    def __reduce__(self):
        return divmod, (self.cents, 100)


data = {"list": [1, 2.5, "é"], "set": {1}, "nested": ({"a": None},), "big": 1 << 100}
for protocol in (0, 2, 4):
    print(pickle.loads(pickle.dumps(data, protocol)) == data, pickle.loads(pickle.dumps(Money(1234), protocol)))
shared = [1]
one, two = pickle.loads(pickle.dumps((shared, shared)))
print(one is two)
