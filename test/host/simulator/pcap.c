/*
 * The pcap file format: a header of 24 bytes, then 16 bytes before each frame, in the writer's
 * byte order.
 */
#include "test/host/simulator/pcap.h"

#define PCAP_MAGIC 0xa1b2c3d4
#define PCAP_SNAPSHOT 65549
#define LINKTYPE_ETHERNET 1

FILE *pcap_open(const char *path)
{
	const uint32_t header[6] = {PCAP_MAGIC, 2 | 4 << 16,   0,
				    0,          PCAP_SNAPSHOT, LINKTYPE_ETHERNET};
	FILE *pcap = fopen(path, "wb");

	if (pcap)
		fwrite(header, sizeof(header), 1, pcap);
	return pcap;
}

void pcap_write(FILE *pcap, const void *bytes, uint32_t length, uint64_t time_us)
{
	const uint32_t record[4] = {(uint32_t)(time_us / USEC_PER_SEC),
				    (uint32_t)(time_us % USEC_PER_SEC), length, length};

	fwrite(record, sizeof(record), 1, pcap);
	fwrite(bytes, length, 1, pcap);
	fflush(pcap);
}
