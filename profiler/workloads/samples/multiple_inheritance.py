"""The order of resolution, cooperative super, mixins, abstract classes."""

from abc import ABC, abstractmethod


class Root:
    def chain(self):
        return ["Root"]


class Left(Root):
    def chain(self):
        return ["Left", *super().chain()]


class Right(Root):
    def chain(self):
        return ["Right", *super().chain()]


class Both(Left, Right):
    def chain(self):
        return ["Both", *super().chain()]


class Shape(ABC):
    @abstractmethod
    def area(self):
        """Of the shape."""

    def told(self):
        return "area %d" % self.area()


class Square(Shape):
    def __init__(self, side):
        self.side = side

    def area(self):
        return self.side**2


print(Both().chain(), Square(4).told())
for make in (Shape, lambda: type("Odd", (Root, Left), {})):
    try:
        make()
    except TypeError as error:
        print(type(error).__name__)
Shape.register(int)
print(isinstance(3, Shape), issubclass(Square, Shape))
