"""Makes a PNG small: 256 colours are enough for a dashboard. In Python alone, some seconds for a picture."""
import collections
import struct
import zlib


def chunks(data):
    at = 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        yield kind, data[at + 8:at + 8 + size]
        at += size + 12


def paeth(left, up, corner):
    """PNG, 9.4: the neighbour that is nearest to left + up - corner."""
    near_left, near_up, near_corner = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    if near_left <= near_up and near_left <= near_corner:
        return left
    return up if near_up <= near_corner else corner


def rows(pixels, width, depth):
    """The lines of a picture of 8 bits a channel, their filters undone."""
    length, former = width * depth, bytes(width * depth)
    for start in range(0, len(pixels), length + 1):
        kind, line = pixels[start], bytearray(pixels[start + 1:start + 1 + length])
        for i in range(length) if kind else ():
            left, up = (line[i - depth] if i >= depth else 0), former[i]
            if kind == 1:
                guess = left
            elif kind == 2:
                guess = up
            elif kind == 3:
                guess = (left + up) // 2
            else:
                guess = paeth(left, up, former[i - depth] if i >= depth else 0)
            line[i] = (line[i] + guess) & 255
        former = bytes(line)
        yield former


def shrink(file):
    data = file.read_bytes()
    parts = list(chunks(data))
    width, height, bits, kind = struct.unpack(">IIBB", parts[0][1][:10])
    depth = {2: 3, 6: 4}[kind]
    assert bits == 8
    packed = zlib.decompress(b"".join(content for name, content in parts if name == b"IDAT"))
    lines = [[line[i:i + 3] for i in range(0, len(line), depth)] for line in rows(packed, width, depth)]
    counts = collections.Counter(color for line in lines for color in line)
    palette = [color for color, _ in counts.most_common(256)]
    index = {color: number for number, color in enumerate(palette)}
    for color in counts:
        if color not in index:
            index[color] = min(range(len(palette)), key=lambda number: sum((a - b) ** 2 for a, b in zip(palette[number], color)))
    body = b"".join(b"\0" + bytes(index[color] for color in line) for line in lines)
    written = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)), (b"PLTE", b"".join(palette)),
               (b"IDAT", zlib.compress(body, 9)), (b"IEND", b"")]
    file.write_bytes(data[:8] + b"".join(struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
                                         for name, content in written))
