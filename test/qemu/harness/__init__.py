"""What the QEMU tests stand on: a network namespace, a guest on a console, raw frames, dnsmasq."""
