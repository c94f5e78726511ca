/* The frames of a run; see recording.h. */
#include "test/host/simulator/recording.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/printk.h"
#include "test/host/simulator/pcap.h"

#define FIRST_ROOM 64
#define BYTES_A_LINE 16

struct recording *recording_create(void)
{
	struct recording *recording = calloc(1, sizeof(*recording));

	if (!recording)
		panic("no memory for a recording");
	return recording;
}

void recording_destroy(struct recording *recording)
{
	for (uint32_t i = 0; i < RECORDING_LINKS_MAX; i++) {
		struct recorded_link *link = &recording->links[i];

		for (uint32_t frame = 0; frame < link->count; frame++)
			free(link->frames[frame].bytes);
		free(link->frames);
	}
	free(recording);
}

static void make_room(struct recorded_link *link)
{
	if (link->count < link->room)
		return;
	link->room = link->room ? 2 * link->room : FIRST_ROOM;
	link->frames = realloc(link->frames, link->room * sizeof(link->frames[0]));
	if (!link->frames)
		panic("no memory for a recording");
}

void recording_add(struct recording *recording, uint32_t link_number, uint64_t time_us,
		   const void *bytes, uint32_t length)
{
	struct recorded_link *link = &recording->links[link_number];
	struct recorded_frame frame = {
		.time_us = time_us, .length = length, .bytes = malloc(MAX(length, 1u))};

	if (!frame.bytes)
		panic("no memory for a recording");
	memcpy(frame.bytes, bytes, length);
	make_room(link);
	link->frames[link->count++] = frame;
}

int recording_load(struct recording *recording, uint32_t link, const char *path)
{
	static uint8_t bytes[PCAP_FRAME_MAX];
	uint64_t time_us;
	int32_t length;
	FILE *pcap = pcap_open_read(path);

	if (!pcap)
		return -errno;
	while ((length = pcap_read(pcap, bytes, &time_us)) >= 0)
		recording_add(recording, link, time_us, bytes, (uint32_t)length);
	fclose(pcap);
	return length == -ENODATA ? 0 : length;
}

const struct recorded_frame *recording_frame(const struct recording *recording, uint32_t link,
					     uint32_t number)
{
	if (number >= recording->links[link].count)
		return NULL;
	return &recording->links[link].frames[number];
}

uint32_t recording_difference(const struct recorded_frame *frame, const void *bytes,
			      uint32_t length)
{
	const uint8_t *actual = bytes;
	uint32_t common = MIN(frame->length, length);

	for (uint32_t i = 0; i < common; i++) {
		if (frame->bytes[i] != actual[i])
			return i;
	}
	return frame->length == length ? UINT32_MAX : common;
}

void recording_print(FILE *to, const void *bytes, uint32_t length, const void *other,
		     uint32_t other_length)
{
	const uint8_t *shown = bytes, *compared = other;

	for (uint32_t i = 0; i < length; i++) {
		bool differs = i >= other_length || shown[i] != compared[i];

		if (i % BYTES_A_LINE == 0)
			fprintf(to, "%s    %04x ", i ? "\n" : "", i);
		fprintf(to, differs ? "[%02x]" : " %02x ", shown[i]);
	}
	fputc('\n', to);
}
