/*
 * One direction of a link with faults: frames go in at a time, and come out later, or twice, or
 * changed, or not at all.
 *
 * Replayable: what happens to the n-th frame that goes in (lost, doubled, which bit flips, how much
 * jitter, behind how many followers) is drawn from the seed and n alone. The same seed and the same
 * frames have the same fate whenever they come. What time alone decides is when a frame comes
 * out, which frames find a full queue (rate and queue_bytes), and whether a frame that is held back
 * for followers goes because none come.
 *
 * Used by the simulator (test/host/simulator/world.h) in virtual time and by the relay
 * (test/host/programs/relay/) in real time. It knows nothing of either: time is an argument. The
 * cost of a frame does not grow with the number of frames under way.
 */
#ifndef TEST_HOST_SIMULATOR_FAULTS_H
#define TEST_HOST_SIMULATOR_FAULTS_H

#include "kernel/list.h"
#include "kernel/types.h"

/* The largest frame that a virtio device or a TAP takes: 64 KiB and a header. */
#define FAULT_FRAME_MAX 65549

/* A frame that is held back goes after this long even if nothing passes it. */
#define FAULT_HOLD_LIMIT_US 100000

struct fault_settings {
	double loss; /* probability that a frame is lost, 0..1 */
	/* probability that a frame begins a burst, in which all are lost (Gilbert's model) ... */
	double burst_start;
	double burst_length;    /* ... of this many frames on average */
	double duplicate;       /* probability that a frame arrives twice */
	double corrupt;         /* probability that one bit of a frame flips */
	double reorder;         /* probability that a frame is held back ... */
	uint32_t reorder_depth; /* ... until 1 to this many later ones have passed it */
	uint64_t delay_us;      /* of every frame */
	uint64_t jitter_us; /* added, even in 0..jitter; frames never overtake each other by it */
	uint64_t rate_bps;  /* bits a second; 0: infinitely fast */
	/* waiting for the rate; beyond, frames are lost at the tail; 0: no bound */
	uint32_t queue_bytes;
	uint32_t mtu; /* longer frames (without the 14-byte header) are lost; 0: no bound */
};

struct fault_counts {
	uint64_t in, out, lost, burst_lost, queue_lost, too_long, duplicated, corrupted, reordered;
};

struct fault_frame {
	struct list_head link; /* fault_link->due, or ->held */
	struct list_head hold; /* fault_link->releases while held */
	uint64_t due_us;       /* when it comes out; while held: at the latest */
	uint64_t release;      /* held: comes out behind the frame of this number */
	uint32_t length;
	uint8_t bytes[];
};

struct fault_link {
	struct fault_settings settings;
	struct fault_counts counts;
	uint64_t seed;
	uint64_t copies;           /* frames and duplicates that were let through so far */
	uint64_t wire_free_ns;     /* when the last queued frame has left at the given rate */
	uint64_t last_due_us;      /* so that jitter does not reorder */
	bool in_burst;             /* the frame before was lost in one */
	struct list_head due;      /* in the order in which they come out */
	struct list_head held;     /* in the order of due_us */
	struct list_head releases; /* the same frames in the order of `release` */
};

void fault_link_init(struct fault_link *link, const struct fault_settings *settings, uint64_t seed);

/* Other faults from now on; frames under way stay. */
void fault_link_set(struct fault_link *link, const struct fault_settings *settings);

/* Loses all frames under way. */
void fault_link_clear(struct fault_link *link);

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
