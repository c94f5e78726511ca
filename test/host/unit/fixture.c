/* One stack on a wire that the test holds; see fixture.h. */
#include "test/host/unit/fixture.h"

#include <stdlib.h>
#include <string.h>

#include "kernel/byteorder.h"
#include "net/ethernet/ethernet.h"

#define START_US (1000 * USEC_PER_SEC)

_Static_assert(offsetof(struct host_stack, net) == 0 && offsetof(struct host_device, dev) == 0,
	       "struct fixture has them by a second name");

static void sent(void *context, const uint8_t *bytes, uint32_t length)
{
	struct fixture *f = context;
	struct fixture_frame *frame = malloc(sizeof(*frame) + length);

	assert_non_null(frame);
	assert_true(f->sent_count < FIXTURE_SENT_MAX);
	frame->length = length;
	memcpy(frame->bytes, bytes, length);
	f->sent[f->sent_count++] = frame;
}

static void flushed(void *context)
{
	((struct fixture *)context)->flushes++;
}

static void filter_changed(void *context)
{
	((struct fixture *)context)->rx_mode_changes++;
}

static void set_time(struct fixture *f, uint64_t now_us)
{
	f->now_us = now_us;
	host_clock_advance_to(now_us);
}

/*
 * A thread sleeps: the softirqs run, then the world does its part, then time jumps to the next
 * timer.
 */
static bool step(void *context, uint64_t deadline_us)
{
	struct fixture *f = context;

	if (net_work_pending(&f->net)) {
		fixture_run(f);
		return true;
	}
	if (f->while_asleep && f->while_asleep(f))
		return true;
	uint64_t next_us = net_next_timer(&f->net);

	if (next_us == TIME_NEVER || next_us > deadline_us)
		return false;
	set_time(f, MAX(next_us, f->now_us));
	net_run_timers(&f->net);
	fixture_run(f);
	return true;
}

void fixture_init(struct fixture *f)
{
	const struct host_stack_options stack_options = {.seed = 1, .link_only = true};
	const struct host_device_options device_options = {.mac = FIXTURE_MAC,
							   .transmit = sent,
							   .flush = flushed,
							   .filter_changed = filter_changed,
							   .context = f};

	memset(f, 0, sizeof(*f));
	f->now_us = START_US;
	host_clock_virtual(START_US);
	host_on_sleep(step, f);
	assert_int_equal(host_stack_create(&f->stack, &stack_options), 0);
	host_set_current_net(&f->net);
	assert_int_equal(host_device_add(&f->eth0, &f->stack, &device_options), 0);
}

void fixture_destroy(struct fixture *f)
{
	host_close_all();
	fixture_run(f);
	struct host_leaks leaks = host_stack_destroy(&f->stack);

	fixture_clear_sent(f);
	host_proc_reset();
	host_set_current_net(NULL);
	host_on_sleep(NULL, NULL);
	assert_int_equal(leaks.packets, 0);
	assert_int_equal(leaks.sockets, 0);
	assert_int_equal(leaks.allocations, 0);
	assert_int_equal(f->net.timestamp_users, 0);
}

void fixture_receive(struct fixture *f, const void *bytes, size_t n)
{
	assert_int_equal(host_device_receive(&f->eth0, bytes, (uint32_t)n), 0);
	fixture_run(f);
}

void fixture_receive_ethernet(struct fixture *f, struct mac destination, struct mac source,
			      uint16_t ethertype, const void *payload, size_t n)
{
	uint8_t *frame = malloc(ETHERNET_HEADER_LENGTH + n);

	assert_non_null(frame);
	memcpy(frame, destination.bytes, MAC_LENGTH);
	memcpy(frame + MAC_LENGTH, source.bytes, MAC_LENGTH);
	put_be16(frame + 2 * MAC_LENGTH, ethertype);
	if (n)
		memcpy(frame + ETHERNET_HEADER_LENGTH, payload, n);
	fixture_receive(f, frame, ETHERNET_HEADER_LENGTH + n);
	free(frame);
}

void fixture_run(struct fixture *f)
{
	while (net_run_softirq(&f->net))
		;
}

void fixture_advance(struct fixture *f, uint64_t us)
{
	uint64_t end_us = f->now_us + us;

	fixture_run(f);
	for (;;) {
		uint64_t next_us = net_next_timer(&f->net);

		if (next_us > end_us)
			break;
		set_time(f, MAX(next_us, f->now_us));
		net_run_timers(&f->net);
		fixture_run(f);
	}
	set_time(f, end_us);
}

const struct fixture_frame *fixture_sent(struct fixture *f, uint32_t i)
{
	assert_true(i < f->sent_count);
	return f->sent[i];
}

void fixture_clear_sent(struct fixture *f)
{
	while (f->sent_count)
		free(f->sent[--f->sent_count]);
}

uint64_t fixture_drops(struct fixture *f, enum drop_reason reason)
{
	return f->net.drops[reason];
}
