"""Decorators of functions, methods and classes, with and without arguments."""

import functools

calls = []


def traced(prefix):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            calls.append("%s%s%r" % (prefix, function.__name__, args[-1:]))
            return function(*args, **kwargs)

        return wrapper

    return decorate


def registered(cls):
    registered.names.append(cls.__name__)
    cls.label = "-".join(registered.names)
    return cls


registered.names = []


@registered
class One:
    @traced("m:")
    def double(self, x):
        return 2 * x


@registered
@registered
class Two(One):
    pass


@traced("outer:")
@traced("inner:")
def add(a, b):
    """Adds."""
    return a + b


print(add(1, 2), add.__name__, add.__doc__, One().double(4), Two.label, One.label)
print(calls)
