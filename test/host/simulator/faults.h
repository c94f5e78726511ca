/*
 * One direction of a link with faults: frames go in at a time, and come out later, or twice, or
 * changed, or not at all. Seeded: the same seed and the same frames at the same times give the
 * same result, on every machine.
 *
 * Used by the simulator (test/host/simulator/world.h) in virtual time and by tools/relay in
 * real time. It knows nothing of either: time is an argument.
 */
#ifndef TEST_HOST_SIMULATOR_FAULTS_H
#define TEST_HOST_SIMULATOR_FAULTS_H

#include "kernel/types.h"

#define FAULT_FRAME_MAX \
	65549 /* the largest frame that a virtio device or a TAP takes: 64 KiB and a header */

struct fault_settings {
	double loss; /* probability that a frame is lost, 0..1 */
	/*
	 * probability that a frame begins a burst, in which all are lost (Gilbert's model)
	 * ...
	 */
	double burst_start;
	double burst_length;    /* ... of this many frames on average */
	double duplicate;       /* probability that a frame arrives twice */
	double corrupt;         /* probability that one bit of a frame flips */
	double reorder;         /* probability that a frame is held back ... */
	uint32_t reorder_depth; /* ... until up to this many later ones have passed it */
	uint64_t delay_us;      /* of every frame */
	uint64_t
		jitter_us; /* added, evenly distributed in 0..jitter; frames never overtake by it */
	uint64_t rate_bps; /* bits a second; 0: infinitely fast */
	uint32_t
		/* waiting for the rate; beyond, frames are lost at the tail; 0: no bound */
		queue_bytes;
	uint32_t mtu; /* longer frames (without the 14-byte header) are lost; 0: no bound */
};

struct fault_counts {
	uint64_t in, out, lost, burst_lost, queue_lost, too_long, duplicated, corrupted, reordered;
};

struct fault_frame {
	struct fault_frame *next;
	uint64_t due_us;
	uint32_t held; /* frames that still have to pass it */
	uint32_t length;
	uint8_t bytes[];
};

struct fault_link {
	struct fault_settings settings;
	struct fault_counts counts;
	uint64_t random_state;
	uint64_t wire_free_us; /* when the last queued frame will have left at the given rate */
	uint64_t last_due_us;  /* so that jitter does not reorder */
	bool in_burst;
	struct fault_frame *frames; /* in the order in which they will come out */
};

void fault_link_init(struct fault_link *link, const struct fault_settings *settings, uint64_t seed);
void fault_link_destroy(struct fault_link *link);

/* Puts a frame in; it is copied. False when the host's memory is out. */
bool fault_link_send(struct fault_link *link, const void *bytes, uint32_t length, uint64_t now_us);

/* When the next frame comes out, or UINT64_MAX. */
uint64_t fault_link_next(const struct fault_link *link);

/* The next frame that is due at `now_us`, for the caller to free(), or NULL. */
struct fault_frame *fault_link_receive(struct fault_link *link, uint64_t now_us);

/*
 * Reads "loss=1%,delay=20ms,rate=10mbit,reorder=5%,depth=20,..." as tools/relay takes it.
 * Returns NULL, or the word that it could not use (pointing into `text`).
 */
const char *fault_settings_parse(struct fault_settings *settings, const char *text);

#endif
