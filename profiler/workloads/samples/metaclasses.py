"""A metaclass that registers, checks and adds; __init_subclass__; __call__ of a metaclass."""


class Registry(type):
    known = {}

    def __new__(mcls, name, bases, namespace, **options):
        cls = super().__new__(mcls, name, bases, {**namespace, "tag": options.get("tag", name.lower())})
        mcls.known[name] = cls
        return cls

    def __init__(cls, name, bases, namespace, **options):
        super().__init__(name, bases, namespace)

    def __call__(cls, *args):
        made = super().__call__(*args)
        made.serial = len(args)
        return made

    def __len__(cls):
        return len(cls.__name__)


class Base(metaclass=Registry):
    def __init__(self, *args):
        self.args = args


class Child(Base, tag="special"):
    pass


class Plugin:
    found = []

    def __init_subclass__(cls, rank=0, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.found.append((rank, cls.__name__))


class A(Plugin, rank=2):
    pass


class B(Plugin):
    pass


print(
    sorted(Registry.known),
    Base.tag,
    Child.tag,
    Child(1, 2).serial,
    len(Child),
    type(Child).__name__,
    sorted(Plugin.found),
)
print(type("Made", (Base,), {"x": 5})().x, "Made" in Registry.known)
