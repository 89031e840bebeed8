"""Takes a pass and a command, gives readings: hardware, callgrind, software, behind one seam (`source`)."""
