"""The tests of Go's own packages, compiled on this machine for arm64 with Debian's golang."""

import glob
import os
import re
import shutil
import subprocess

from machine.debian import archive_of, run, unpack

VERSION = "1.19"
COMPILER = [f"golang-{VERSION}-go", f"golang-{VERSION}-src"]
RESULT = re.compile(r"^--- (PASS|FAIL|SKIP): (\S+)", re.MULTILINE)
BEGUN = re.compile(r"^=== RUN +(\w+)$", re.MULTILINE)
VERDICTS = {"PASS": "pass", "FAIL": "fail", "SKIP": "skip"}
LIMIT = "900s"


def fetch(directory):
    """Go's compiler and library, unpacked and not installed; returns Go's root."""
    root = f"{directory}/root"
    if not os.path.exists(f"{directory}/fetched"):
        print("fetching Go", flush=True)
        os.makedirs(root, exist_ok=True)
        run(["apt-get", "download", *COMPILER], directory)
        for package in COMPILER:
            unpack(archive_of(directory, package), root)
        with open(f"{directory}/fetched", "w", encoding="ascii"):
            pass
    return f"{root}/usr/lib/go-{VERSION}"


def compile_tests(package, root, directory):
    """Makes DIRECTORY/PACKAGE.test, a static program, since it has no C in it."""
    program = f"{directory}/{package.replace('/', '_')}.test"
    if not os.path.exists(program):
        print(f"building Go's {package} tests", flush=True)
        environment = dict(os.environ, GOROOT=root, GOCACHE=f"{directory}/cache", GOARCH="arm64", CGO_ENABLED="0",
                           GO111MODULE="off", GOFLAGS="-buildvcs=false")
        subprocess.run([f"{root}/bin/go", "test", "-c", "-o", program, package], env=environment, check=True,
                       cwd=f"{root}/src")
    return program


class Go:
    packages = ["libc6"]

    def __init__(self, package):
        self._package = package
        self.name = f"go_{package.replace('/', '_')}"

    def prepare(self, build, share):
        """The program stands where its sources would, because the tests look for files from there."""
        directory = os.path.abspath(f"{build}/suites/go")
        root = fetch(directory)
        place = f"{share}/src/{self._package}"
        os.makedirs(place)
        shutil.copy(compile_tests(self._package, root, directory), f"{place}/run.test")
        source = f"{root}/src/{self._package}"
        for folder in glob.glob(f"{source}/testdata"):
            shutil.copytree(folder, f"{place}/testdata")
        shutil.copytree(f"{root}/src/testdata", f"{share}/src/testdata")

    def command(self, tests):
        """Short: the others need the internet, and say so by their names."""
        chosen = f" -test.run '^({'|'.join(tests)})$'" if tests else ""
        return f"cd /share/src/{self._package} && ./run.test -test.short -test.v -test.timeout {LIMIT}{chosen}"

    def results(self, output):
        output = output.replace("\r", "")
        found = {name: "hang" for name in BEGUN.findall(output)}
        found.update((name, VERDICTS[verdict]) for verdict, name in RESULT.findall(output))
        return found
