/* A link with faults; see faults.h. */
#include "test/host/simulator/faults.h"

#include <stdlib.h>
#include <string.h>

#define ETHERNET_OVERHEAD 14

/* The draws of one frame: splitmix64 from a place that the seed and the frame's number give. */
struct dice {
	uint64_t state;
};

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static struct dice dice_for(const struct fault_link *link, uint64_t number)
{
	return (struct dice){mix(link->seed) ^ mix(number)};
}

static uint64_t roll(struct dice *dice)
{
	return mix(dice->state += 0x9e3779b97f4a7c15);
}

/* Rolls even when the probability is 0, so that one setting leaves the others' draws alone. */
static bool happens(struct dice *dice, double probability)
{
	return (double)(roll(dice) >> 11) * 0x1p-53 < probability;
}

/* What the dice say of one copy of a frame. */
struct fate {
	uint64_t jitter_us;
	bool corrupt;
	uint64_t bit;       /* to flip, modulo the frame's length */
	uint32_t followers; /* that pass it; 0: none */
};

static struct fate draw_fate(const struct fault_settings *settings, struct dice *dice)
{
	struct fate fate;

	fate.jitter_us = roll(dice) % (settings->jitter_us + 1);
	fate.corrupt = happens(dice, settings->corrupt);
	fate.bit = roll(dice);
	bool held = happens(dice, settings->reorder);
	uint32_t followers = (uint32_t)(roll(dice) % MAX(settings->reorder_depth, 1u)) + 1;

	fate.followers = held && settings->reorder_depth ? followers : 0;
	return fate;
}

void fault_link_init(struct fault_link *link, const struct fault_settings *settings, uint64_t seed)
{
	memset(link, 0, sizeof(*link));
	link->settings = *settings;
	link->seed = seed;
	list_init(&link->due);
	list_init(&link->held);
	list_init(&link->releases);
}

void fault_link_set(struct fault_link *link, const struct fault_settings *settings)
{
	link->settings = *settings;
}

static void free_all(struct list_head *frames)
{
	while (!list_empty(frames)) {
		struct fault_frame *frame = list_first_entry(frames, struct fault_frame, link);

		list_remove(&frame->link);
		list_remove(&frame->hold);
		free(frame);
	}
}

void fault_link_clear(struct fault_link *link)
{
	free_all(&link->due);
	free_all(&link->held);
}

static bool lost_in_burst(struct fault_link *link, struct dice *dice)
{
	const struct fault_settings *s = &link->settings;
	bool begins = happens(dice, s->burst_start);
	bool ends = happens(dice, s->burst_length > 1 ? 1 / s->burst_length : 1);

	link->in_burst = link->in_burst ? !ends : begins;
	return link->in_burst;
}

/*
 * When the frame will have left the sender at the link's rate, or UINT64_MAX when the queue is
 * full.
 */
static uint64_t leaves_at(struct fault_link *link, uint32_t length, uint64_t now_us)
{
	uint64_t rate = link->settings.rate_bps, now_ns = now_us * NSEC_PER_USEC;

	if (!rate)
		return now_us;
	uint64_t start_ns = MAX(link->wire_free_ns, now_ns);
	uint64_t waiting_bytes = (start_ns - now_ns) / 8 * rate / NSEC_PER_SEC;

	if (link->settings.queue_bytes && waiting_bytes + length > link->settings.queue_bytes)
		return UINT64_MAX;
	link->wire_free_ns = start_ns + (uint64_t)length * 8 * NSEC_PER_SEC / rate;
	return (link->wire_free_ns + NSEC_PER_USEC - 1) / NSEC_PER_USEC;
}

/* Holds a frame back until `followers` later ones are through: in the order of release. */
static void hold_back(struct fault_link *link, struct fault_frame *frame, uint32_t followers)
{
	struct list_head *before = link->releases.prev;

	frame->release = link->copies + followers;
	frame->due_us += FAULT_HOLD_LIMIT_US;
	list_append(&link->held, &frame->link);
	while (before != &link->releases &&
	       list_entry(before, struct fault_frame, hold)->release > frame->release)
		before = before->prev;
	list_insert_between(&frame->hold, before, before->next);
	link->counts.reordered++;
}

/* The frame of number link->copies was let through: those that waited for it follow at once. */
static void release_held(struct fault_link *link)
{
	while (!list_empty(&link->releases)) {
		struct fault_frame *first = list_first_entry(&link->releases, struct fault_frame,
							     hold);

		if (first->release > link->copies)
			return;
		list_remove(&first->hold);
		list_remove(&first->link);
		first->due_us = link->last_due_us;
		list_append(&link->due, &first->link);
	}
}

