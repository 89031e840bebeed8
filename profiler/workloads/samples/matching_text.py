"""re: groups, names, look-around, substitution by a function."""

import re

log = "2024-01-05 ERROR disk=93% host=a1\n2024-01-06 INFO disk=5% host=b22\n"
pattern = re.compile(r"^(?P<date>\d{4}-\d\d-\d\d) (?P<level>[A-Z]+) disk=(\d+)% host=(\w+)$", re.MULTILINE)
print([match.groupdict() for match in pattern.finditer(log)], pattern.findall(log)[1][2:])
print(re.sub(r"(\d+)%", lambda match: "%d/100" % (int(match[1]) + 1), log).splitlines())
print(re.split(r"[,;]\s*", "a, b;c,  d"), re.search(r"(?<=host=)\w+", log)[0], re.fullmatch(r"a+?b*", "aab").span())
print(re.sub(r"(?i)(a)(b)", r"\2-\1", "abAB"), bool(re.match(r"(\w)\w*\1$", "level")), re.escape("a.b*c"))
print(re.findall(r"\b\w+\b(?! \d)", "one 1 two three 3"), re.compile("é+").search("caféé").span())
