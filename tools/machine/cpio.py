"""A cpio archive in the "newc" format (see cpio(5)), as the kernel unpacks it.

The same entries give the same bytes: they are sorted, and times, owners and inode numbers do not come
from the machine that builds.
"""

import os
import stat


class Archive:
    """Paths are relative: "etc/passwd". A path that is added twice keeps what came first, except with
    `replace`, and a directory that is needed is made. All is root's but for what `give` gives."""

    def __init__(self):
        self._entries = {}  # path: (mode, contents)
        self._owners = {}   # path: (uid, gid)

    def _add(self, path, mode, contents, replace):
        if replace or path not in self._entries:
            self.add_directory(os.path.dirname(path))
            self._entries[path] = (mode, contents)

    def add_directory(self, path, mode=0o755):
        if path and path not in self._entries:
            self.add_directory(os.path.dirname(path))
            self._entries[path] = (stat.S_IFDIR | mode, b"")

    def add_bytes(self, path, contents, mode=0o644, replace=True):
        self._add(path, stat.S_IFREG | mode, contents, replace)

    def add_file(self, path, file):
        """The file of this machine; it is executable there when it is so here."""
        mode = 0o755 if os.access(file, os.X_OK) else 0o644
        with open(file, "rb") as stream:
            self.add_bytes(path, stream.read(), mode)

    def add_link(self, path, target, replace=False):
        self._add(path, stat.S_IFLNK | 0o777, target.encode(), replace)

    def give(self, path, uid, gid, mode):
        """What is there gets this owner and these permissions."""
        kind, contents = stat.S_IFMT(self._entries[path][0]), self._entries[path][1]
        self._entries[path] = (kind | mode, contents)
        self._owners[path] = (uid, gid)

    def copy(self, path, source):
        """A further name for what stands at `source`: both are files of their own then."""
        mode, contents = self._entries[source]
        self._add(path, mode, contents, replace=True)
        self.give(path, *self._owners.get(source, (0, 0)), stat.S_IMODE(mode))

    def has(self, path):
        return path in self._entries

    def is_directory(self, path):
        return self.has(path) and stat.S_ISDIR(self._entries[path][0])

    def is_program(self, path):
        """An executable file, or a link."""
        mode = self._entries[path][0]
        return stat.S_ISLNK(mode) or stat.S_ISREG(mode) and mode & 0o111 != 0

    def contents(self, path):
        return self._entries[path][1]

    def paths(self):
        return sorted(self._entries)

    def to_bytes(self):
        parts = []
        for number, path in enumerate(self.paths(), start=1):
            mode, contents = self._entries[path]
            parts.append(record(number, path, mode, contents, *self._owners.get(path, (0, 0))))
        parts.append(record(0, "TRAILER!!!", 0, b""))
        return b"".join(parts)


def pad(data):
    return data + bytes(-len(data) % 4)


def record(number, path, mode, contents, uid=0, gid=0):
    """A header of thirteen 8-digit hexadecimal fields, the name, the contents, each padded to 4."""
    links = 2 if stat.S_ISDIR(mode) else 1
    name = os.fsencode(path) + b"\0"
    fields = (number, mode, uid, gid, links, 0, len(contents), 0, 0, 0, 0, len(name), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return pad(header + name) + pad(contents)
