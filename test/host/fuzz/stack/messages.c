/* Operations: what carries data. */
#include "include/uapi/in.h"
#include "include/uapi/syscall.h"
#include "include/uapi/uio.h"
#include "kernel/byteorder.h"
#include "kernel/fs/file.h"
#include "kernel/iov.h"
#include "kernel/mm/page.h"
#include "net/core/socket.h"
#include "test/host/fuzz/stack/stack.h"
#include "test/host/services/host.h"

#define DATA_MAX 65536
#define CONTROL_MAX 256

/* What a byte of the input stands for. */
static uint32_t read_flags(struct bench *bench)
{
	static const uint32_t flags[8] = {MSG_DONTWAIT, MSG_PEEK, MSG_TRUNC,   MSG_ERRQUEUE,
					  MSG_OOB,      MSG_MORE, MSG_WAITALL, MSG_CONFIRM};
	uint8_t byte = read_u8(bench);
	uint32_t result = 0;

	for (uint32_t i = 0; i < 8; i++)
		result |= byte >> i & 1 ? flags[i] : 0;
	return result;
}

static size_t put_control(uint8_t *at, int level, int type, const void *data, size_t length)
{
	const struct cmsghdr header = {CMSG_LEN(length), level, type};

	memset(at, 0, CMSG_SPACE(length));
	memcpy(at, &header, sizeof(header));
	memcpy(at + sizeof(header), data, length);
	return CMSG_SPACE(length);
}

/* One byte: bit 0 IP_PKTINFO, bit 1 IP_TTL, bit 2 IP_TOS, bit 3 bytes as they stand. */
static size_t read_control(struct bench *bench, uint8_t *to)
{
	uint8_t which = read_u8(bench);
	uint8_t *at = to;

	if (which & 1) {
		const struct in_pktinfo info = {
			.ipi_ifindex = read_u8(bench) % 5,
			.ipi_spec_dst.s_addr = cpu_to_be32(read_address(bench)),
		};

		at += put_control(at, SOL_IP, IP_PKTINFO, &info, sizeof(info));
	}
	if (which & 2) {
		int32_t ttl = read_signed(bench);

		at += put_control(at, SOL_IP, IP_TTL, &ttl, sizeof(ttl));
	}
	if (which & 4) {
		int32_t tos = read_u8(bench);

		at += put_control(at, SOL_IP, IP_TOS, &tos, which & 64 ? 1 : sizeof(tos));
	}
	if (which & 8) {
		size_t n;
		const uint8_t *bytes = fuzz_bytes(bench->input, read_u8(bench) % 64u, &n);

		if (n)
			memcpy(at, bytes, n);
		at += n;
	}
	return (size_t)(at - to);
}

#define BEGINNING 64 /* bytes of what is sent that an input may choose */

static uint8_t *pattern(void)
{
	static uint8_t bytes[DATA_MAX];

	if (!bytes[BEGINNING + 1]) {
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)i;
	}
	return bytes;
}

/* What is sent begins with bytes of the input: a header, where the process writes that. */
static void begin_pattern(struct bench *bench)
{
	size_t n;
	const uint8_t *from = fuzz_bytes(bench->input, read_u8(bench) % (BEGINNING + 1u), &n);

	if (n)
		memcpy(pattern(), from, n);
	spare_the_witness(pattern(), BEGINNING);
}

/* As it is when nobody has chosen: the same for every input. */
static void end_pattern(void)
{
	for (size_t i = 0; i < BEGINNING; i++)
		pattern()[i] = (uint8_t)i;
}

/* By read or write. */
static void transfer(uint32_t fd, uint8_t *bytes, size_t length, bool send)
{
	struct file *file = fd_get((int)fd);
	uint64_t position = 0;
	struct iov iov;

	if (!file)
		return;
	iov_init_user(&iov, (uintptr_t)bytes, length);
	if (send && file->ops->write)
		(void)file->ops->write(file, &iov, &position);
	else if (!send && file->ops->read)
		(void)file->ops->read(file, &iov, &position);
	file_put(file);
}

static void call_twice(uint32_t number, uint32_t fd, const struct msghdr *header, uint32_t flags)
{
	struct mmsghdr headers[2] = {{.msg_hdr = *header}, {.msg_hdr = *header}};

	host_syscall(number, fd, (uintptr_t)headers, ARRAY_SIZE(headers), flags, 0, 0);
}

