/*
 * The frames of a run of the simulator, by link, in the order in which they entered it: what
 * another run is compared with (world_expect in world.h).
 */
#ifndef TEST_HOST_SIMULATOR_RECORDING_H
#define TEST_HOST_SIMULATOR_RECORDING_H

#include <stdio.h>

#include "kernel/types.h"

#define RECORDING_LINKS_MAX 128

struct recorded_frame {
	uint64_t time_us;
	uint32_t length;
	uint8_t *bytes;
};

struct recording {
	struct recorded_link {
		struct recorded_frame *frames;
		uint32_t count, room;
	} links[RECORDING_LINKS_MAX];
};

/* Panics when the host has no memory. */
struct recording *recording_create(void);
void recording_destroy(struct recording *recording);

/* Appends a copy of one frame. */
void recording_add(struct recording *recording, uint32_t link, uint64_t time_us, const void *bytes,
		   uint32_t length);

/*
 * Appends the frames of a capture that link_capture wrote. 0, a negative errno, or -EINVAL when it
 * is not one.
 */
int recording_load(struct recording *recording, uint32_t link, const char *path);

/* Frame `number` of a link, counted from 0; NULL when there are fewer. */
const struct recorded_frame *recording_frame(const struct recording *recording, uint32_t link,
					     uint32_t number);

/* The first byte in which two frames differ; the shorter one's length; or UINT32_MAX: none. */
uint32_t recording_difference(const struct recorded_frame *frame, const void *bytes,
			      uint32_t length);

/* Prints a frame in hexadecimal, 16 bytes a line, the bytes that `other` has not in brackets. */
void recording_print(FILE *to, const void *bytes, uint32_t length, const void *other,
		     uint32_t other_length);

#endif
