"""Data and non-data descriptors, __set_name__, and which of them wins."""


class Positive:
    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, instance, owner=None):
        return self if instance is None else getattr(instance, self.name, 0)

    def __set__(self, instance, value):
        if value < 0:
            raise ValueError("%s is negative" % self.name)
        setattr(instance, self.name, value)


class Lazy:
    def __init__(self, make):
        self.make = make

    def __get__(self, instance, owner=None):
        value = instance.__dict__[self.make.__name__] = self.make(instance)
        return value


class Account:
    balance = Positive()
    made = 0

    @Lazy
    def report(self):
        Account.made += 1
        return "balance %d" % self.balance


account = Account()
account.balance = 5
print(account.report, account.report, Account.made, account.balance, type(Account.balance).__name__)
try:
    account.balance = -1
except ValueError as error:
    print(error)
account.__dict__["balance"] = 99
print(account.balance, sorted(account.__dict__))
