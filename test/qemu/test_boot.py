"""The machines on which Vitrine boots."""

import os
import subprocess

import pytest

from harness.guest import BUILD, IMAGE, KERNEL, TOP, Guest, run_vm

READY = "net: eth0 10.0.2.15/24 gateway 10.0.2.2 dns 10.0.2.3 (dhcp)"

MACHINES = {
    "modern-mmio": [],
    "legacy-mmio": ["--transport", "mmio-legacy"],
    "cortex-a53": ["--cpu", "cortex-a53"],
    "cortex-a72": ["--cpu", "cortex-a72"],
    "max": ["--cpu", "max"],
    "max-mte": ["--cpu", "max,pauth-impdef=on", "--machine", "mte=on"],
    "gic2": ["--machine", "gic-version=2"],
    "gic3": ["--machine", "gic-version=3"],
    "el2-gic2": ["--machine", "virtualization=on,gic-version=2"],
    "el2-gic3-max": ["--machine", "virtualization=on,gic-version=3", "--cpu", "max,pauth-impdef=on"],
    "no-highmem": ["--machine", "highmem=off"],
    "32M": ["--memory", "32M"],
    "33M": ["--memory", "33M"],
    "4G": ["--memory", "4G"],
}

# The lines that users of other kernels type, with the kernel that `ninja` builds.
TYPED = {
    "elf": ["-cpu", "cortex-a57", "-kernel", "build/kernel.elf"],
    "elf-modern": ["-cpu", "cortex-a57", "-kernel", "build/kernel.elf", "-global", "virtio-mmio.force-legacy=false"],
    "image": ["-cpu", "cortex-a57", "-kernel", "build/Image"],
}


def typed_line(arguments):
    arguments = [text.replace("build/", f"{BUILD}/") for text in arguments]
    return ["qemu-system-aarch64", "-machine", "virt", *arguments, "-netdev", "user,id=net0",
            "-device", "virtio-net-device,netdev=net0", "-nographic"]


@pytest.mark.parametrize("name", MACHINES)
def test_boots_with_network(name):
    result = run_vm(*MACHINES[name], command="ping -c 2 10.0.2.2")
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr.count("net: eth0 ") == 1
    assert READY in result.stderr


@pytest.mark.parametrize("name", TYPED)
def test_line_as_typed(name):
    with Guest(command=typed_line(TYPED[name])) as guest:
        guest.wait_for(r"net: eth0 10\.0\.2\.15/24 gateway 10\.0\.2\.2 dns 10\.0\.2\.3 \(dhcp\)")
        guest.check("ping -c 1 10.0.2.2")


def test_prompt_time(record_property):
    """The goal is 1 s on two idle cores; on a busy machine the bound is wider."""
    times = []
    for _ in range(3):
        with Guest(command=typed_line(TYPED["elf"])) as guest:
            times.append(guest.boot_seconds)
    record_property("report", f"prompt {min(times):.2f} s after the start of QEMU (best of {len(times)})")
    assert min(times) < 5


def test_no_network_card():
    result = run_vm("--net", "none", command="ifconfig; ping -c 1 127.0.0.1")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "127.0.0.1" in result.stdout
    assert "eth0" not in result.stdout + result.stderr


def test_three_network_cards():
    """The first card of the command line is eth0."""
    result = run_vm("--net", "user", "--net", "user", "--net", "user", "--mac", "52:54:00:aa:00:07", command="ifconfig -a")
    assert result.returncode == 0, result.stdout + result.stderr
    for index in range(3):
        assert f"net: eth{index} " in result.stderr
        section = result.stdout[result.stdout.index(f"eth{index}"):]
        assert f"52:54:00:AA:00:{7 + index:02X}" in section.splitlines()[0].upper()


def make_archive(directory):
    (directory / "added").write_text("from the initrd\n")
    archive = directory / "initrd.cpio"
    subprocess.run([os.path.join(TOP, "tools/make-initramfs"), archive, f"etc/added={directory}/added"], check=True)
    return archive


def test_initrd_adds_files_to_the_embedded_ones(tmp_path):
    result = run_vm("--initrd", str(make_archive(tmp_path)), command="cat /etc/added && ls /bin/busybox", kernel=IMAGE)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout == "from the initrd\n/bin/busybox\n"


def test_broken_initrd_is_refused_with_a_line(tmp_path):
    archive = tmp_path / "broken.cpio"
    archive.write_bytes(make_archive(tmp_path).read_bytes()[:200] + os.urandom(3000))
    result = run_vm("--initrd", str(archive), command="echo alive", kernel=IMAGE)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout == "alive\n"
    assert "initr" in result.stderr


@pytest.mark.parametrize("kernel", [KERNEL, IMAGE])
def test_memory_is_found(kernel):
    """MemTotal is nearly all of what the machine has."""
    result = run_vm("--memory", "256M", "--net", "none", command="cat /proc/meminfo", kernel=kernel)
    total = next(int(line.split()[1]) for line in result.stdout.splitlines() if line.startswith("MemTotal"))
    assert 230 * 1024 < total <= 256 * 1024


def test_runs_in_32_mib_and_survives_running_out_of_memory():
    result = run_vm("--memory", "32M", command="head -c 200000000 /dev/zero > /tmp/big; echo status $?; "
                    "rm -f /tmp/big; ping -c 1 10.0.2.2 > /dev/null && echo still there")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "still there" in result.stdout
    assert "status 0" not in result.stdout
