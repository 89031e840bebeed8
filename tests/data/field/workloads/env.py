import os, sys
if len(sys.argv) != 1: del sys.argv[1:]
print(sum(i % 3 for i in range(int(os.environ["TAX_PROBE_M"]))))
