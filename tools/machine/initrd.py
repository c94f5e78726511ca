"""What tools/vm gives the kernel to unpack over the embedded files: --initrd, --with and --share in one."""

import itertools
import os
import stat
import tempfile

from . import packages
from .command_line import MIB, memory_size
from .cpio import Archive

SHARE = "share"  # where --share's files stand in the guest

DEFAULT_MEMORY_MIB = 128

# The archive, the files unpacked from it, and room to work: memory for --with is asked for in steps.
ROOM_MIB = 160
STEP_MIB = 64


def add_shared(archive, directory):
    """The folder's files, folders and links; returns the first thing that is none of these, or None."""
    archive.add_directory(SHARE)
    left_out = None
    for here, folders, files in os.walk(directory):
        inside = os.path.normpath(os.path.join(SHARE, os.path.relpath(here, directory)))
        for name in folders + files:
            source, path = os.path.join(here, name), os.path.join(inside, name)
            mode = os.lstat(source).st_mode
            if stat.S_ISLNK(mode):
                archive.add_link(path, os.readlink(source))
            elif stat.S_ISDIR(mode):
                archive.add_directory(path, stat.S_IMODE(mode))
            elif stat.S_ISREG(mode):
                with open(source, "rb") as stream:
                    archive.add_bytes(path, stream.read(), stat.S_IMODE(mode))
            else:
                left_out = left_out or source
    return left_out


def shared_archive(directory):
    archive = Archive()
    left_out = add_shared(archive, directory)
    if left_out:
        raise packages.Trouble(f"--share: {left_out} is neither a file nor a folder nor a link")
    return archive.to_bytes()


def join(parts):
    """One temporary file of several archives: the kernel unpacks them one after the other."""
    with tempfile.NamedTemporaryFile(prefix="vitrine-", suffix=".cpio", delete=False) as joined:
        for part in parts:
            joined.write(part)
            joined.write(bytes(-len(part) % 4))
    return joined.name


def read(path):
    with open(path, "rb") as file:
        return file.read()


def prepare(arguments):
    """Sets arguments.initrd to all that was asked for. Returns the paths of files to remove later."""
    files = [arguments.initrd] if arguments.initrd else []
    names = sorted(set(itertools.chain(*arguments.packages)))
    if names:
        files.append(packages.archive_with(names))
    if len(files) < 2 and not arguments.share:
        arguments.initrd = files[0] if files else None
        return []
    parts = [read(path) for path in files]
    if arguments.share:
        parts.append(shared_archive(arguments.share))
    arguments.initrd = join(parts)
    return [arguments.initrd]


def choose_memory(arguments):
    """Enough for the archive when the user does not say; refuses what cannot hold it. Raises Trouble."""
    archive = os.stat(arguments.initrd).st_size if arguments.initrd else 0
    if not arguments.memory:
        wanted = 2 * archive // MIB + ROOM_MIB if archive else 0
        arguments.memory = f"{max(DEFAULT_MEMORY_MIB, -(-wanted // STEP_MIB) * STEP_MIB)}M"
        return
    least = -(-2 * archive // MIB) + DEFAULT_MEMORY_MIB // 4
    if archive and memory_size(arguments.memory) < least * MIB:
        raise packages.Trouble(f"--memory {arguments.memory}: the guest's files need at least {least}M")
