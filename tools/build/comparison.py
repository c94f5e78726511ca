"""What `ninja bench` runs: the server for both guests, the load and the plugin for this machine."""

from build import userland


def describe(ninja):
    """Returns what tools/bench needs."""
    ninja.rule("bench_cc", "clang -std=c17 -O2 -Wall -Wextra -Werror $options $in -o $out", "CC $out")
    server = userland.describe_program(ninja, "test/bench/server.c", ninja.product("userland/lib/libuserland.a"))
    load, plugin = ninja.product("bench/load"), ninja.product("bench/instructions.so")
    ninja.build(load, "bench_cc", ["test/bench/load.c"], options="")
    ninja.build(plugin, "bench_cc", ["test/bench/instructions.c"], options="-fPIC -shared")
    return [server, load, plugin]
