"""Processes, installed tools, the run lock, the machine and its cgroup: the impure edges that all rooms use."""
