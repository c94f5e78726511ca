"""Seeds of the virtqueue target: test/host/fuzz/virtqueue/virtqueue.c has the operations."""

from seeds.files import write, write_dictionary


def write_all():
    modern, bare, legacy, small = b"\0\0", b"\2\0", b"\1\0", b"\x40\0"
    receive, send, run = b"\0\0", b"\2\5\0", b"\x0f"
    reset = b"\x0b" + run + b"\x0d\xff" * 2
    seeds = {
        f"traffic_{name}": kind + (receive + send + run) * 4
        for name, kind in (("modern", modern), ("bare", bare), ("legacy", legacy), ("small", small))
    }
    write(
        "virtqueue",
        **seeds,
        merged=modern + b"\0\4" + run + b"\0\5" + run,
        crowded=modern + b"\2\x17\2" * 4 + run,
        held=modern + b"\3" + send * 6 + b"\3" + run,
        wrong_id=modern + b"\4\0\x77\0\x40" + run,
        transmit_id=modern + b"\3" + send + b"\x24\0\1\0\0\x27" + run,
        huge_length=modern + b"\4\0\0\xff\xff" + run,
        index_jumps=modern + b"\5\x12\x34" + run,
        index_back=modern + b"\5\xff\xff" + run,
        scribble=modern + b"\6\0\2\x80" + run,
        needs_reset=modern + receive + reset + receive,
        config=modern + b"\x29\5\xdc\1" + run + b"\x09\0\0\x52" + run,
        promiscuous=modern + b"\x6e" + run,
        unplugged=modern + send + b"\x13" + receive + run,
        no_memory=modern + b"\x0c\5" + b"\x13" + run,
        ring_lie=modern + b"\x10\3\0\0\x10\0" + receive + run * 2,
        ring_lie_once=modern + b"\x30\1\0\0\x10\0" + receive + run * 2,
        register_lie=modern + b"\x11\2\xff\xff\xff\xff\x13" + run,
        refusals=modern + b"\x32\x13\x52\x13\x92\x13" + run,
        nonsense_header=modern + b"\1\1\1\0\0\0\0\xff\xff\xff\xff\1\0" + run,
        buffers_0=modern + b"\x14" + bytes(12) + b"\0\x40" + run,
        odd_size=b"\xd0\0" + send,
        no_queue=b"\xc0\0" + send,
    )
    write_dictionary(
        "virtqueue/virtqueue",
        receive=receive,
        send=send,
        run=run,
        reset=reset,
        use_first=b"\4\0\0\0\x40",
        ring_lie=b"\x10\1\0\0\x10\0",
        register_lie=b"\x11\1\xff\xff\xff\xff",
    )
