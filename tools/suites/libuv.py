"""libuv's own tests, built for arm64 with clang against Debian's libc6-dev."""

import glob
import os
import re
import shutil
import subprocess
import tarfile

from machine.debian import apt_command, archive_of, run, unpack

# What is built on Linux; the other sources belong to other systems (libuv's CMakeLists.txt).
LINUX_SOURCES = [
    "async", "core", "dl", "epoll", "fs", "getaddrinfo", "getnameinfo", "linux-core", "linux-inotify", "linux-syscalls",
    "loop", "loop-watcher", "pipe", "poll", "process", "procfs-exepath", "proctitle", "random-devurandom",
    "random-getrandom", "random-sysctl-linux", "signal", "stream", "tcp", "thread", "tty", "udp",
]
RUNNER_SOURCES = ["blackhole-server", "echo-server", "run-tests", "runner", "runner-unix"]
# What the tests are compiled and linked with.
DEVELOPMENT = ["libc6", "libc6-dev", "linux-libc-dev"]
RESULT = re.compile(r"^(ok|not ok) \d+ - (\w+)(?: # SKIP.*)?$", re.MULTILINE)
LIBRARY = "usr/lib/aarch64-linux-gnu"


def unpack_source(directory):
    """Upstream's archive as it stands; returns its folder."""
    archive = glob.glob(f"{directory}/libuv1_*.orig.tar.gz")[-1]
    source = f"{directory}/libuv"
    shutil.rmtree(source, ignore_errors=True)
    with tarfile.open(archive) as tar:
        top = tar.getnames()[0].split("/")[0]
        tar.extractall(directory)
    os.rename(f"{directory}/{top}", source)
    return source


def library_sources(source):
    return sorted(glob.glob(f"{source}/src/*.c")) + [f"{source}/src/unix/{name}.c" for name in LINUX_SOURCES]


def test_sources(source):
    return sorted(glob.glob(f"{source}/test/test-*.c")) + [f"{source}/test/{name}.c" for name in RUNNER_SOURCES]


def compile_all(files, source, root, objects):
    flags = ["--target=aarch64-linux-gnu", f"--sysroot={root}", f"-I{source}/include", f"-I{source}/src", "-O1", "-w",
             "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", "-D_LARGEFILE_SOURCE"]
    os.makedirs(objects, exist_ok=True)
    made = []
    for file in files:
        made.append(f"{objects}/{os.path.relpath(file, source).replace('/', '_')}.o")
        subprocess.run(["clang", *flags, "-c", file, "-o", made[-1]], check=True)
    return made


def build(directory, root, builtins):
    """Makes DIRECTORY/uv_run_tests. `root`: Debian's packages unpacked; `builtins`: clang's runtime for arm64."""
    program = f"{directory}/uv_run_tests"
    if os.path.exists(program):
        return program
    print("building libuv's tests", flush=True)
    source = unpack_source(directory)
    # An archive, because some tests have functions of the library in them.
    archive = f"{directory}/libuv.a"
    subprocess.run(["llvm-ar", "rcs", archive,
                    *compile_all(library_sources(source), source, root, f"{directory}/objects")], check=True)
    tests = compile_all(test_sources(source), source, root, f"{directory}/objects")
    library = f"{root}/{LIBRARY}"
    subprocess.run(["clang", "--target=aarch64-linux-gnu", f"--sysroot={root}", "-fuse-ld=lld", "-nostdlib", "-rdynamic",
                    "-Wl,--dynamic-linker=/lib/ld-linux-aarch64.so.1", f"{library}/crt1.o", f"{library}/crti.o", *tests,
                    archive, f"-L{library}", "-lc", f"{library}/libc_nonshared.a", builtins, f"{library}/crtn.o",
                    "-o", program], check=True)
    return program


def write_sources(path):
    """The release's archive that this machine's apt asks for packages, asked for their sources too."""
    result = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME) $(COMPONENT)",
                             "Identifier: Packages"], check=True, stdout=subprocess.PIPE, text=True)
    with open(path, "w", encoding="ascii") as file:
        for archive in sorted(set(result.stdout.splitlines())):
            if "-" not in archive.split()[1]:  # neither its updates nor its security
                file.write(f"deb {archive}\ndeb-src {archive}\n")


def fetch(directory):
    """Upstream's source, and what it is compiled against, unpacked; returns the latter's folder."""
    root = f"{directory}/root"
    if os.path.exists(f"{directory}/fetched"):
        return root
    print("fetching libuv's source and libc6-dev:arm64", flush=True)
    os.makedirs(directory, exist_ok=True)
    write_sources(f"{directory}/sources.list")
    apt = apt_command(directory) + ["-o", f"Dir::Etc::sourcelist={directory}/sources.list", "-o", "Dir::Etc::sourceparts=-"]
    run(apt + ["update"])
    run(apt + ["download", *(f"{package}:arm64" for package in DEVELOPMENT)], directory)
    run(apt + ["source", "--download-only", "libuv1"], directory)
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(f"{root}/usr/lib")
    os.symlink("usr/lib", f"{root}/lib")
    for package in DEVELOPMENT:
        unpack(archive_of(directory, package), root)
    with open(f"{directory}/fetched", "w", encoding="ascii"):
        pass
    return root


class Libuv:
    name = "libuv"
    packages = ["libc6"]

    def prepare(self, build_dir, share):
        directory = f"{build_dir}/suites/libuv"
        builtins = glob.glob(f"{build_dir}/debian/sysroot/usr/lib/llvm-*/lib/clang/*/lib/linux/"
                             "libclang_rt.builtins-aarch64.a")[0]
        program = build(directory, fetch(directory), builtins)
        shutil.copy(program, share)
        shutil.copytree(f"{directory}/libuv/test/fixtures", f"{share}/uv/test/fixtures", dirs_exist_ok=True)

    def command(self, tests):
        """The tests are not for root, and look for their files in the working directory."""
        runs = [f"/share/uv_run_tests {test}" for test in tests] or ["/share/uv_run_tests"]
        script = "; ".join(["cd /tmp/uv", *runs])
        return ("cp -r /share/uv /tmp/uv && chown -R nobody /tmp/uv && "
                "export UV_TEST_TIMEOUT_MULTIPLIER=4 HOME=/tmp/uv TMPDIR=/tmp/uv && "
                f"busybox su -s /bin/sh nobody -c '{script}'")

    def results(self, output):
        found = {}
        for line in output.replace("\r", "").splitlines():
            match = RESULT.match(line)
            if match:
                found[match[2]] = "skip" if "# SKIP" in line else "pass" if match[1] == "ok" else "fail"
        return found
