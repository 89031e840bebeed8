import sys
def run(m):
    words = 0
    for line in sys.stdin: words += len(line.split())
    return words * m
print(run(int(sys.argv[1])))
