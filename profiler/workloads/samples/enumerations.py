"""Enum, IntEnum, Flag and auto."""

from enum import Enum, Flag, IntEnum, auto, unique


class Color(Enum):
    RED = 1
    GREEN = 2
    ALSO_RED = 1

    @property
    def short(self):
        return self.name[0]


class Level(IntEnum):
    LOW = auto()
    HIGH = auto()


class Mode(Flag):
    READ = auto()
    WRITE = auto()
    BOTH = READ | WRITE


print(
    [color.name for color in Color],
    Color(2).short,
    Color["ALSO_RED"] is Color.RED,
    Level.LOW < Level.HIGH,
    Level.HIGH + 1,
)
print(Mode.READ in Mode.BOTH, (Mode.BOTH & ~Mode.READ) is Mode.WRITE, bool(Mode.READ & Mode.WRITE))
try:

    @unique
    class Twice(Enum):
        A = 1
        B = 1
except ValueError as error:
    print(type(error).__name__)
