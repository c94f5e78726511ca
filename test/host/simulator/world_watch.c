/*
 * Watching the frames of a world: digest, recording, comparison with an earlier run. See world.h.
 */
#include <string.h>

#include "test/host/simulator/private.h"

static uint64_t digest_word(uint64_t digest, uint64_t word)
{
	digest = (digest ^ word) * 0x9e3779b97f4a7c15;
	return digest ^ digest >> 32;
}

static uint64_t digest_bytes(uint64_t digest, const uint8_t *bytes, uint32_t length)
{
	while (length > 0) {
		uint32_t part = MIN(length, 8u);
		uint64_t word = 0;

		memcpy(&word, bytes, part);
		digest = digest_word(digest, word);
		bytes += part;
		length -= part;
	}
	return digest;
}

uint64_t world_digest(const struct world *world)
{
	return world->digest;
}

void world_record(struct world *world, struct recording *recording)
{
	world->record = recording;
}

void world_expect(struct world *world, const struct recording *recording)
{
	world->expected = recording;
}

static void print_place(const struct link *link, uint32_t number)
{
	const struct world *world = link->world;

	fprintf(stderr, "world: seed %llu: link %u (%s to %s), packet %u at %llu.%06llu s: ",
		(unsigned long long)world->seed, link->number, link->end[0]->node->name,
		link->end[1]->node->name, number,
		(unsigned long long)(world->now_us / USEC_PER_SEC),
		(unsigned long long)(world->now_us % USEC_PER_SEC));
}

static void print_time(uint64_t time_us, uint32_t length)
{
	fprintf(stderr, "%llu.%06llu s, %u bytes\n", (unsigned long long)(time_us / USEC_PER_SEC),
		(unsigned long long)(time_us % USEC_PER_SEC), length);
}

static void print_difference(const struct link *link, uint32_t number,
			     const struct recorded_frame *before, const uint8_t *bytes,
			     uint32_t length)
{
	uint32_t at = recording_difference(before, bytes, length);

	print_place(link, number);
	if (at == UINT32_MAX)
		fprintf(stderr, "the time differs\n");
	else
		fprintf(stderr, "byte %u differs\n", at);
	fprintf(stderr, "  before: ");
	print_time(before->time_us, before->length);
	recording_print(stderr, before->bytes, before->length, bytes, length);
	fprintf(stderr, "  now:    ");
	print_time(link->world->now_us, length);
	recording_print(stderr, bytes, length, before->bytes, before->length);
}

static void print_surplus(const struct link *link, uint32_t number, const uint8_t *bytes,
			  uint32_t length)
{
	print_place(link, number);
	fprintf(stderr, "the run before had no such packet\n  now:    ");
	print_time(link->world->now_us, length);
	recording_print(stderr, bytes, length, bytes, length);
}

static void compare(struct link *link, const uint8_t *bytes, uint32_t length)
{
	struct world *world = link->world;
	const struct recorded_frame *before = recording_frame(world->expected, link->number,
							      link->frames);

	if (!before)
		print_surplus(link, link->frames, bytes, length);
	else if (before->time_us != world->now_us ||
		 recording_difference(before, bytes, length) != UINT32_MAX)
		print_difference(link, link->frames, before, bytes, length);
	else
		return;
	world->differs = true;
}

void world_watch(struct link *link, uint32_t side, const uint8_t *bytes, uint32_t length)
{
	struct world *world = link->world;
	uint64_t place = (uint64_t)link->number << 33 | (uint64_t)side << 32 | length;

	world->digest = digest_word(digest_word(world->digest, place), world->now_us);
	world->digest = digest_bytes(world->digest, bytes, length);
	if (world->record)
		recording_add(world->record, link->number, world->now_us, bytes, length);
	if (world->expected && !world->differs)
		compare(link, bytes, length);
	world->frames++;
	link->frames++;
}

bool world_is_as_expected(struct world *world)
{
	for (uint32_t i = 0; i < world->link_count && !world->differs; i++) {
		const struct link *link = world->links[i];
		const struct recorded_frame *missing = recording_frame(world->expected, i,
								       link->frames);

		if (!missing)
			continue;
		print_place(link, link->frames);
		fprintf(stderr, "it is missing\n  before: ");
		print_time(missing->time_us, missing->length);
		recording_print(stderr, missing->bytes, missing->length, missing->bytes,
				missing->length);
		world->differs = true;
	}
	return !world->differs;
}

bool world_repeats(uint64_t seed, void (*scenario)(struct world *world, void *context),
		   void *context)
{
	struct recording *recording = recording_create();
	struct world *first = world_create(seed);

	world_record(first, recording);
	scenario(first, context);
	world_destroy(first);

	struct world *second = world_create(seed);

	world_expect(second, recording);
	scenario(second, context);
	bool same = world_is_as_expected(second);

	world_destroy(second);
	recording_destroy(recording);
	return same;
}
