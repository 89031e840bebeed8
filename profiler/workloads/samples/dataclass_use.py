"""Dataclasses: defaults, order, frozen ones, replace, fields."""

from dataclasses import FrozenInstanceError, asdict, astuple, dataclass, field, fields, replace


@dataclass(order=True)
class Item:
    price: float
    name: str = field(compare=False)
    tags: list = field(default_factory=list, compare=False)


@dataclass(frozen=True)
class Place:
    x: int = 0
    y: int = 0

    def moved(self, by):
        return replace(self, x=self.x + by)


items = [Item(3.5, "c"), Item(1.25, "a", ["new"]), Item(2.0, "b")]
print([item.name for item in sorted(items)], items[1], asdict(items[1]), astuple(Place(1)))
try:
    Place().x = 3
except FrozenInstanceError as error:
    print(type(error).__name__)
print(Place(1).moved(4), len({Place(), Place(), Place(1)}), [one.name for one in fields(Item)])
