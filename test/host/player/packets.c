/* What goes over the wire: segments that the stack must send, and those that the peer sends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/tcp/tcp_wire.h"
#include "test/host/player/private.h"

/* ---- Segments that the stack sent ---- */

static void note_segment(struct player *player, const struct flow *flow, const char *arrow,
			 const struct segment *segment)
{
	char text[SEGMENT_TEXT_MAX], line[SEGMENT_TEXT_MAX + SCRIPT_NAME_MAX + 2];
	bool is_first = flow == player->flows || strcmp(flow->name, "a") == 0;

	segment_print(segment, text);
	snprintf(line, sizeof(line), "%s%s%s", is_first ? "" : flow->name, is_first ? "" : ": ",
		 text);
	player_note(player, arrow, line);
}

/* What the process gave to send is what must be on the wire. */
static void check_data(struct player *player, const struct flow *flow,
		       const struct segment *segment)
{
	uint32_t first = segment->seq + (segment->flags & TCP_SYN ? 1 : 0) - 1;

	if (!segment->length || first >= flow->written_length ||
	    segment->length > flow->written_length - first)
		return;
	if (memcmp(segment->data, flow->written + first, segment->length) != 0)
		player_fail(player, "the data that were sent are not what the process wrote");
}

/* The next packet that the stack sent, if it is TCP's; the caller frees *frame. */
static struct flow *take_segment(struct player *player, struct segment *segment,
				 struct host_frame **frame)
{
	while ((*frame = host_device_take(&player->device))) {
		struct flow *flow = wire_decode(player, (*frame)->bytes, (*frame)->length, segment);

		if (flow) {
			check_data(player, flow, segment);
			flow_note_sent(player, flow, segment);
			note_segment(player, flow, "-->", segment);
			return flow;
		}
		free(*frame);
	}
	return NULL;
}

/* Nothing may have been sent that no line expects. */
void player_expect_nothing(struct player *player)
{
	struct host_frame *frame;
	struct segment segment;

	while (take_segment(player, &segment, &frame)) {
		int64_t sent_us = (int64_t)(frame->time_us - player->zero_us);

		free(frame);
		if (!player->unwatched)
			player_fail(player, "no line expects what was sent at %.3f ms",
				    player_in_ms(sent_us));
	}
}

/* What the line leaves out, and can be said: the next data in order. */
static void complete_expectation(const struct flow *flow, struct segment *segment)
{
	bool has_default = !(segment->flags & (TCP_SYN | TCP_RST));

	if (segment->flags & TCP_SYN && !(segment->named & NAMED_SEQ)) {
		segment->named |= NAMED_SEQ;
		segment->seq = 0;
	} else if (has_default && !(segment->named & NAMED_SEQ)) {
		segment->named |= NAMED_SEQ;
		segment->seq = flow->stack_next;
	}
}

static void fail_expectation(struct player *player, const struct segment *expected,
			     const struct segment *got, const char *difference)
{
	char wanted[SEGMENT_TEXT_MAX], there[SEGMENT_TEXT_MAX];

	segment_print(expected, wanted);
	segment_print(got, there);
	player_fail(player, "%s\n  expected: --> %s\n  got:      --> %s", difference, wanted,
		    there);
}

void player_expect(struct player *player, const struct statement *statement, int64_t from_us,
		   int64_t to_us)
{
	struct flow *flow = flow_find(player, statement->flow);
	struct segment expected = statement->segment, got;
	struct host_frame *frame;
	char text[SEGMENT_TEXT_MAX];

	complete_expectation(flow, &expected);
	segment_print(&expected, text);
	struct flow *sender = take_segment(player, &got, &frame);

	if (!sender)
		player_fail(player, "nothing was sent\n  expected: --> %s", text);
	const char *difference = segment_compare(&expected, &got);
	int64_t sent_us = (int64_t)(frame->time_us - player->zero_us);

	if (sender != flow)
		player_fail(player, "connection %s sent something, not %s", sender->name,
			    flow->name);
	if (difference)
		fail_expectation(player, &expected, &got, difference);
	if (sent_us < from_us - PLAYER_SLACK_US || sent_us > to_us + PLAYER_SLACK_US)
		player_fail(player, "it was sent at %.3f ms, not at %.3f%s\n  expected: --> %s",
			    player_in_ms(sent_us), player_in_ms(from_us),
			    from_us == to_us ? "" : " or later", text);
	free(frame);
	if (from_us != to_us)
		player->nominal_us = sent_us;
}

/* ---- Packets from the peer ---- */

static void receive(struct player *player, const uint8_t *packet, uint32_t length)
{
	if (host_device_receive(&player->device, packet, length))
		player_fail(player, "no memory");
	while (host_stack_run(&player->stack))
		;
}

void player_inject(struct player *player, const struct statement *statement)
{
	static uint8_t packet[WIRE_PACKET_MAX + TCP_OPTIONS_MAX];
	struct flow *flow = flow_find(player, statement->flow);
	struct segment segment = statement->segment;

	flow_open(player, flow, false);
	uint32_t length = wire_encode(player, flow, &segment, packet);

	note_segment(player, flow, "<--", &segment);
	flow_note_injected(flow, &segment);
	receive(player, packet, length);
}

void player_inject_icmp(struct player *player, const struct statement *statement)
{
	uint8_t packet[128];
	const struct flow *flow = flow_find(player, statement->flow);
	uint32_t length = wire_encode_icmp(player, flow, &statement->icmp, packet);

	player_note(player, "<--", "ICMP");
	receive(player, packet, length);
}
