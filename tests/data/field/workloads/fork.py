import os, sys
sys.stdout.flush()
if os.fork() == 0:
    print(sum(range(int(sys.argv[1])))); sys.stdout.flush(); os._exit(0)
os.wait()
