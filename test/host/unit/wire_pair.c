/* A file of its own, because the host's socket headers and the stack's cannot be read together. */
#include "test/host/unit/wire_pair.h"

#include <sys/socket.h>

int wire_pair_make(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends);
}
