"""Class variables, class and static methods, properties, inheritance and super."""


class Animal:
    count = 0

    def __init__(self, name):
        self.name = name
        type(self).count += 1

    @classmethod
    def named(cls, *names):
        return [cls(name) for name in names]

    @staticmethod
    def kind():
        return "animal"

    @property
    def title(self):
        return self.name.title()

    @title.setter
    def title(self, value):
        self.name = value.lower()

    def speak(self):
        return "%s makes a sound" % self.name


class Dog(Animal):
    def speak(self):
        return super().speak() + ": wow"


class Puppy(Dog):
    def speak(self):
        return super().speak().upper()


rex, bo = Dog.named("rex", "bo")
rex.title = "REX the Second"
print(rex.title, rex.speak(), Puppy("tim").speak(), Dog.count, Puppy.count, Animal.count, Dog.kind())
print([cls.__name__ for cls in Puppy.__mro__], isinstance(bo, Animal), issubclass(Dog, Puppy))
