"""Users and groups that the installation scripts of Debian's packages would add.

A script that says `adduser --system ... NAME` or `addgroup --system NAME` is taken by its word, also where
NAME is a variable that it sets to a plain word, and so is `usermod -a -G GROUP NAME`; names that it works out
are left alone.  The accounts of userland/rootfs/etc/ are there already.
"""

import os
import re
import shlex

ETC = os.path.join(os.path.dirname(__file__), "../../userland/rootfs/etc")
FIRST_ID = 200  # of those that are added: Debian's system users end at 999
NOGROUP = 65534

CALL = re.compile(r"\b(adduser|addgroup)[ \t]+((?:[^\\\n;|&>]|\\\n)+)")
VARIABLE = re.compile(r"^[ \t]*([A-Z_a-z][A-Z_a-z0-9]*)=[\"']?([A-Za-z0-9_/.-]+)[\"']?[ \t]*$", re.MULTILINE)
USE = re.compile(r"\$\{?([A-Z_a-z][A-Z_a-z0-9]*)\}?")
MEMBER = re.compile(r"^[ \t]*usermod -a -G ([A-Za-z0-9_-]+) ([A-Za-z0-9_-]+)[ \t]*$", re.MULTILINE)
WITH_VALUE = {"--home", "--shell", "--gecos", "--comment", "--ingroup", "--uid", "--gid", "--firstuid", "--lastuid",
              "--conf"}
HOME_MODE = 0o755


def read_fields(name):
    with open(f"{ETC}/{name}", encoding="ascii") as file:
        return [line.rstrip("\n").split(":") for line in file]


def parse(words):
    """(options, name): `--home /x --group x` is ({"--home": "/x", "--group": True}, "x")."""
    options, names = {}, []
    words = iter(words)
    for word in words:
        if word in WITH_VALUE:
            options[word] = next(words, "")
        elif word.startswith("--"):
            option, equals, value = word.partition("=")
            options[option] = value if equals else True
        else:
            names.append(word)
    return options, names[0] if len(names) == 1 else None


class Accounts:
    def __init__(self):
        self._passwd, self._group, self._shadow = map(read_fields, ("passwd", "group", "shadow"))
        self._next_id = FIRST_ID
        self._homes = []  # (path, uid, gid) to be made

    def ids(self, user):
        """(uid, gid)"""
        return next((int(fields[2]), int(fields[3])) for fields in self._passwd if fields[0] == user)

    def learn(self, script):
        """What a postinst adds."""
        variables = dict(VARIABLE.findall(script))
        for program, text in CALL.findall(script):
            text = USE.sub(lambda use: variables.get(use[1], use[0]), text)
            try:
                options, name = parse(shlex.split(text.replace("\\\n", " ")))
            except ValueError:  # a quotation that ends elsewhere
                continue
            if "--system" not in options or not name or "$" in name:
                continue
            if program == "addgroup":
                self._add_group(name)
            else:
                self._add_user(name, options)
        for group, user in MEMBER.findall(script):
            self._add_member(group, user)

    def _new_id(self):
        self._next_id += 1
        return self._next_id - 1

    def _add_group(self, name):
        """Its number, new or not."""
        found = [int(fields[2]) for fields in self._group if fields[0] == name]
        if not found:
            found = [self._new_id()]
            self._group.append([name, "x", str(found[0]), ""])
        return found[0]

    def _add_member(self, group, user):
        for fields in self._group:
            if fields[0] == group:
                fields[3] = ",".join([*filter(None, fields[3].split(",")), user])

    def _add_user(self, name, options):
        if any(fields[0] == name for fields in self._passwd):
            return
        group = options.get("--ingroup", name if "--group" in options else None)
        gid = self._add_group(group) if group else NOGROUP
        uid = gid if group == name else self._new_id()
        home = options.get("--home", "/nonexistent")
        self._passwd.append([name, "x", str(uid), str(gid), name, home, options.get("--shell", "/bin/false")])
        self._shadow.append([name, "*", "20000", "0", "99999", "7", "", "", ""])
        if "--no-create-home" not in options and "$" not in home and home != "/nonexistent":
            self._homes.append((home.strip("/"), uid, gid))

    def add_to(self, archive):
        for name, lines in (("passwd", self._passwd), ("group", self._group), ("shadow", self._shadow)):
            archive.add_bytes(f"etc/{name}", "".join(":".join(fields) + "\n" for fields in lines).encode())
        archive.give("etc/shadow", 0, 42, 0o640)
        for path, uid, gid in self._homes:
            archive.add_directory(path)
            archive.give(path, uid, gid, HOME_MODE)
