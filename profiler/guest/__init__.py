"""What runs inside the target's process, in any CPython from 3.8 on: the placed script, its server, the probe."""
