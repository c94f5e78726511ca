/* A link with faults; see faults.h. */
#include "test/host/simulator/faults.h"

#include <stdlib.h>
#include <string.h>

#define ETHERNET_OVERHEAD 14
#define HOLD_LIMIT_US 100000 /* a held frame goes after this long even if nothing passes it */

/* splitmix64 */
static uint64_t next_random(struct fault_link *link)
{
	uint64_t z = link->random_state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/*
 * Draws even when the probability is 0, so that changing one setting leaves the others' draws
 * alone.
 */
static bool happens(struct fault_link *link, double probability)
{
	return (double)(next_random(link) >> 11) * 0x1p-53 < probability;
}

void fault_link_init(struct fault_link *link, const struct fault_settings *settings, uint64_t seed)
{
	memset(link, 0, sizeof(*link));
	link->settings = *settings;
	link->random_state = seed;
}

void fault_link_destroy(struct fault_link *link)
{
	while (link->frames) {
		struct fault_frame *next = link->frames->next;

		free(link->frames);
		link->frames = next;
	}
}

static bool lost_in_burst(struct fault_link *link)
{
	const struct fault_settings *s = &link->settings;
	bool begins = happens(link, s->burst_start);
	bool ends = happens(link, s->burst_length > 1 ? 1 / s->burst_length : 1);

	if (!link->in_burst) {
		link->in_burst = begins;
		return begins;
	}
	link->in_burst = !ends;
	return link->in_burst;
}

/*
 * When the frame will have left the sender at the link's rate, or UINT64_MAX when the queue is
 * full.
 */
static uint64_t leaves_at(struct fault_link *link, uint32_t length, uint64_t now_us)
{
	uint64_t rate = link->settings.rate_bps;

	if (!rate)
		return now_us;
	uint64_t start = MAX(link->wire_free_us, now_us);
	uint64_t waiting_bytes = (start - now_us) * rate / 8 / USEC_PER_SEC;

	if (link->settings.queue_bytes && waiting_bytes + length > link->settings.queue_bytes)
		return UINT64_MAX;
	link->wire_free_us = start + (uint64_t)length * 8 * USEC_PER_SEC / rate;
	return link->wire_free_us;
}

/*
 * Behind all frames that are due no later; each one that it would stand behind unheld has
 * passed it.
 */
static void enqueue(struct fault_link *link, struct fault_frame *frame)
{
	struct fault_frame **at = &link->frames;

	while (*at && (*at)->due_us <= frame->due_us)
		at = &(*at)->next;
	frame->next = *at;
	*at = frame;
}

/*
 * A frame has been sent: those held back come one step nearer; released ones are due with the
 * newcomer.
 */
static void pass_held(struct fault_link *link, uint64_t due_us)
{
	struct fault_frame **at = &link->frames, *released = NULL;

	while (*at) {
		struct fault_frame *frame = *at;

		if (!frame->held || --frame->held) {
			at = &frame->next;
			continue;
		}
		*at = frame->next;
		frame->next = released;
		released = frame;
	}
	while (released) {
		struct fault_frame *frame = released;

		released = frame->next;
		frame->due_us = MIN(frame->due_us, due_us);
		enqueue(link, frame);
	}
}

static bool send_copy(struct fault_link *link, const void *bytes, uint32_t length, uint64_t left_us)
{
	const struct fault_settings *s = &link->settings;
	struct fault_frame *frame = malloc(sizeof(*frame) + length);

	if (!frame)
		return false;
	uint64_t jitter = s->jitter_us ? next_random(link) % (s->jitter_us + 1) : 0;

	frame->due_us = MAX(left_us + s->delay_us + jitter, link->last_due_us);
	link->last_due_us = frame->due_us;
	frame->held = 0;
	frame->length = length;
	memcpy(frame->bytes, bytes, length);
	if (happens(link, s->corrupt) && length) {
		uint64_t bit = next_random(link) % ((uint64_t)length * 8);

		frame->bytes[bit / 8] ^= (uint8_t)(1 << (bit % 8));
		link->counts.corrupted++;
	}
	pass_held(link, frame->due_us);
	if (happens(link, s->reorder) && s->reorder_depth) {
		frame->held = 1 + (uint32_t)(next_random(link) % s->reorder_depth);
		frame->due_us += HOLD_LIMIT_US;
		link->counts.reordered++;
	}
	enqueue(link, frame);
	return true;
}

bool fault_link_send(struct fault_link *link, const void *bytes, uint32_t length, uint64_t now_us)
{
	const struct fault_settings *s = &link->settings;
	bool burst = lost_in_burst(link), lost = happens(link, s->loss),
	     twice = happens(link, s->duplicate);

	link->counts.in++;
	if (length > FAULT_FRAME_MAX || (s->mtu && length > s->mtu + ETHERNET_OVERHEAD)) {
		link->counts.too_long++;
		return true;
	}
	uint64_t left_us = leaves_at(link, length, now_us);

	if (left_us == UINT64_MAX) {
		link->counts.queue_lost++;
		return true;
	}
	if (burst || lost) {
		link->counts.lost += lost;
		link->counts.burst_lost += burst && !lost;
		return true;
	}
	link->counts.duplicated += twice;
	return send_copy(link, bytes, length, left_us) &&
	       (!twice || send_copy(link, bytes, length, left_us));
}

uint64_t fault_link_next(const struct fault_link *link)
{
	return link->frames ? link->frames->due_us : UINT64_MAX;
}

struct fault_frame *fault_link_receive(struct fault_link *link, uint64_t now_us)
{
	struct fault_frame *frame = link->frames;

	if (!frame || frame->due_us > now_us)
		return NULL;
	link->frames = frame->next;
	link->counts.out++;
	return frame;
}

enum unit { UNIT_PROBABILITY, UNIT_TIME, UNIT_RATE, UNIT_COUNT };

struct setting_name {
	const char *name;
	enum unit unit;
	size_t offset;
};

static const struct setting_name setting_names[] = {
	{"loss", UNIT_PROBABILITY, offsetof(struct fault_settings, loss)},
	{"burst", UNIT_PROBABILITY, offsetof(struct fault_settings, burst_start)},
	{"burst-length", UNIT_PROBABILITY, offsetof(struct fault_settings, burst_length)},
	{"duplicate", UNIT_PROBABILITY, offsetof(struct fault_settings, duplicate)},
	{"corrupt", UNIT_PROBABILITY, offsetof(struct fault_settings, corrupt)},
	{"reorder", UNIT_PROBABILITY, offsetof(struct fault_settings, reorder)},
	{"depth", UNIT_COUNT, offsetof(struct fault_settings, reorder_depth)},
	{"delay", UNIT_TIME, offsetof(struct fault_settings, delay_us)},
	{"jitter", UNIT_TIME, offsetof(struct fault_settings, jitter_us)},
	{"rate", UNIT_RATE, offsetof(struct fault_settings, rate_bps)},
	{"queue", UNIT_COUNT, offsetof(struct fault_settings, queue_bytes)},
	{"mtu", UNIT_COUNT, offsetof(struct fault_settings, mtu)},
};

struct suffix {
	const char *text;
	double factor;
};

static const struct suffix suffixes[][5] = {
	[UNIT_PROBABILITY] = {{"%", 0.01}, {"", 1}},
	[UNIT_TIME] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"", 1}},
	[UNIT_RATE] = {{"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}, {"", 1}},
	[UNIT_COUNT] = {{"k", 1024}, {"m", 1048576}, {"", 1}},
};

/* "20ms" to `value` in the unit's base; false when it does not read so. */
static bool parse_value(enum unit unit, const char *text, size_t length, double *value)
{
	char *end;

	*value = strtod(text, &end);
	if (end == text || *value < 0)
		return false;
	size_t left = length - (size_t)(end - text);

	for (const struct suffix *s = suffixes[unit]; s->text; s++) {
		if (strlen(s->text) == left && strncmp(s->text, end, left) == 0) {
			*value *= s->factor;
			return true;
		}
	}
	return false;
}

static bool apply(struct fault_settings *settings, const char *word, size_t length)
{
	const char *equals = memchr(word, '=', length);

	if (!equals)
		return false;
	size_t name_length = (size_t)(equals - word);

	for (size_t i = 0; i < ARRAY_SIZE(setting_names); i++) {
		const struct setting_name *s = &setting_names[i];
		void *field = (char *)settings + s->offset;
		double value;

		if (strlen(s->name) != name_length || strncmp(s->name, word, name_length) != 0)
			continue;
		if (!parse_value(s->unit, equals + 1, length - name_length - 1, &value))
			return false;
		if (s->unit == UNIT_PROBABILITY)
			*(double *)field = value;
		else if (s->unit == UNIT_COUNT)
			*(uint32_t *)field = (uint32_t)value;
		else
			*(uint64_t *)field = (uint64_t)value;
		return true;
	}
	return false;
}

const char *fault_settings_parse(struct fault_settings *settings, const char *text)
{
	memset(settings, 0, sizeof(*settings));
	while (*text) {
		size_t length = strcspn(text, ",");

		if (length && !apply(settings, text, length))
			return text;
		text += length;
		text += *text == ',';
	}
	return NULL;
}
