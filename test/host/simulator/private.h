/* What the files of the world share. */
#ifndef TEST_HOST_SIMULATOR_PRIVATE_H
#define TEST_HOST_SIMULATOR_PRIVATE_H

#include "test/host/simulator/world.h"

/* splitmix64's last step: a number whose every bit depends on every bit of z. */
static inline uint64_t world_mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* link.c: a frame enters the link at one end; all frames of the world that are due come out. */
void link_send(struct link *link, uint32_t side, const uint8_t *bytes, uint32_t length);
void link_deliver_due(struct world *world);
uint64_t link_next_event(const struct world *world);
void link_destroy(struct link *link);

/* switch.c: a frame arrives at one of a switch's sockets. */
void switch_forward(struct port *in, const uint8_t *bytes, uint32_t length);

/* world_watch.c: a frame enters a link: counts, digest, recording, comparison. */
void world_watch(struct link *link, uint32_t side, const uint8_t *bytes, uint32_t length);

/* world_report.c: a world that is not destroyed before the process ends is told of. */
void world_report_began(struct world *world);
void world_report_ended(struct world *world);

#endif
