"""A FUSE file system that is empty and tells the figures it was given: fuseDouble.py FOLDER BSIZE FRSIZE BLOCKS FREE.

Prints "ready" once it is mounted, and ends when it is unmounted. For root, on Linux."""

import ctypes
import errno
import os
import struct
import sys

folder, bsize, frsize, blocks, free = sys.argv[1], *map(int, sys.argv[2:6])
LOOKUP, FORGET, GETATTR, STATFS, RELEASE, INIT, OPENDIR, READDIR, RELEASEDIR, DESTROY = (
    1, 2, 3, 17, 18, 26, 27, 28, 29, 38,
)

device = os.open("/dev/fuse", os.O_RDWR)
libc = ctypes.CDLL(None, use_errno=True)
options = f"fd={device},rootmode=40755,user_id=0,group_id=0,allow_other".encode()
if libc.mount(b"holter-fuse", folder.encode(), b"fuse", 0, options) != 0:
    sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")
print("ready", flush=True)


def answer(opcode):
    if opcode == INIT:
        return struct.pack("<IIIIHHIIHHI7I", 7, 31, 65536, 0, 1, 1, 65536, 1, 16, 0, 0, *[0] * 7)
    if opcode == GETATTR:
        attributes = struct.pack("<6Q10I", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 2, 0, 0, 0, 4096, 0)
        return struct.pack("<QII", 1, 0, 0) + attributes
    if opcode == STATFS:
        return struct.pack("<5Q4I6I", blocks, free, free, 100, 90, bsize, 255, frsize, 0, *[0] * 6)
    if opcode == OPENDIR:
        return struct.pack("<QII", 1, 0, 0)
    if opcode in (READDIR, RELEASE, RELEASEDIR):
        return b""
    return None


while True:
    try:
        request = os.read(device, 1 << 17)
    except OSError as error:
        if error.errno == errno.ENODEV:
            break
        continue
    _, opcode, unique = struct.unpack_from("<IIQ", request)
    if opcode in (FORGET, DESTROY):
        continue
    body = answer(opcode)
    code = 0 if body is not None else -(errno.ENOENT if opcode == LOOKUP else errno.ENOSYS)
    os.write(device, struct.pack("<IiQ", 16 + len(body or b""), code, unique) + (body or b""))
