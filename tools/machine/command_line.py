"""From the options of tools/vm to QEMU's."""

import argparse
import ipaddress
import itertools
import math
import os
import platform
import re
import socket
import urllib.parse

from . import packages

DEFAULT_MAC = "52:54:00:12:34:56"

# QEMU's user networks are 10.0.2.0/24, 10.0.3.0/24 and so on: it would give them all the same.
FIRST_SUBNET = 2

# With --net unix=PATH, PATH is the other side's datagram socket, as tools/relay opens it, and this is
# added for the machine's own.
MACHINE_SOCKET = ".vm"
SOCKET_PATH_MAX = 107  # bytes: sockaddr_un

# What begins files of these kinds: Documentation/arm64/booting.rst has the Image's, cpio(5) the archive's.
ELF_MAGIC = b"\x7fELF"
IMAGE_MAGIC, IMAGE_MAGIC_AT = b"ARMd", 56
CPIO_MAGIC = b"070701"

MIB = 1 << 20
SIZE_UNITS = {"": MIB, "K": 1 << 10, "M": MIB, "G": 1 << 30}
LEAST_MEMORY_MIB = 8  # of the kernel and the files in it

KERNEL_WORDS_MAX = 2047  # bytes: kernel/devicetree.c


def network(text):
    """`user`, `none`, `tap=IFNAME` or `unix=PATH`."""
    if text in ("user", "none"):
        return text
    if re.fullmatch(r"tap=[^,\s]{1,15}", text):
        return existing_tap(text)
    if not re.fullmatch(r"unix=.+", text):
        raise argparse.ArgumentTypeError(f"`{text}` is none of user, tap=IFNAME, unix=PATH, none")
    if len(os.fsencode(own_socket(text))) > SOCKET_PATH_MAX:
        raise argparse.ArgumentTypeError(f"`{text}`: the path is too long for a socket")
    return text


def existing_tap(net):
    """As root QEMU would make what is not there, and nobody would be at its other end."""
    name = net[len("tap="):]
    try:
        socket.if_nametoindex(name)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"there is no interface {name}; README.md says how to make one") from error
    return net


def own_socket(net):
    return net[len("unix="):] + MACHINE_SOCKET


def mac_address(text):
    if not re.fullmatch(r"([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}", text):
        raise argparse.ArgumentTypeError(f"`{text}` is not six pairs of hexadecimal digits joined by colons")
    if int(text[:2], 16) & 1:
        raise argparse.ArgumentTypeError(f"`{text}` is a multicast address")
    return text.lower()


def forward(text):
    """tcp|udp:HOSTPORT:GUESTPORT as QEMU's hostfwd."""
    found = re.fullmatch(r"(tcp|udp):(\d+):(\d+)", text)
    if not found or not all(0 < int(port) < 65536 for port in found.groups()[1:]):
        raise argparse.ArgumentTypeError(f"`{text}` is not tcp|udp:HOSTPORT:GUESTPORT")
    return f"hostfwd={found[1]}:127.0.0.1:{found[2]}-:{found[3]}"


def ip_setting(text):
    """dhcp, or ADDR/LEN[,GATEWAY] as the kernel's ip= for eth0."""
    if text == "dhcp":
        return "ip=dhcp"
    address, _, gateway = text.partition(",")
    try:
        interface = ipaddress.IPv4Interface(address)
        gateway = str(ipaddress.IPv4Address(gateway)) if gateway else ""
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if "/" not in address:
        raise argparse.ArgumentTypeError(f"`{address}` has no /LEN")
    return f"ip={interface.ip}::{gateway}:{interface.netmask}::eth0:off"


def package_names(text):
    """`curl,nginx` as a list of packages."""
    try:
        return packages.parse_names(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def folder(text):
    if not os.path.isdir(text):
        raise argparse.ArgumentTypeError(f"`{text}` is not a folder")
    return text


def beginning(path):
    """The file's first bytes, as many as it has of them."""
    try:
        with open(path, "rb") as file:
            return file.read(64)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"`{path}`: {error.strerror}") from error


def cpio_archive(text):
    if not beginning(text).startswith(CPIO_MAGIC):
        raise argparse.ArgumentTypeError(f"`{text}` is no cpio archive in the newc format")
    return text


def kernel(text):
    if not os.path.exists(text):
        raise argparse.ArgumentTypeError(f"{text} is not there; `ninja` builds it")
    begins = beginning(text)
    if not begins.startswith(ELF_MAGIC) and not begins.startswith(IMAGE_MAGIC, IMAGE_MAGIC_AT):
        raise argparse.ArgumentTypeError(f"`{text}` is no kernel: neither ELF nor an Image")
    return text


def is_elf(path):
    return beginning(path).startswith(ELF_MAGIC)


