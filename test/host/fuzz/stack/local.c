/* Operations: sockets of AF_UNIX in pairs, and files that travel between them. */
#include "include/uapi/syscall.h"
#include "include/uapi/uio.h"
#include "kernel/fs/file.h"
#include "net/core/socket.h"
#include "net/unix/unix_private.h"
#include "test/host/fuzz/stack/stack.h"
#include "test/host/services/host.h"

#define PASSED_MAX 16
#define DATA_MAX 64

/*
 * A name of AF_UNIX: bits 0-2 which, bit 3: in the file system; bits 4-5: 1 with a NUL and more
 * behind, 2 the family alone, 3 as long as can be.
 */
uint32_t read_unix_name(struct bench *bench, struct sockaddr_un *name)
{
	uint8_t how = read_u8(bench);
	uint32_t length = (uint32_t)sizeof(sa_family_t) + 2;

	memset(name, 0, sizeof(*name));
	name->sun_family = AF_UNIX;
	name->sun_path[0] = how & 8 ? '/' : '\0';
	name->sun_path[1] = (char)('a' + (how & 7));
	switch (how >> 4 & 3) {
	case 1:
		name->sun_path[3] = 'z';
		return length + 3;
	case 2:
		return sizeof(sa_family_t);
	case 3:
		memset(name->sun_path + 2, 'y', sizeof(name->sun_path) - 2);
		return sizeof(*name);
	default:
		return length;
	}
}

/* A type (bits 0-1), bit 2: non-blocking. */
void op_pair(struct bench *bench, uint32_t bits)
{
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW};
	int type = types[bits & 3] | (bits & 4 ? SOCK_NONBLOCK : 0);
	int32_t fds[2];

	(void)bench;
	host_syscall(SYS_socketpair, AF_UNIX, (uint64_t)type, 0, (uintptr_t)fds, 0, 0);
}

/*
 * Files by SCM_RIGHTS: a mask of descriptors, and how (bits 0-5: bytes of data; bit 6: with a name;
 * bit 7: a descriptor that is none, too).
 */
void op_pass(struct bench *bench, uint32_t bits)
{
	static uint8_t data[DATA_MAX];
	uint8_t mask = read_u8(bench), how = read_u8(bench);
	struct {
		struct cmsghdr header;
		int32_t fds[PASSED_MAX];
	} control = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	struct iovec piece = {(uintptr_t)data, how % DATA_MAX};
	struct msghdr header = {
		.msg_iov = (uintptr_t)&piece, .msg_iovlen = 1, .msg_control = (uintptr_t)&control};
	struct sockaddr_un name;
	uint32_t count = 0;

	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		if (mask >> fd & 1)
			control.fds[count++] = fd;
	}
	if (how & 128)
		control.fds[count++] = -1;
	if (how & 64) {
		header.msg_namelen = (int32_t)read_unix_name(bench, &name);
		header.msg_name = (uintptr_t)&name;
	}
	control.header.cmsg_len = CMSG_LEN(count * sizeof(int32_t));
	header.msg_controllen = control.header.cmsg_len;
	host_syscall(SYS_sendmsg, bits, (uintptr_t)&header, 0, 0, 0, 0);
}

/* A name goes from the file system. */
void op_unlink(struct bench *bench, uint32_t bits)
{
	const char path[] = {'/', (char)('a' + bits), '\0'};

	(void)bench;
	(void)host_unlink(path);
}

void check_no_file_in_flight(struct bench *bench)
{
	const struct unix_state *state = unix_state(&bench->net);

	CHECK(state->sockets_in_flight == 0 && list_empty(&state->users));
	CHECK(list_empty(&state->dead) && list_empty(&state->sockets) && !state->burying);
}
