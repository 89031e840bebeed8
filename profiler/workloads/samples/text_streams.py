"""StringIO and BytesIO, csv, and line endings."""

import csv
import io

out = io.StringIO()
writer = csv.writer(out, lineterminator="\n")
writer.writerows([["a", "b c", 'quoted "x"'], [1, 2.5, "line\nbreak"]])
print(out.getvalue(), end="")
out.seek(0)
print(list(csv.reader(out)), list(csv.DictReader(io.StringIO("x,y\n1,2\n3,4\n")))[1]["y"])
raw = io.BytesIO(b"one\r\ntwo\nthree")
print([line for line in raw], io.TextIOWrapper(io.BytesIO(b"a\r\nb"), encoding="utf-8").read(), raw.tell())
out = io.StringIO()
print("x", 1, sep="-", end="!\n", file=out)
print(repr(out.getvalue()), "a\x0bb\u2028c\n".splitlines())
