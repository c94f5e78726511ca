/*
 * Operations: requests to the kernel's own sockets, NETLINK_ROUTE and NETLINK_SOCK_DIAG. Messages
 * and attributes have right lengths unless the input wants them wrong; what stands in them is the
 * input's.
 */
#include "include/uapi/syscall.h"
#include "net/netlink/netlink_wire.h"
#include "test/host/fuzz/stack/stack.h"
#include "test/host/services/host.h"

#define REQUEST_MAX 2048
#define FIXED_MAX 63
#define VALUE_MAX 63
#define ATTRIBUTES_MAX 15

/* Bytes of an input, which may not speak of the witness: 198.18. */
static size_t read_bytes(struct bench *bench, size_t n, uint8_t *to)
{
	size_t got;
	const uint8_t *bytes = fuzz_bytes(bench->input, n, &got);

	memset(to, 0, n);
	if (got)
		memcpy(to, bytes, got);
	spare_the_witness(to, n);
	return n;
}

/* Each: a type, a length (bit 6: an address of the language; bit 7: attributes within), a value. */
static void put_attributes(struct bench *bench, struct netlink_writer *writer, uint32_t count)
{
	uint8_t value[VALUE_MAX + 1];
	size_t nest = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint8_t type = read_u8(bench), how = read_u8(bench);

		if (how & 128) {
			if (nest)
				netlink_end_nest(writer, nest);
			nest = netlink_begin_nest(writer, type);
		} else if (how & 64) {
			netlink_put_be32(writer, type, read_address(bench));
		} else {
			netlink_put(writer, type, value, read_bytes(bench, how & VALUE_MAX, value));
		}
	}
	if (nest)
		netlink_end_nest(writer, nest);
}

/*
 * A type, flags (2 bytes), how (bits 0-3: attributes; bit 4: a byte is changed, where and to what;
 * bit 5: cut, by so many; bit 6: all of it twice), the fixed part's length and bytes, and what
 * these announce.
 */
void op_request(struct bench *bench, uint32_t bits)
{
	static uint8_t area[REQUEST_MAX], fixed[FIXED_MAX + 1];
	struct netlink_writer writer;
	uint8_t type = read_u8(bench);
	uint16_t flags = read_u16(bench);
	const struct nlmsghdr header = {
		.nlmsg_type = type, .nlmsg_flags = flags | NLM_F_REQUEST, .nlmsg_seq = flags};
	uint8_t how = read_u8(bench);
	size_t length = read_u8(bench) & FIXED_MAX;

	netlink_writer_init(&writer, area, sizeof(area));
	for (uint32_t i = 0; i < (how & 64 ? 2 : 1); i++) {
		netlink_begin(&writer, &header);
		netlink_put_bytes(&writer, fixed, read_bytes(bench, length, fixed));
		put_attributes(bench, &writer, how & ATTRIBUTES_MAX);
		netlink_end(&writer);
	}
	if (how & 16 && writer.length) {
		size_t at = read_u8(bench) % writer.length;

		area[at] = read_u8(bench);
	}
	if (how & 32) {
		size_t cut = read_u8(bench);

		writer.length -= MIN(cut, writer.length);
	}
	spare_the_witness(area, writer.length);
	host_syscall(SYS_sendto, bits, (uintptr_t)area, writer.length, MSG_DONTWAIT, 0, 0);
}
