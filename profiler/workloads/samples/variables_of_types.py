"""Types as values: typing, generic classes, isinstance by tuples, and what a type says of itself."""

from typing import Dict, Generic, List, NamedTuple, Optional, TypeVar, get_type_hints

T = TypeVar("T")


class Box(Generic[T]):
    def __init__(self, value: T) -> None:
        self.value = value


class Row(NamedTuple):
    key: str
    value: Optional[int] = None


def sized(items: List[int], names: Dict[str, int]) -> Optional[int]:
    return len(items) + len(names)


print(Box[int](3).value, Row("a"), Row("b", 2)._fields, sorted(get_type_hints(sized)), sized([1], {"a": 1}))
print([type(value).__name__ for value in (1, 1.0, 1j, "", b"", None, ..., int, len, lambda: 0, NotImplemented)])
print(
    isinstance(True, (str, int)),
    type(type) is type,
    int.__subclasses__()[:1] == [bool],
    bool.__bases__ == (int,),
    (5).__class__.__mro__[-1].__name__,
)
