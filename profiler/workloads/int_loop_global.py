"""The PoC's pure integer loop at module level (LOAD_NAME, STORE_NAME)."""

import sys

acc = 0
for i in range(int(sys.argv[1])):
    acc += i * i - (i & 7)
print(acc)
