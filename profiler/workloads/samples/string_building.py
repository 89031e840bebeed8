"""Formatting in three ways, joining, templates, text wrapping."""

import string
import textwrap

name, number = "tax", 42
print("%-6s|%5d|%05.1f|%x|%o|%e|%r" % (name, number, 2.25, 255, 8, 12345.678, "q'"))
print("{0:>8}|{1:^8}|{0!r:<8}|{n:+,d}|{n:#b}|{d[k]}|{o.real}".format(name, number, n=1234567, d={"k": "v"}, o=3))
print(f"{name:*^9}|{number:>{len(name) + 3}}|{number / 7:.3f}|{name!s:.2}|{{}}|{number:08b}")
print(string.Template("$who has $$$n").substitute(who=name, n=3), string.capwords("the end of it"))
print(textwrap.fill("a long line that has to be broken at some place or other", width=20))
print(
    ",".join(map(str, range(5))),
    "a-b-c".rpartition("-"),
    "  x ".strip(),
    "x".zfill(3),
    "abcabc".replace("b", "", 1),
    "a\tb".expandtabs(4),
)
print(
    "Title Case".swapcase(), "one two".title(), "abc".translate(str.maketrans("ab", "xy", "c")), "x=1;y".split(";", 1)
)
