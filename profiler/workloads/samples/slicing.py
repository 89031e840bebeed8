"""Slices of sequences, with steps and beyond their ends; slice assignment and deletion."""

text, numbers = "abcdefgh", list(range(10))
print(text[2:5], text[-3:], text[::-1], text[::3], text[7:2:-2], text[5:2], text[-100:100], numbers[slice(1, None, 4)])
numbers[2:5] = ["x"]
numbers[::4] = ["s", "t"]
del numbers[-2:]
print(numbers, slice(None, -2).indices(7), (1, 2, 3)[1:], range(20)[3:15:4], list(range(20)[::-6]))
nested = [[0] * 3 for _ in range(2)]
nested[0][1:] = "ab"
print(nested, [1, 2] * 2 + [3], [1, 2] < [1, 3], "b" * 3)
