"""What the installation scripts of Debian's packages would have made, made without running them.

The everyday files of /etc stand in userland/rootfs/, users are added by guest_users.py.  Here is the
rest of what depends on which packages are there.
"""

import os
import re

# update-alternatives --install LINK NAME PATH PRIORITY, and --slave LINK NAME PATH, in a postinst.
ALTERNATIVE = re.compile(r"--(?:install|slave)\s+(/\S+)\s+\S+\s+(/\S+)")

# On a Debian machine the two of a pair are one directory.
PAIRS = {"bin": "usr/bin", "usr/bin": "bin", "sbin": "usr/sbin", "usr/sbin": "sbin"}

ALIAS_NAME = re.compile(r"[A-Za-z0-9._+-]+")

CERTIFICATES = "usr/share/ca-certificates/"

MIME_TYPES = (("html", "text/html"), ("css", "text/css"), ("js", "text/javascript"), ("txt", "text/plain"),
              ("png", "image/png"), ("jpg", "image/jpeg"), ("svg", "image/svg+xml"), ("json", "application/json"))

# There when the first of a line is; the last is whose it is, by userland/rootfs/etc/passwd.
DIRECTORIES = (
    ("usr/sbin/sshd", "run/sshd", 0o755, "root"),
    ("usr/sbin/nginx", "var/lib/nginx", 0o755, "root"),
    ("usr/sbin/nginx", "var/log/nginx", 0o755, "www-data"),
    ("usr/sbin/lighttpd", "var/cache/lighttpd", 0o750, "www-data"),
    ("usr/sbin/lighttpd", "var/log/lighttpd", 0o750, "www-data"),
    ("usr/sbin/lighttpd", "run/lighttpd", 0o750, "www-data"),
    ("usr/sbin/haproxy", "run/haproxy", 0o755, "haproxy"),
    ("usr/sbin/haproxy", "var/lib/haproxy", 0o755, "root"),
    ("usr/bin/redis-server", "var/lib/redis", 0o750, "redis"),
    ("usr/bin/redis-server", "var/log/redis", 0o750, "redis"),
    ("usr/lib/postgresql/15/bin/postgres", "run/postgresql", 0o2775, "postgres"),
    ("usr/lib/postgresql/15/bin/postgres", "var/lib/postgresql", 0o755, "postgres"),
    ("usr/sbin/dnsmasq", "var/lib/misc", 0o755, "root"),
    ("usr/sbin/dropbear", "etc/dropbear", 0o755, "root"),
)


def place_in_guest(path):
    """Where a file of a package stands. /lib is a link to /usr/lib, where Debian is on its way to anyway."""
    path = path.removeprefix("./").strip("/")
    return f"usr/{path}" if path.startswith("lib/") else path


def program_at(archive, path):
    """Under this name, or under its other one."""
    directory, name = os.path.split(path)
    other = f"{PAIRS[directory]}/{name}" if directory in PAIRS else path
    return path if archive.has(path) else other if archive.has(other) else None


def add_alternatives(archive, script):
    """The links that the packages' scripts would register: nc for nc.openbsd, say."""
    for link, target in ALTERNATIVE.findall(script.replace("\\\n", " ")):
        place, link = program_at(archive, place_in_guest(target)), place_in_guest(link)
        if place and not archive.has(link):
            archive.add_link(link, f"/{place}")


def programs(archive):
    return [path for path in archive.paths() if os.path.dirname(path) in PAIRS and archive.is_program(path)]


def add_other_names(archive):
    """Each program has both names of a merged /usr; also, so do those of busybox's applets lead to it."""
    for path in programs(archive):
        directory, name = os.path.split(path)
        archive.add_link(f"{PAIRS[directory]}/{name}", f"/{path}")


def add_aliases(archive):
    """busybox's shell prefers its own applets; see userland/rootfs/etc/programs."""
    names = {os.path.basename(path): path for path in programs(archive)}
    lines = [f"alias {name}=/{path}\n" for name, path in sorted(names.items()) if ALIAS_NAME.fullmatch(name)]
    archive.add_bytes("etc/programs.packages", "".join(lines).encode())


def add_certificates(archive):
    """As update-ca-certificates does."""
    texts = [archive.contents(path) for path in archive.paths()
             if path.startswith(CERTIFICATES) and path.endswith(".crt")]
    if texts:
        archive.add_bytes("etc/ssl/certs/ca-certificates.crt", b"".join(texts))


def add_sshd_settings(archive):
    """Debian's, without PAM, whose own files a script would have to write."""
    source = "usr/share/openssh/sshd_config"
    if archive.has(source):
        archive.add_bytes("etc/ssh/sshd_config", archive.contents(source).replace(b"UsePAM yes", b"UsePAM no"))


def add_nginx_site(archive):
    """Debian's welcome page. There is no IPv6 here, and nginx does not start without what it is told to listen on."""
    source = "etc/nginx/sites-available/default"
    if archive.has(source):
        archive.add_bytes(source, re.sub(rb"(?m)^\s*listen \[::\].*\n", b"", archive.contents(source)))
        archive.add_link("etc/nginx/sites-enabled/default", f"/{source}")
        archive.copy("var/www/html/index.html", "usr/share/nginx/html/index.html")


def add_lighttpd_settings(archive):
    """Debian's, with what its two Perl scripts would say."""
    path = "etc/lighttpd/lighttpd.conf"
    if not archive.has(path):
        return
    lines = []
    for line in archive.contents(path).decode().splitlines(keepends=True):
        if "create-mime" in line:
            line = "mimetype.assign = (" + ", ".join(f'".{end}" => "{kind}"' for end, kind in MIME_TYPES) + ")\n"
        lines.append("" if "use-ipv6.pl" in line else line)
    archive.add_bytes(path, "".join(lines).encode())


def add_directories(archive, accounts):
    for cause, path, mode, owner in DIRECTORIES:
        if archive.has(cause):
            archive.add_directory(path)
            archive.give(path, *accounts.ids(owner), mode)


def complete(archive, accounts):
    accounts.add_to(archive)
    add_other_names(archive)
    add_aliases(archive)
    add_certificates(archive)
    add_sshd_settings(archive)
    add_nginx_site(archive)
    add_lighttpd_settings(archive)
    add_directories(archive, accounts)
