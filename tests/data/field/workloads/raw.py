import os, sys
m = int(sys.argv[1]); data = b"".join(iter(lambda: os.read(0, 7), b""))
os.write(1, b"%d\n" % sum(data[i % len(data)] for i in range(m)))
