"""/proc as proc(5) describes it: complete for the programs that read it, and true."""

import re

import pytest

OF_A_PROCESS = ["auxv", "cgroup", "cmdline", "comm", "environ", "fdinfo/0", "limits", "maps", "mountinfo", "mounts",
                "oom_score", "oom_score_adj", "smaps", "smaps_rollup", "stat", "statm", "status"]
OF_THE_MACHINE = ["cpuinfo", "filesystems", "loadavg", "meminfo", "stat", "uptime", "version", "net/sockstat",
                  "net/sk_buffs", "sys/fs/file-max", "sys/fs/file-nr", "sys/fs/nr_open", "sys/fs/pipe-max-size",
                  "sys/kernel/cap_last_cap", "sys/kernel/hostname", "sys/kernel/ngroups_max", "sys/kernel/osrelease",
                  "sys/kernel/pid_max", "sys/kernel/random/boot_id", "sys/kernel/random/uuid", "sys/kernel/threads-max",
                  "sys/vm/max_map_count", "sys/vm/overcommit_memory"]

AT_PAGESZ, AT_HWCAP, AT_SECURE, AT_MINSIGSTKSZ = 6, 16, 23, 51
HWCAP_BITS = {"fp": 0, "asimd": 1, "aes": 3, "crc32": 7, "atomics": 8}


def fields(text, separator=":"):
    """`Name: value` lines."""
    return dict((part.strip() for part in line.split(separator, 1)) for line in text.splitlines() if separator in line)


def kib(text):
    return int(text.split()[0])


@pytest.mark.parametrize("name", OF_A_PROCESS)
def test_file_of_a_process(plain_guest, name):
    assert plain_guest.check(f"cat /proc/self/{name} | wc -c") != "0\n"
    assert name.split("/")[0] in plain_guest.check("ls /proc/1").split()


@pytest.mark.parametrize("name", OF_THE_MACHINE)
def test_file_of_the_machine(plain_guest, name):
    assert plain_guest.check(f"cat /proc/{name}").strip()


def test_memory_of_a_process_adds_up(plain_guest):
    text = plain_guest.check("cat /proc/1/status; echo statm: $(cat /proc/1/statm); cat /proc/1/smaps_rollup; "
                             "echo areas: $(grep -c ^ /proc/1/maps) $(grep -c ^Size: /proc/1/smaps)")
    status = fields(text)
    parts = [kib(status[name]) for name in ("RssAnon", "RssFile", "RssShmem")]
    assert kib(status["VmRSS"]) == sum(parts) == kib(status["Rss"])
    size, resident, shared = map(int, status["statm"].split()[:3])
    assert (size * 4, resident * 4, shared * 4) == (kib(status["VmSize"]), sum(parts), parts[1] + parts[2])
    assert kib(status["VmHWM"]) >= kib(status["VmRSS"]) > 0
    assert kib(status["Private_Dirty"]) + kib(status["Shared_Dirty"]) == kib(status["Anonymous"]) == parts[0]
    maps, smaps = status["areas"].split()
    assert maps == smaps
    assert status["CapEff"] == "000001ffffffffff" and status["Threads"] == "1"


def test_stat_has_all_its_fields(plain_guest):
    line = plain_guest.check("cat /proc/self/stat")
    pid, name, rest = re.fullmatch(r"(\d+) \((.*)\) (.*)\n", line).groups()
    assert name == "cat" and len(rest.split()) == 50 and rest[0] == "R"
    assert int(rest.split()[7]) > 0  # page faults


def test_threads_are_tasks(plain_guest):
    text = plain_guest.check("sh -c 'ls /proc/$$/task; echo $$; cat /proc/$$/task/$$/comm; readlink /proc/thread-self'")
    task, pid, comm, link = text.split()
    assert task == pid and comm == "sh" and re.fullmatch(r"(\d+)/task/\1", link)
    assert plain_guest.run("ls /proc/1/task/3").status != 0


def test_name_can_be_changed(plain_guest):
    assert plain_guest.check("sh -c 'echo renamed > /proc/$$/comm; cat /proc/$$/comm /proc/$$/task/$$/comm; true'") == "renamed\n" * 2
    assert "Name:\trenamed" in plain_guest.check("sh -c 'echo renamed > /proc/$$/comm; cat /proc/$$/status; true'")
    assert plain_guest.run("echo other > /proc/1/comm").status != 0


def test_auxiliary_vector(plain_guest):
    words = plain_guest.check("od -A n -v -t x8 /proc/self/auxv").split()
    vector = dict((int(words[i], 16), int(words[i + 1], 16)) for i in range(0, len(words), 2))
    assert vector[AT_PAGESZ] == 4096 and vector[AT_SECURE] == 0
    assert 4096 < vector[AT_MINSIGSTKSZ] < 8192
    features = fields(plain_guest.check("cat /proc/cpuinfo"))["Features"].split()
    for name, bit in HWCAP_BITS.items():
        assert bool(vector[AT_HWCAP] >> bit & 1) == (name in features)


def test_counts_go_up(plain_guest):
    def numbers():
        text = plain_guest.check("cat /proc/stat")
        return [int(re.search(rf"^{name} (\d+)", text, re.MULTILINE)[1]) for name in ("ctxt", "processes", "intr")]
    before = numbers()
    plain_guest.check("seq 10 | sort | tail -n 1")
    assert all(late > early for early, late in zip(before, numbers()))


def test_open_files_are_counted(plain_guest):
    def count():
        return int(plain_guest.check("cat /proc/sys/fs/file-nr").split()[0])
    before = count()
    plain_guest.check("exec 7< /etc/passwd 8< /etc/passwd")
    assert count() == before + 2
    plain_guest.check("exec 7<&- 8<&-")
    assert count() == before


def test_load(plain_guest):
    assert re.fullmatch(r"(\d+\.\d\d ){3}\d+/\d+ \d+\n", plain_guest.check("cat /proc/loadavg"))


def test_what_cannot_be_is_refused(plain_guest):
    for value in ("1001", "-1001", "x", "1 2"):
        assert plain_guest.run(f"echo {value} > /proc/self/oom_score_adj").status != 0
    assert plain_guest.run("echo 2 > /proc/sys/vm/overcommit_memory").status != 0
    plain_guest.check("echo 1 > /proc/sys/vm/overcommit_memory")


def test_the_processor_in_sys(plain_guest):
    """Programs count the directories, and look what belongs together."""
    cpu = "/sys/devices/system/cpu"
    assert plain_guest.check(f"ls -d {cpu}/cpu[0-9]*") == f"{cpu}/cpu0\n"
    files = [f"{cpu}/{name}" for name in ("online", "cpu0/topology/core_id", "cpu0/topology/thread_siblings_list")]
    assert plain_guest.check(f"cat {' '.join(files)}") == "0\n" * 3


def test_mounts(plain_guest):
    mounts = [line.split() for line in plain_guest.check("cat /proc/self/mounts").splitlines()]
    information = [line.split() for line in plain_guest.check("cat /proc/self/mountinfo").splitlines()]
    assert [mount[1] for mount in mounts] == [line[4] for line in information]
    assert {"/", "/proc"} <= {mount[1] for mount in mounts}
    for line in information:
        device = int(line[2].split(":")[1])
        if line[4] in ("/", "/proc"):
            assert plain_guest.check(f"stat -c %d {line[4]}") == f"{device}\n"
