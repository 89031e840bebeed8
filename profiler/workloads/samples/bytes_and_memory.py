"""bytes, bytearray, memoryview and struct."""

import binascii
import struct

data = bytearray(range(16))
view = memoryview(data)
view[4:8] = b"abcd"
print(bytes(data), data.hex(), bytes(view[::5]), data.find(b"cd"))
packed = struct.pack("<Ihq2s", 7, -2, 1 << 40, b"hi")
print(packed, struct.unpack("<Ihq2s", packed), struct.calcsize(">d"))
print(
    binascii.crc32(packed),
    binascii.hexlify(b"\x00\xff"),
    bytes.fromhex("00 ff 10").translate(bytes(range(255, -1, -1))),
)
