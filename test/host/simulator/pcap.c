/*
 * The pcap file format: a header of 24 bytes, then 16 bytes before each frame, in the writer's
 * byte order.
 */
#include "test/host/simulator/pcap.h"

#include <errno.h>
#include <string.h>

#define PCAP_MAGIC 0xa1b2c3d4
#define LINKTYPE_ETHERNET 1

static const uint32_t file_header[6] = {PCAP_MAGIC, 2 | 4 << 16,    0,
					0,          PCAP_FRAME_MAX, LINKTYPE_ETHERNET};

struct record {
	uint32_t seconds, microseconds, stored, length;
};

FILE *pcap_open(const char *path)
{
	FILE *pcap = fopen(path, "wb");

	if (pcap)
		fwrite(file_header, sizeof(file_header), 1, pcap);
	return pcap;
}

void pcap_write(FILE *pcap, const void *bytes, uint32_t length, uint64_t time_us)
{
	const struct record record = {(uint32_t)(time_us / USEC_PER_SEC),
				      (uint32_t)(time_us % USEC_PER_SEC), length, length};

	fwrite(&record, sizeof(record), 1, pcap);
	fwrite(bytes, length, 1, pcap);
	fflush(pcap);
}

FILE *pcap_open_read(const char *path)
{
	uint32_t header[ARRAY_SIZE(file_header)];
	FILE *pcap = fopen(path, "rb");

	if (!pcap)
		return NULL;
	if (fread(header, sizeof(header), 1, pcap) == 1 &&
	    memcmp(header, file_header, sizeof(header)) == 0)
		return pcap;
	fclose(pcap);
	errno = EINVAL;
	return NULL;
}

int32_t pcap_read(FILE *pcap, uint8_t *bytes, uint64_t *time_us)
{
	struct record record;
	size_t n = fread(&record, 1, sizeof(record), pcap);

	if (n == 0)
		return -ENODATA;
	if (n != sizeof(record) || record.stored != record.length || record.length > PCAP_FRAME_MAX)
		return -EINVAL;
	if (fread(bytes, 1, record.length, pcap) != record.length)
		return -EINVAL;
	*time_us = record.seconds * USEC_PER_SEC + record.microseconds;
	return (int32_t)record.length;
}