/*
 * Flags, a length, how (bit 0: with a name, bit 1: with control data, bit 2: in two pieces, bit 3:
 * by sendto, bit 4: by write, bit 5: by sendmmsg, twice, bit 6: the first bytes, bit 7: with
 * MSG_FASTOPEN), and what these announce.
 */
void op_send(struct bench *bench, uint32_t bits)
{
	static uint8_t area[CONTROL_MAX];
	uint8_t control[CONTROL_MAX];
	uint32_t flags = read_flags(bench), name_length = 0;
	size_t length = read_length(bench);
	uint8_t how = read_u8(bench);
	struct iovec pieces[2] = {{(uintptr_t)pattern(), length / 3},
				  {(uintptr_t)pattern() + length / 3, length - length / 3}};
	struct msghdr header = {.msg_iov = (uintptr_t)pieces, .msg_iovlen = 2};

	flags |= how & 128 ? MSG_FASTOPEN : 0;
	if (how & 64)
		begin_pattern(bench);
	if (!(how & 4)) {
		pieces[0].iov_len = length;
		header.msg_iovlen = 1;
	}
	if (how & 1) {
		header.msg_name = (uintptr_t)read_name(bench, &name_length);
		header.msg_namelen = (int32_t)name_length;
	}
	if (how & 2) {
		size_t n = read_control(bench, control);

		header.msg_control = (uintptr_t)fuzz_copy_to_end(area, sizeof(area), control, n);
		header.msg_controllen = n;
	}
	if (how & 8)
		host_syscall(SYS_sendto, bits, (uintptr_t)pattern(), length, flags, header.msg_name,
			     name_length);
	else if (how & 16)
		transfer(bits, pattern(), length, true);
	else if (how & 32)
		call_twice(SYS_sendmmsg, bits, &header, flags);
	else
		host_syscall(SYS_sendmsg, bits, (uintptr_t)&header, flags, 0, 0, 0);
	end_pattern();
}

/*
 * Flags, the room, how (bit 0: a name, and its room; bit 1: control data, and its room; bit 2: by
 * recvfrom, bit 4: by read, bit 5: by recvmmsg, twice).
 */
void op_receive(struct bench *bench, uint32_t bits)
{
	static uint8_t data[DATA_MAX], names[128], controls[CONTROL_MAX];
	uint32_t flags = read_flags(bench);
	size_t room = read_length(bench);
	uint8_t how = read_u8(bench);
	struct iovec piece = {(uintptr_t)(data + sizeof(data) - room), room};
	struct msghdr header = {.msg_iov = (uintptr_t)&piece, .msg_iovlen = 1};

	if (how & 1) {
		header.msg_namelen = read_u8(bench) % (int32_t)(sizeof(names) + 1);
		header.msg_name = (uintptr_t)(names + sizeof(names) - header.msg_namelen);
	}
	if (how & 2) {
		header.msg_controllen = read_u8(bench);
		header.msg_control = (uintptr_t)(controls + sizeof(controls) -
						 header.msg_controllen);
	}
	if (how & 4)
		host_syscall(SYS_recvfrom, bits, piece.iov_base, room, flags, 0, 0);
	else if (how & 16)
		transfer(bits, (uint8_t *)(uintptr_t)piece.iov_base, room, false);
	else if (how & 32)
		call_twice(SYS_recvmmsg, bits, &header, flags);
	else
		host_syscall(SYS_recvmsg, bits, (uintptr_t)&header, flags, 0, 0, 0);
}

/* A page's bytes as sendfile sends them: where they begin (units of 16), how many (of 16). */
void op_sendfile(struct bench *bench, uint32_t bits)
{
	struct file *file = fd_get((int)bits);
	uint32_t offset = read_u8(bench) * 16u, length = read_u8(bench) * 16u;
	struct page *page = file ? page_alloc_zeroed() : NULL;

	length = MIN(length, (uint32_t)PAGE_SIZE - offset);
	if (page && file->ops->write_page)
		(void)file->ops->write_page(file, page, offset, length, read_u8(bench) & 1);
	if (page)
		page_put(page);
	file_put(file);
}
