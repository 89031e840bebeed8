"""Takes a pass and a command, gives readings: hardware, qemu, callgrind, software, behind one seam (`source`)."""
