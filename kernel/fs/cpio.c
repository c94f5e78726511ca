/*
 * The parser: bytes in, members out. See cpio_unpack.c for what becomes of them.
 *
 * A member is a header of 110 bytes (a magic number and 13 fields of 8 hexadecimal digits), the
 * name with its NUL, zeroes up to a multiple of 4, the data, zeroes up to a multiple of 4.
 */
#include "kernel/fs/cpio.h"

#include "kernel/string.h"

#define HEADER_SIZE 110
#define MAGIC_SIZE 6
#define FIELD_DIGITS 8
#define NAME_SIZE_MAX 4096

enum field {
	FIELD_INODE,
	FIELD_MODE,
	FIELD_UID,
	FIELD_GID,
	FIELD_LINKS,
	FIELD_MTIME,
	FIELD_SIZE,
	FIELD_FILESYSTEM_MAJOR,
	FIELD_FILESYSTEM_MINOR,
	FIELD_DEVICE_MAJOR,
	FIELD_DEVICE_MINOR,
	FIELD_NAME_SIZE,
	FIELD_CHECKSUM,
	FIELD_COUNT,
};

static bool parse_digit(uint8_t digit, uint32_t *value)
{
	if (digit >= '0' && digit <= '9')
		*value = digit - '0';
	else if (digit >= 'a' && digit <= 'f')
		*value = digit - 'a' + 10u;
	else if (digit >= 'A' && digit <= 'F')
		*value = digit - 'A' + 10u;
	else
		return false;
	return true;
}

static bool parse_fields(const uint8_t *header, uint32_t fields[FIELD_COUNT])
{
	const uint8_t *digits = header + MAGIC_SIZE;
	for (uint32_t field = 0; field < FIELD_COUNT; field++) {
		fields[field] = 0;
		for (uint32_t i = 0; i < FIELD_DIGITS; i++, digits++) {
			uint32_t digit;
			if (!parse_digit(*digits, &digit))
				return false;
			fields[field] = fields[field] << 4 | digit;
		}
	}
	return true;
}

/* "070701", or "070702" whose checksums are not looked at. */
static bool magic_matches(const uint8_t *header)
{
	return memcmp(header, "070701", MAGIC_SIZE) == 0 ||
	       memcmp(header, "070702", MAGIC_SIZE) == 0;
}

/* Parses the member whose header is at *offset. NULL, or what is wrong with it. */
static const char *parse_member(const uint8_t *archive, uint64_t size, uint64_t *offset,
				struct cpio_member *member)
{
	uint32_t fields[FIELD_COUNT];
	const uint8_t *header = archive + *offset;
	uint64_t left = size - *offset;
	if (left < HEADER_SIZE)
		return "header cut short";
	if (!magic_matches(header))
		return "no newc magic number";
	if (!parse_fields(header, fields))
		return "header field is no hexadecimal number";

	uint64_t name_size = fields[FIELD_NAME_SIZE];
	if (name_size < 1 || name_size > NAME_SIZE_MAX)
		return "name of impossible length";
	uint64_t data_at = ALIGN_UP(HEADER_SIZE + name_size, 4ul);
	if (HEADER_SIZE + name_size > left)
		return "name cut short";
	const char *name = (const char *)header + HEADER_SIZE;
	if (name[name_size - 1] != '\0')
		return "name without an end";
	uint64_t data_size = fields[FIELD_SIZE];
	if (data_size > 0 && (data_at > left || data_size > left - data_at))
		return "data cut short";

	*member = (struct cpio_member){
		.name = name,
		.mode = fields[FIELD_MODE],
		.uid = fields[FIELD_UID],
		.gid = fields[FIELD_GID],
		.links = fields[FIELD_LINKS],
		.inode_number = fields[FIELD_INODE],
		.mtime = fields[FIELD_MTIME],
		.device_major = fields[FIELD_DEVICE_MAJOR],
		.device_minor = fields[FIELD_DEVICE_MINOR],
		.data = header + MIN(data_at, left),
		.size = data_size,
	};
	/* The padding of the very last member may be missing. */
	*offset += MIN(left, data_at + ALIGN_UP(data_size, 4ul));
	return NULL;
}

enum cpio_result cpio_next(const uint8_t *archive, uint64_t size, uint64_t *offset,
			   struct cpio_member *member, const char **reason)
{
	do {
		while (*offset < size && archive[*offset] == 0)
			(*offset)++;
		if (*offset == size)
			return CPIO_END;
		*reason = parse_member(archive, size, offset, member);
		if (*reason)
			return CPIO_INVALID;
	} while (strcmp(member->name, "TRAILER!!!") == 0);
	return CPIO_MEMBER;
}
