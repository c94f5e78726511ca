#include "test/host/player/player.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/clock.h"
#include "kernel/errno.h"
#include "net/tcp/tcp.h"
#include "net/tcp/tcp_state.h"
#include "test/host/player/private.h"
#include "test/host/services/host.h"

#define CLOCK_START_US (1000 * USEC_PER_SEC)
#define SLACK_US 1000                   /* how far a segment may be off its time */
#define SETTLE_US (3600 * USEC_PER_SEC) /* in which every orphan must have ended */
#define SEED 1

int64_t player_time_us(const struct player *player)
{
	return (int64_t)(clock_now_us() - player->zero_us);
}

/* ---- Reports ---- */

static double in_ms(int64_t us)
{
	return (double)us / (double)USEC_PER_MSEC;
}

void player_note(struct player *player, const char *arrow, const char *text)
{
	char *line = player->recent[player->events++ % PLAYER_TRACE_LINES];

	snprintf(line, sizeof(player->recent[0]), "%12.3f  %s%s%s", in_ms(player_time_us(player)),
		 arrow, *arrow ? " " : "", text);
	if (player->trace)
		fprintf(stderr, "%s\n", line);
}

static void report(struct player *player, const char *format, va_list arguments)
{
	size_t used = strlen(player->report);

	vsnprintf(player->report + used, player->report_size - used, format, arguments);
}

static __printf(2, 3) void report_line(struct player *player, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report(player, format, arguments);
	va_end(arguments);
}

static void report_recent(struct player *player)
{
	uint32_t first = player->events > PLAYER_TRACE_LINES ? player->events - PLAYER_TRACE_LINES
							     : 0;

	report_line(player, "\n  what went before:");
	for (uint32_t i = first; i < player->events; i++)
		report_line(player, "\n%s", player->recent[i % PLAYER_TRACE_LINES]);
}

