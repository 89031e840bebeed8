"""getattr, setattr, delattr and hasattr by names that are made at run time."""


class Bag:
    pass


bag = Bag()
for n in range(5):
    setattr(bag, "item%d" % n, n * n)
print([getattr(bag, "item%d" % n) for n in range(5)], getattr(bag, "item9", "none"))
delattr(bag, "item3")
print(hasattr(bag, "item3"), sorted(vars(bag)))
bag.__dict__["added"] = "by the dictionary"
print(bag.added, sum(getattr(bag, name) for name in sorted(vars(bag)) if name.startswith("item")))
