"""List, set, dict and generator expressions, nested and with conditions."""

print([x * y for x in range(5) if x % 2 for y in range(4) if y > x // 2])
print(sorted({word[0] for word in ("apple", "avocado", "bean")}))
print({k: [v for v in range(k)] for k in range(4)})
print(sum(n * n for n in range(100) if n % 3), [[row[i] for row in ((1, 2), (3, 4))] for i in range(2)])
print([y for x in range(6) if (y := x * x) > 4], any(x > 4 for x in range(5)), all([]))
