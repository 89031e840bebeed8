"""What functions and code objects say of themselves."""

import inspect


def outer(a, /, b=2, *args, c, **kwargs):
    x = 1

    def inner():
        return x + a

    return inner


print(inspect.signature(outer), outer.__code__.co_argcount, outer.__code__.co_varnames[:2], outer.__defaults__)
print(outer(5, c=1).__code__.co_freevars, outer.__qualname__, outer(5, c=1).__qualname__, callable(outer))
print(inspect.isgeneratorfunction(outer), [name for name in outer.__code__.co_names if name != "x"])
namespace = {}
exec(compile("y = [n * n for n in range(4)]\nz = sum(y)", "made", "exec"), namespace)
print(namespace["z"], eval("z + 1", namespace))