_Noreturn void player_fail(struct player *player, const char *format, ...)
{
	const struct statement *statement = player->now_playing;
	va_list arguments;

	if (statement)
		report_line(player, "%s:%u: at %.3f ms: ", player->path, statement->line,
			    in_ms(player_time_us(player)));
	else
		report_line(player, "%s: at its end: ", player->path);
	va_start(arguments, format);
	report(player, format, arguments);
	va_end(arguments);
	if (statement)
		report_line(player, "\n  the line: %s", player->script.lines[statement->line]);
	report_recent(player);
	longjmp(player->failed, 1);
}

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
	if (memcmp(segment->data, flow->written + first, segment->length))
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
static void expect_nothing(struct player *player)
{
	struct host_frame *frame;
	struct segment segment;

	while (take_segment(player, &segment, &frame)) {
		int64_t sent_us = (int64_t)(frame->time_us - player->zero_us);

		free(frame);
		if (!player->unwatched)
			player_fail(player, "no line expects what was sent at %.3f ms",
				    in_ms(sent_us));
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

static void play_expect(struct player *player, const struct statement *statement, int64_t from_us,
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
	if (sent_us < from_us - SLACK_US || sent_us > to_us + SLACK_US)
		player_fail(player, "it was sent at %.3f ms, not at %.3f%s\n  expected: --> %s",
			    in_ms(sent_us), in_ms(from_us), from_us == to_us ? "" : " or later",
			    text);
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

static void play_inject(struct player *player, const struct statement *statement)
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

static void play_icmp(struct player *player, const struct statement *statement)
{
	uint8_t packet[128];
	const struct flow *flow = flow_find(player, statement->flow);
	uint32_t length = wire_encode_icmp(player, flow, &statement->icmp, packet);

	player_note(player, "<--", "ICMP");
	receive(player, packet, length);
}

/* ---- Commands about the play itself ---- */

static void set_sysctl(struct player *player, const struct command *command)
{
	char path[64], text[64] = "";

	snprintf(path, sizeof(path), "sys/net/ipv4/%s", command_word(player, command, 0));
	for (uint32_t i = 1; i < command->argument_count; i++) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, "%s%s", used ? "\t" : "",
			 command->arguments[i].text);
	}
	int error = host_proc_write(path, text);

	if (error)
		player_fail(player, "the sysctl cannot be set: %s", error_name(-error));
}

static void check_returned(struct player *player, const struct command *command)
{
	struct returned *returned = &player->returned;

	if (!returned->waiting)
		player_fail(player, player->sleeping ? "the call has not returned"
						     : "no call has returned");
	returned->waiting = false;
	struct value expected = command->argument_count ? command->arguments[0]
							: (struct value){.kind = VALUE_NONE};

	calls_compare(player, &expected, 0, returned->result, returned->bytes);
	free(returned->bytes);
	returned->bytes = NULL;
	if (returned->time_us < player->nominal_us - SLACK_US ||
	    returned->time_us > player->nominal_us + SLACK_US)
		player_fail(player, "the call of line %u returned at %.3f ms", returned->line,
			    in_ms(returned->time_us));
}

static bool play_own_command(struct player *player, const struct command *command)
{
	const char *word = command->word;

	if (strcmp(word, "quiet") == 0)
		return true; /* that nothing was sent until now has been checked */
	if (strcmp(word, "zero") == 0) {
		player->zero_us = clock_now_us();
		player->nominal_us = 0;
	} else if (strcmp(word, "isn") == 0) {
		player->isn_wanted = true;
		player->isn = (uint32_t)command_number(player, command, 0);
	} else if (strcmp(word, "mtu") == 0) {
		if (host_device_set_mtu(&player->device,
					(uint32_t)command_number(player, command, 0)))
			player_fail(player, "no such MTU");
	} else if (strcmp(word, "sysctl") == 0) {
		set_sysctl(player, command);
	} else if (strcmp(word, "returns") == 0) {
		check_returned(player, command);
	} else if (strcmp(word, "signal") == 0) {
		host_signal(true);
	} else if (strcmp(word, "unwatched") == 0 || strcmp(word, "watched") == 0) {
		player->unwatched = *word == 'u';
	} else {
		return false;
	}
	return true;
}

static void play_command(struct player *player, const struct statement *statement)
{
	struct flow *flow = flow_find(player, statement->flow);
	const struct command *command = &statement->command;

	if (!play_own_command(player, command) && !calls_play(player, command, flow) &&
	    !checks_play(player, command, flow))
		player_fail(player, "'%s' is not known", command->word);
	while (host_stack_run(&player->stack))
		;
}

/* ---- Time ---- */

/* When a statement is to be played, by the script. */
static struct moment moment_of(const struct player *player, const struct statement *statement)
{
	struct moment moment = statement->when;
	int64_t base_us = moment.kind == MOMENT_AT ? 0 : player->nominal_us;

	moment.from_us += base_us;
	moment.to_us += base_us;
	return moment;
}

static bool frame_waits(const struct player *player)
{
	return player->device.queue != NULL;
}

/* The moment by the clock at which the next statement is played, if nothing is sent before. */
static uint64_t due_us(const struct player *player, const struct statement *statement,
		       const struct moment *moment)
{
	int64_t us = statement->kind == STATEMENT_EXPECT ? moment->to_us + SLACK_US
							 : moment->from_us;
	int64_t clock_us = (int64_t)player->zero_us + us;

	if (statement->kind == STATEMENT_EXPECT && frame_waits(player))
		return 0;
	return clock_us < 0 ? 0 : (uint64_t)clock_us;
}

/* Lines that only look may stand between what was sent and the line that expects it. */
static bool only_looks(const struct statement *statement)
{
	static const char *const words[] = {"state", "info", "count", "poll", "returns"};

	if (statement->kind == STATEMENT_EXPECT)
		return true;
	for (size_t i = 0; statement->kind == STATEMENT_COMMAND && i < ARRAY_SIZE(words); i++) {
		if (strcmp(statement->command.word, words[i]) == 0)
			return true;
	}
	return false;
}

static void play_statement(struct player *player, const struct statement *statement)
{
	const struct moment moment = moment_of(player, statement);

	player->now_playing = statement;
	player->at++;
	player->nominal_us = moment.from_us;
	if (!only_looks(statement))
		expect_nothing(player);
	switch (statement->kind) {
	case STATEMENT_EXPECT:
		play_expect(player, statement, moment.from_us, moment.to_us);
		break;
	case STATEMENT_INJECT:
		play_inject(player, statement);
		break;
	case STATEMENT_ICMP:
		play_icmp(player, statement);
		break;
	case STATEMENT_COMMAND:
		play_command(player, statement);
		break;
	}
}

/* One event of the stack's, or one statement. False: nothing happens any more until limit_us. */
static bool step(struct player *player, uint64_t limit_us)
{
	uint64_t next_us = host_stack_next(&player->stack);
	const struct statement *statement = player->script.statements + player->at;
	uint64_t statement_us = TIME_NEVER;

	if (player->at < player->script.count) {
		const struct moment moment = moment_of(player, statement);

		statement_us = due_us(player, statement, &moment);
	} else if (player->sleeping) {
		player_fail(player, "the call of this line never returned");
	}
	if (MIN(next_us, statement_us) > limit_us || player->at == player->script.count)
		return false;
	if (next_us <= MAX(statement_us, clock_now_us()) && statement_us != 0) {
		host_clock_advance_to(MAX(next_us, clock_now_us()));
		(void)host_stack_run(&player->stack);
		return true;
	}
	host_clock_advance_to(MAX(statement_us, clock_now_us()));
	play_statement(player, statement);
	return true;
}

/* A call sleeps: the script goes on meanwhile. */
static bool while_asleep(void *context, uint64_t deadline_us)
{
	struct player *player = context;

	if (!player->sleeping)
		player_fail(player, "the call sleeps, and the line does not say 'blocks'");
	return step(player, deadline_us);
}

/* ---- Beginning and end ---- */

static void start_stack(struct player *player)
{
	const struct host_stack_options options = {.seed = SEED};
	const struct host_device_options device_options = {.bare_ip = true};
	struct net *net = &player->stack.net;

	host_clock_virtual(CLOCK_START_US);
	player->zero_us = CLOCK_START_US;
	host_on_sleep(while_asleep, player);
	host_signal(false);
	host_proc_reset();
	if (host_stack_create(&player->stack, &options) ||
	    host_device_add(&player->device, &player->stack, &device_options) ||
	    host_device_set_address(&player->device, PLAYER_STACK_ADDRESS, 24) ||
	    tcp_proc_init(net))
		player_fail(player, "there is no stack");
	net_lock(net);
	memcpy(player->counts_before, tcp_of(net)->statistics, sizeof(player->counts_before));
	memcpy(player->extra_before, tcp_of(net)->extra, sizeof(player->extra_before));
	net_unlock(net);
}

static void close_sockets(struct player *player)
{
	const struct linger at_once = {.l_onoff = 1};

	for (uint32_t i = 0; i < player->flow_count; i++) {
		struct flow *flow = &player->flows[i];

		if (flow->socket) {
			socket_setsockopt(flow->socket, SOL_SOCKET, SO_LINGER, &at_once,
					  sizeof(at_once));
			socket_close(flow->socket);
		}
		free(flow->written);
	}
}

/* Orphans and TIME-WAIT end by themselves, and then nothing may be left. */
static void settle(struct player *player)
{
	uint64_t end_us = clock_now_us() + SETTLE_US;

	while (host_stack_next(&player->stack) <= end_us) {
		host_clock_advance_to(MAX(host_stack_next(&player->stack), clock_now_us()));
		(void)host_stack_run(&player->stack);
	}
	if (tcp_of(&player->stack.net)->memory_used)
		player_fail(player, "memory of connections is still accounted for");
}

static void stop_stack(struct player *player)
{
	close_sockets(player);
	settle(player);
	const struct host_leaks leaks = host_stack_destroy(&player->stack);

	host_proc_reset();
	if (host_leaks_any(&leaks))
		player_fail(player, "left behind: %llu packets, %llu sockets, %llu allocations",
			    (unsigned long long)leaks.packets, (unsigned long long)leaks.sockets,
			    (unsigned long long)leaks.allocations);
}

static bool play(struct player *player)
{
	if (setjmp(player->failed))
		return false;
	start_stack(player);
	while (step(player, TIME_NEVER))
		;
	player->now_playing = NULL;
	expect_nothing(player);
	if (player->returned.waiting)
		player_fail(player, "no line looks at what the call of line %u returned",
			    player->returned.line);
	stop_stack(player);
	return true;
}

bool player_play(const char *path, enum player_numbers numbers, char *report_to, size_t size)
{
	struct player *player = calloc(1, sizeof(*player));

	*report_to = '\0';
	if (!player)
		return false;
	player->path = path;
	player->wrap = numbers == PLAYER_NUMBERS_WRAP;
	player->trace = getenv("VITRINE_TRACE");
	player->report = report_to;
	player->report_size = size;
	if (!script_read(&player->script, path)) {
		snprintf(report_to, size, "%s", player->script.error);
	} else if (!play(player)) {
		return false;
	}
	bool is_right = *report_to == '\0';

	script_free(&player->script);
	free(player);
	return is_right;
}
