"""The parts of tools/vm: QEMU's command line, its process, and the framed console."""
