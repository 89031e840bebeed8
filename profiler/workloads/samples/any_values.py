"""Values of any type through one function."""


def told(value):
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "truth %d" % value
    if isinstance(value, (int, float)):
        return "number %s" % value
    if isinstance(value, str):
        return "text %s" % value
    if isinstance(value, (list, tuple, set, frozenset)):
        return "%s of %d: %s" % (type(value).__name__, len(value), ", ".join(sorted(map(told, value))))
    if isinstance(value, dict):
        return "; ".join("%s -> %s" % (told(key), told(value[key])) for key in sorted(value, key=repr))
    return type(value).__name__


print(told([1, 2.5, "x", None, True, (1, "y"), {"b": [1], "a": {"c": set()}}, frozenset([3, 1]), b"z", object()]))
