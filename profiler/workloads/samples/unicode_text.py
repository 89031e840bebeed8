"""Text beyond ASCII: categories, normal forms, case, encodings, errors."""

import unicodedata

text = "Straße ﬁ É e\u0301 Ω 中文 \U0001f40d"
print(text.upper(), text.casefold(), len(text), [hex(ord(c)) for c in text[-3:]])
print(unicodedata.normalize("NFC", "e\u0301") == "\xe9", unicodedata.normalize("NFKD", "ﬁ"), unicodedata.name("Ω"))
for encoding in ("utf-8", "utf-16-le", "latin-1", "ascii"):
    print(encoding, text.encode(encoding, "replace")[:24])
print(
    "ä€".encode("ascii", "xmlcharrefreplace"),
    b"a\xffb".decode("utf-8", "replace"),
    b"\xff".decode("utf-8", "surrogateescape").encode("utf-8", "surrogateescape"),
)
print("\u0130".lower() == "i\u0307", "٣".isdigit(), int("٣") + 1, "ǆ".title())
print(sorted("zäaÄ"), ascii("é"), "ß" < "st")
