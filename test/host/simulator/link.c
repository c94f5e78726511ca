/* Cables: what goes in at one end comes out of the other, by the faults. See world.h. */
#include <errno.h>
#include <stdlib.h>

#include "kernel/printk.h"
#include "test/host/simulator/pcap.h"
#include "test/host/simulator/private.h"

static void set_carrier(struct port *port, bool carrier)
{
	if (port->dev)
		host_device_set_carrier(&port->device, carrier);
}

/* VITRINE_PCAP=DIRECTORY: captures of every run, without a change to any test. */
static void capture_if_asked(struct link *link)
{
	const char *directory = getenv("VITRINE_PCAP");
	char path[256];

	if (!directory)
		return;
	snprintf(path, sizeof(path), "%s/world-%llu-link-%u.pcap", directory,
		 (unsigned long long)link->world->seed, link->number);
	if (link_capture(link, path))
		panic("VITRINE_PCAP: cannot write %s", path);
}

struct link *world_link(struct world *world, struct port *a, struct port *b,
			const struct fault_settings *faults)
{
	static const struct fault_settings perfect;
	struct link *link = calloc(1, sizeof(*link));

	if (!link || world->link_count == WORLD_LINKS_MAX)
		panic("no room for a link");
	link->world = world;
	link->number = world->link_count;
	for (uint32_t side = 0; side < 2; side++) {
		struct port *port = side ? b : a;
		uint64_t way = link->number * 2 + side + 1;

		fault_link_init(&link->way[side], faults ? faults : &perfect,
				world_mix(world->seed ^ way << 32));
		link->end[side] = port;
		port->link = link;
		port->side = side;
	}
	capture_if_asked(link);
	world->links[world->link_count++] = link;
	set_carrier(a, true);
	set_carrier(b, true);
	return link;
}

void link_destroy(struct link *link)
{
	fault_link_clear(&link->way[0]);
	fault_link_clear(&link->way[1]);
	if (link->pcap)
		fclose(link->pcap);
	free(link);
}

void link_set_down(struct link *link, bool down)
{
	link->down = down;
	for (uint32_t side = 0; side < 2; side++) {
		if (down)
			fault_link_clear(&link->way[side]);
		set_carrier(link->end[side], !down);
	}
}

void link_set_faults(struct link *link, const struct fault_settings *faults)
{
	fault_link_set(&link->way[0], faults);
	fault_link_set(&link->way[1], faults);
}

int link_capture(struct link *link, const char *path)
{
	if (link->pcap)
		fclose(link->pcap);
	link->pcap = pcap_open(path);
	return link->pcap ? 0 : -errno;
}

void link_send(struct link *link, uint32_t side, const uint8_t *bytes, uint32_t length)
{
	uint64_t now_us = link->world->now_us;

	world_watch(link, side, bytes, length);
	if (link->pcap)
		pcap_write(link->pcap, bytes, length, now_us);
	if (!link->down && !fault_link_send(&link->way[side], bytes, length, now_us))
		panic("the host has no memory left");
}

static void deliver(struct port *port, const struct fault_frame *frame)
{
	if (port->dev)
		(void)host_device_receive(&port->device, frame->bytes, frame->length);
	else
		switch_forward(port, frame->bytes, frame->length);
}

/* One frame of each link and way, in their order. */
void link_deliver_due(struct world *world)
{
	for (uint32_t i = 0; i < world->link_count; i++) {
		struct link *link = world->links[i];

		for (uint32_t side = 0; side < 2; side++) {
			struct fault_frame *frame = fault_link_receive(&link->way[side],
								       world->now_us);

			if (!frame)
				continue;
			deliver(link->end[!side], frame);
			free(frame);
		}
	}
}

uint64_t link_next_event(const struct world *world)
{
	uint64_t next = TIME_NEVER;

	for (uint32_t i = 0; i < world->link_count; i++) {
		next = MIN(next, fault_link_next(&world->links[i]->way[0]));
		next = MIN(next, fault_link_next(&world->links[i]->way[1]));
	}
	return next;
}
