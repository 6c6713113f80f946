"""
Runs a command in a pseudo-terminal: what comes on stdin is typed, what it shows goes to stdout. With
--sized, each line of file descriptor 3 is a size, "rows columns", and the first comes before the command.
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios

words = sys.argv[1:]
sizes = os.fdopen(3, "rb", buffering=0) if words[0] == "--sized" else None
if sizes is not None:
    words = words[1:]


def resize(file, size):
    rows, columns = (int(number) for number in size.split())
    fcntl.ioctl(file, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


first = sizes.readline() if sizes is not None else None
pid, terminal = pty.fork()
if pid == 0:
    if first is not None:
        resize(0, first)
    os.execvp(words[0], words)

inputs = [terminal, 0] + ([sizes] if sizes is not None else [])
while terminal in inputs:
    for ready in select.select(inputs, [], [])[0]:
        if ready is sizes:
            size = sizes.readline()
            if size:
                resize(terminal, size)
            else:
                inputs.remove(sizes)
            continue
        try:
            data = os.read(ready, 65536)
        except OSError:
            data = b""
        if not data:
            inputs.remove(ready)
        elif ready == terminal:
            os.write(1, data)
        else:
            os.write(terminal, data)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