def memory_size(text):
    """`64M` or `4G` as bytes; without a unit, QEMU takes mebibytes."""
    found = re.fullmatch(r"(\d+)([KMG]?)B?", text, re.IGNORECASE)
    if not found:
        raise argparse.ArgumentTypeError(f"`{text}` is no size as 64M or 4G")
    return int(found[1]) * SIZE_UNITS[found[2].upper()]


def memory(text):
    if memory_size(text) < LEAST_MEMORY_MIB * MIB:
        raise argparse.ArgumentTypeError(f"`{text}` is too little: the kernel needs {LEAST_MEMORY_MIB}M")
    return text


def seconds(text):
    try:
        value = float(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"`{text}` is no number of seconds") from error
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def networks(arguments):
    return [net for net in arguments.net or ["user"] if net != "none"]


def sockets(arguments):
    """The paths at which QEMU makes sockets, and leaves them."""
    return [own_socket(net) for net in networks(arguments) if net.startswith("unix=")]


def conflict(arguments):
    """What is wrong with the options together, or None."""
    if "none" in (arguments.net or []) and len(arguments.net) > 1:
        return "--net none does not go together with other --net"
    if arguments.fwd and "user" not in networks(arguments):
        return "--fwd needs --net user"
    if arguments.pcap and not networks(arguments):
        return "--pcap needs a network card"
    if arguments.fetch and not arguments.packages:
        return "--fetch needs --with"
    length = len(os.fsencode(kernel_words(arguments)))
    if length > KERNEL_WORDS_MAX:
        return (f"COMMAND and --append take {length} bytes of the kernel's command line, of {KERNEL_WORDS_MAX}; "
                "a longer script fits into a file in --share DIR")
    return None


def accelerator(chosen_cpu):
    """KVM and HVF run arm64 code only on an arm64 host; elsewhere /dev/kvm is of no use."""
    if platform.machine() in ("aarch64", "arm64"):
        if platform.system() == "Darwin":
            return ["-accel", "hvf", "-cpu", chosen_cpu or "host"], ""
        if os.access("/dev/kvm", os.R_OK | os.W_OK):
            return ["-accel", "kvm", "-cpu", chosen_cpu or "host"], "gic-version=host"
    return ["-accel", "tcg", "-cpu", chosen_cpu or "cortex-a57"], ""


def dgram(index, net):
    """A backend of raw frames, one a datagram. QEMU wants commas doubled."""
    own, other = (path.replace(",", ",,") for path in (own_socket(net), net[len("unix="):]))
    return (f"dgram,id=net{index},local.type=unix,local.path={own},"
            f"remote.type=unix,remote.path={other}")


def cards(arguments):
    """A -netdev and a -device for each network."""
    options = []
    subnets = itertools.count(FIRST_SUBNET)
    mac = int((arguments.mac or DEFAULT_MAC).replace(":", ""), 16)
    forwards = ["", *arguments.fwd]
    for index, net in enumerate(networks(arguments)):
        if net == "user":
            backend = f"user,id=net{index},net=10.0.{next(subnets)}.0/24" + ",".join(forwards)
            forwards = []
        elif net.startswith("unix="):
            backend = dgram(index, net)
        else:
            backend = f"tap,id=net{index},ifname={net[len('tap='):]},script=no,downscript=no"
            if arguments.pcap and index == 0:
                backend += ",vnet_hdr=off"  # filter-dump would write that header in front of each frame
        text = f"{mac + index:012x}"
        address = ":".join(text[i:i + 2] for i in range(0, 12, 2))
        options += ["-netdev", backend, "-device", f"virtio-net-device,netdev=net{index},mac={address}"]
    return options or ["-nic", "none"]


def kernel_words(arguments):
    words = [arguments.ip] if arguments.ip else []
    if arguments.append:
        words.append(arguments.append)
    if arguments.command:
        command = urllib.parse.quote(arguments.command, safe="")
        words += ["console=framed", f"vitrine.run={command}"]
    return " ".join(words)


def qemu(arguments):
    """The whole command."""
    accel, machine = accelerator(arguments.cpu)
    machine = ",".join(part for part in ("virt", machine, arguments.machine) if part)
    command = ["qemu-system-aarch64", "-machine", machine, *accel, "-m", arguments.memory,
               "-kernel", arguments.kernel, "-no-reboot"]
    command += ["-nographic"] if not arguments.command else ["-display", "none", "-monitor", "none", "-serial", "stdio"]
    if arguments.transport == "mmio":
        command += ["-global", "virtio-mmio.force-legacy=false"]
    command += cards(arguments)
    if arguments.pcap:
        command += ["-object", f"filter-dump,id=pcap,netdev=net0,file={arguments.pcap.replace(',', ',,')}"]
    if arguments.initrd:
        command += ["-initrd", arguments.initrd]
    if arguments.gdb:
        command += ["-gdb", "tcp:127.0.0.1:1234", "-S"]
    if arguments.qmp:
        command += ["-qmp", f"unix:{arguments.qmp.replace(',', ',,')},server=on,wait=off"]
    words = kernel_words(arguments)
    return command + (["-append", words] if words else [])
