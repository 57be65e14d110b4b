"""Exchanges two names for each other, again and again, until it is ended: flipper.py ONE OTHER. Linux."""

import ctypes
import sys

libc = ctypes.CDLL(None)
one, other = (name.encode() for name in sys.argv[1:3])
AT_FDCWD, RENAME_EXCHANGE = -100, 2
print("ready", flush=True)
while True:
    libc.renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE)
