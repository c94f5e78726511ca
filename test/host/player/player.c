#include "test/host/player/player.h"

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
#define SETTLE_US (3600 * USEC_PER_SEC) /* in which every orphan must have ended */
#define SEED 1

int64_t player_time_us(const struct player *player)
{
	return (int64_t)(clock_now_us() - player->zero_us);
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
	if (returned->time_us < player->nominal_us - PLAYER_SLACK_US ||
	    returned->time_us > player->nominal_us + PLAYER_SLACK_US)
		player_fail(player, "the call of line %u returned at %.3f ms", returned->line,
			    player_in_ms(returned->time_us));
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
	int64_t us = statement->kind == STATEMENT_EXPECT ? moment->to_us + PLAYER_SLACK_US
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
		player_expect_nothing(player);
	switch (statement->kind) {
	case STATEMENT_EXPECT:
		player_expect(player, statement, moment.from_us, moment.to_us);
		break;
	case STATEMENT_INJECT:
		player_inject(player, statement);
		break;
	case STATEMENT_ICMP:
		player_inject_icmp(player, statement);
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
	player_expect_nothing(player);
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
