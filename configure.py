#!/usr/bin/python3
"""Checks that this machine can build Vitrine, and writes build.ninja.

build.ninja is the one description of the build: what is compiled and how stands in tools/build/*.py,
one file for each part of the house.  Nothing is configured: everything is always built.
"""

import argparse
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "tools"))

from build import checks, comparison, host, images, kernel, packages, userland
from build.ninja import Ninja


def parse_arguments():
    parser = argparse.ArgumentParser(
        description="Check this machine and write build.ninja; then run `ninja`.",
        epilog="ninja: build/kernel.elf and build/Image.  ninja run: boot to a shell.  ninja test: all tests.",
    )
    parser.add_argument("--install", action="store_true",
                        help="install what is missing with apt (through sudo when not root)")
    parser.add_argument("--build-dir", default="build", metavar="DIR",
                        help="where the products go (default: build); for another directory than the "
                             "default, build.ninja is written into it: ninja -f DIR/build.ninja")
    return parser.parse_args()


def ninja_file_of(build_dir):
    return "build.ninja" if build_dir == "build" else f"{build_dir}/build.ninja"


def write_ninja_file(build_dir):
    path = ninja_file_of(build_dir)
    ninja = Ninja(build_dir)
    ninja.comment("Written by configure.py. It is written anew when configure.py, a file of tools/build/ or the")
    ninja.comment("list of source files changes.")
    ninja.variable("ninja_required_version", "1.10")
    ninja.variable("builddir", build_dir)
    ninja.rule("configure", f"/usr/bin/python3 configure.py --build-dir {build_dir}",
               "CONFIGURE", generator="1")

    programs = userland.describe(ninja)
    initramfs = images.describe_initramfs(ninja, programs)
    kernels = kernel.describe(ninja, initramfs)
    checks.describe(ninja, path, kernels, host.describe(ninja), comparison.describe(ninja))

    ninja.build(path, "configure", [], implicit=["configure.py"] + ninja.consulted())
    os.makedirs(build_dir, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(ninja.text())


def main():
    arguments = parse_arguments()
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    if arguments.install:
        packages.install_missing()
        packages.fetch_arm64(arguments.build_dir)
    missing = packages.missing()
    for line in missing:
        print(line, file=sys.stderr)
    if missing:
        print("configure.py: `./configure.py --install` installs all of this", file=sys.stderr)
        return 1
    try:
        write_ninja_file(arguments.build_dir)
    except OSError as trouble:
        print(f"configure.py: {trouble.filename}: {trouble.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