static bool send_copy(struct fault_link *link, const void *bytes, uint32_t length, uint64_t left_us,
		      const struct fate *fate)
{
	struct fault_frame *frame = malloc(sizeof(*frame) + length);

	if (!frame)
		return false;
	frame->due_us = left_us + link->settings.delay_us + fate->jitter_us;
	frame->due_us = link->last_due_us = MAX(frame->due_us, link->last_due_us);
	frame->length = length;
	list_init(&frame->hold);
	memcpy(frame->bytes, bytes, length);
	if (fate->corrupt && length) {
		uint64_t bit = fate->bit % ((uint64_t)length * 8);

		frame->bytes[bit / 8] ^= (uint8_t)(1 << (bit % 8));
		link->counts.corrupted++;
	}
	link->copies++;
	if (fate->followers)
		hold_back(link, frame, fate->followers);
	else
		list_append(&link->due, &frame->link);
	release_held(link);
	return true;
}

bool fault_link_send(struct fault_link *link, const void *bytes, uint32_t length, uint64_t now_us)
{
	const struct fault_settings *s = &link->settings;
	struct dice dice = dice_for(link, ++link->counts.in);
	bool burst = lost_in_burst(link, &dice), lost = happens(&dice, s->loss);
	bool twice = happens(&dice, s->duplicate);
	struct fate first = draw_fate(s, &dice), second = draw_fate(s, &dice);

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
	return send_copy(link, bytes, length, left_us, &first) &&
	       (!twice || send_copy(link, bytes, length, left_us, &second));
}

static struct fault_frame *first_of(const struct list_head *frames)
{
	return list_empty(frames) ? NULL : list_first_entry(frames, struct fault_frame, link);
}

/* Whichever comes out first; one that is held only when its limit comes before. */
static struct fault_frame *next_frame(const struct fault_link *link)
{
	struct fault_frame *due = first_of(&link->due), *held = first_of(&link->held);

	if (!due || (held && held->due_us < due->due_us))
		return held;
	return due;
}

uint64_t fault_link_next(const struct fault_link *link)
{
	const struct fault_frame *frame = next_frame(link);

	return frame ? frame->due_us : UINT64_MAX;
}

struct fault_frame *fault_link_receive(struct fault_link *link, uint64_t now_us)
{
	struct fault_frame *frame = next_frame(link);

	if (!frame || frame->due_us > now_us)
		return NULL;
	list_remove(&frame->link);
	list_remove(&frame->hold);
	link->counts.out++;
	return frame;
}

enum unit { UNIT_PROBABILITY, UNIT_NUMBER, UNIT_TIME, UNIT_RATE, UNIT_COUNT };

struct setting_name {
	const char *name;
	enum unit unit;
	size_t offset;
};

static const struct setting_name setting_names[] = {
	{"loss", UNIT_PROBABILITY, offsetof(struct fault_settings, loss)},
	{"burst", UNIT_PROBABILITY, offsetof(struct fault_settings, burst_start)},
	{"burst-length", UNIT_NUMBER, offsetof(struct fault_settings, burst_length)},
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
	[UNIT_NUMBER] = {{"", 1}},
	[UNIT_TIME] = {{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"", 1}},
	[UNIT_RATE] = {{"kbit", 1e3}, {"mbit", 1e6}, {"gbit", 1e9}, {"", 1}},
	[UNIT_COUNT] = {{"k", 1024}, {"m", 1048576}, {"", 1}},
};

/* The largest value that makes sense, in the unit's base. */
static const double largest[] = {[UNIT_PROBABILITY] = 1,
				 [UNIT_NUMBER] = 1e9,
				 [UNIT_TIME] = 1e12,
				 [UNIT_RATE] = 1e12,
				 [UNIT_COUNT] = UINT32_MAX};

/* "20ms" to `value` in the unit's base; false when it does not read so. */
static bool parse_value(enum unit unit, const char *text, size_t length, double *value)
{
	char *end;

	*value = strtod(text, &end);
	if (end == text)
		return false;
	size_t left = length - (size_t)(end - text);

	for (const struct suffix *s = suffixes[unit]; s->text; s++) {
		if (strlen(s->text) == left && strncmp(s->text, end, left) == 0) {
			*value *= s->factor;
			return *value >= 0 && *value <= largest[unit];
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
		if (s->unit == UNIT_PROBABILITY || s->unit == UNIT_NUMBER)
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
