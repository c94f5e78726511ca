"""git and rsync: repositories and folders both ways between the guest and this machine."""

import subprocess

PACKAGES = ["git", "rsync"]
MEMORY = "512M"

GIT_PORT = 9418
RSYNC_PORT = 8730
ME = "-c user.name=somebody -c user.email=somebody@example.org -c init.defaultBranch=main"

RSYNC = f"""\
port = {RSYNC_PORT}
use chroot = no
[files]
path = /tmp/served
read only = no
uid = 0
gid = 0
"""


def git(*words, directory):
    result = subprocess.run(["git", *ME.split(), *words], cwd=directory, capture_output=True, text=True, timeout=60,
                            check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_clone_and_push(guest, tmp_path):
    guest.check(f"cd /tmp && rm -rf work && git {ME} init -q work && cd work && seq 20000 > numbers && git add numbers "
                f"&& git {ME} commit -qm first && git config receive.denyCurrentBranch ignore", 60)
    process = guest.background("git daemon --base-path=/tmp --export-all --enable=receive-pack --reuseaddr")
    guest.wait_for_port(GIT_PORT)
    address, port = guest.reach(GIT_PORT)
    git("clone", "-q", f"git://{address}:{port}/work", directory=tmp_path)
    copy = tmp_path / "work"
    assert (copy / "numbers").read_text(encoding="ascii") == "".join(f"{n}\n" for n in range(1, 20001))
    (copy / "more").write_text("from outside\n", encoding="ascii")
    git("add", "more", directory=copy)
    git("commit", "-qm", "second", directory=copy)
    git("push", "-q", "origin", "main", directory=copy)
    assert guest.check("git -C /tmp/work --no-pager log --format=%s").split() == ["second", "first"]
    guest.run(f"kill {process}; wait {process}")


def test_rsync_with_itself(guest):
    """Its delta algorithm, over TCP between two processes of the guest."""
    guest.write_file("/tmp/rsyncd.conf", RSYNC)
    guest.check("rm -rf /tmp/served /tmp/files && mkdir -p /tmp/served /tmp/files/deep/er")
    guest.check("seq 200000 > /tmp/files/numbers; head -c 300000 /dev/urandom > /tmp/files/deep/er/noise")
    process = guest.background("rsync --daemon --no-detach --config=/tmp/rsyncd.conf")
    guest.wait_for_port(RSYNC_PORT)
    url = f"rsync://127.0.0.1:{RSYNC_PORT}/files/"
    for _ in range(2):
        guest.check(f"rsync -a --delete /tmp/files/ {url} && diff -r /tmp/files /tmp/served", 60)
        guest.check("sed -i 's/^777$/changed/' /tmp/files/numbers && rm /tmp/files/deep/er/noise || true")
    guest.run(f"kill {process}; wait {process}")
