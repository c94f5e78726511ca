/*
 * The seed of a run that failed. A test that fails does not come to world_destroy, whichever way
 * it fails; so whatever world is not destroyed by the time another is made, or the process ends,
 * is told of.
 */
#include <stdio.h>
#include <stdlib.h>

#include "test/host/services/host.h"
#include "test/host/simulator/private.h"

/* The sanitizers end the process without exit(); they call this function before. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static struct world *unfinished; /* the newest first; they stay, for whoever debugs */
static struct world *told;       /* this one and older ones have been told of */

static void tell(const struct world *world)
{
	fprintf(stderr, "world: not finished: seed %llu, %llu frames until %llu.%06llu s\n",
		(unsigned long long)world->seed, (unsigned long long)world->frames,
		(unsigned long long)(world->now_us / USEC_PER_SEC),
		(unsigned long long)(world->now_us % USEC_PER_SEC));
}

static void tell_all(void)
{
	const struct world *before = told;

	told = unfinished;
	for (const struct world *world = unfinished; world && world != before; world = world->older)
		tell(world);
}

static void watch_the_end(void)
{
	static bool watched;

	if (watched)
		return;
	watched = true;
	atexit(tell_all);
	host_at_panic(tell_all);
	if (__sanitizer_set_death_callback)
		__sanitizer_set_death_callback(tell_all);
}

void world_report_began(struct world *world)
{
	watch_the_end();
	tell_all();
	world->older = unfinished;
	unfinished = world;
}

void world_report_ended(struct world *world)
{
	struct world **at = &unfinished;

	while (*at && *at != world)
		at = &(*at)->older;
	if (*at)
		*at = world->older;
	if (told == world)
		told = world->older;
}
