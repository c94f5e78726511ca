/*
 * Every state against every combination of the six flags, with and without text, at every place of
 * the sequence and the acknowledgement number: what is answered, which state follows, what of the
 * segment is taken and acknowledged, and under which name it is dropped, as tcp_states_table.c has
 * it. The peer is made by hand, the stack is seen from its wire.
 */
#include <string.h>

#include "kernel/errno.h"
#include "test/host/unit/stranger.h"
#include "test/host/unit/tcp_states_table.h"

#define NOBODY_PORT 81
#define WINDOW 5000 /* the stranger's: MAX.SND.WND */
#define TEXT_LENGTH 8u
#define ALL_FLAGS 64u
#define FAULTS_SHOWN 20
#define AFTER_TIME_WAIT_US (61 * USEC_PER_SEC)
#define SMALL_BUFFER 4096 /* SO_RCVBUF: the window is half of it, and is filled by one segment */
#define TO_SEND "0123456789"

static const char letters[TEXT_LENGTH + 1] = "ABCDEFGH";

static const char *const situation_names[SITUATIONS] = {
	"CLOSED",   "LISTEN",     "SYN_SENT",   "REQUEST",   "SYN_RECV", "ESTABLISHED",
	"WINDOW_0", "FIN_WAIT_1", "FIN_WAIT_2", "ORPHAN_1",  "ORPHAN_2", "CLOSE_WAIT",
	"CLOSING",  "LAST_ACK",   "TIME_WAIT",  "REOPENABLE"};
static const char *const seq_names[SEQ_PLACES] = {"EXACT",  "INSIDE", "LAST",
						  "BEYOND", "BEFORE", "OLD"};
static const char *const ack_names[ACK_PLACES] = {"ALL", "PART", "UNA", "PAST", "STALE", "NEVER"};
static const char *const answer_names[] = {"NOTHING", "ACK",       "CHALLENGE",     "SYN_ACK",
					   "RESET",   "RESET_ACK", "something else"};
#define SOMETHING_ELSE (RESET_ACK + 1u)

static const struct {
	const char *name;
	uint8_t flag;
} flag_names[] = {{"FIN", TCP_FIN}, {"SYN", TCP_SYN}, {"RST", TCP_RST},
		  {"PSH", TCP_PSH}, {"ACK", TCP_ACK}, {"URG", TCP_URG}};

/* One segment in one situation; each place is one bit. */
struct trial {
	uint32_t situation, seq, ack, text;
	uint8_t flags;
};

/* The connection as its peer knows it. */
struct view {
	uint32_t rcv_nxt, window; /* of the stack */
	uint32_t iss, snd_una, snd_nxt;
	uint8_t flags;            /* of the last segment */
	uint32_t seq, ack, count; /* likewise; how many there were */
};

struct result {
	uint32_t answer, next;
	uint32_t drop;    /* what was counted */
	uint32_t dropped; /* how often anything was */
	uint32_t taken;   /* bytes that the process can read */
	bool acknowledged_as_due, contents_right;
};

static struct fixture f;
static struct socket *listener, *socket;
static struct stranger stranger;
static struct view view;
static uint64_t used[256]; /* how often each rule was the one that counted */
static uint32_t faults, trials;

/* ---- The rules ---- */

static bool has_flags(const char *wanted, uint8_t flags)
{
	while (*wanted) {
		bool clear = *wanted == '-';
		const char *name = wanted + clear;

		for (size_t i = 0; i < ARRAY_SIZE(flag_names); i++) {
			bool set = flags & flag_names[i].flag;

			if (!strncmp(name, flag_names[i].name, 3) && set == clear)
				return false;
		}
		wanted = name + 3;
		wanted += *wanted == ' ';
	}
	return true;
}

static const struct state_rule *rule_for(const struct trial *trial)
{
	for (uint32_t i = 0; i < tcp_state_rule_count; i++) {
		const struct state_rule *rule = &tcp_state_rules[i];

		if (rule->situation & trial->situation && rule->seq & trial->seq &&
		    rule->text & trial->text &&
		    (!(trial->flags & TCP_ACK) || rule->ack & trial->ack) &&
		    has_flags(rule->flags, trial->flags)) {
			used[i]++;
			return rule;
		}
	}
	fail_msg("no rule");
	return NULL;
}

/* ---- The stack, seen from its peer ---- */

/* What was sent since the last look. */
static void look(void)
{
	view.count = f.sent_count;
	for (uint32_t i = 0; i < f.sent_count; i++) {
		const struct seen seen = stranger_sees(&stranger, i);
		uint32_t end = seen.header.seq + (uint32_t)seen.length;

		end += (seen.header.flags & TCP_SYN ? 1 : 0) +
		       (seen.header.flags & TCP_FIN ? 1 : 0);
		view.flags = seen.header.flags;
		view.seq = seen.header.seq;
		view.ack = seen.header.ack;
		if (view.flags & TCP_RST)
			continue;
		view.window = seen.header.window;
		if (view.flags & TCP_SYN)
			view.iss = view.snd_una = seen.header.seq;
		if (view.flags & TCP_SYN || seq_after(end, view.snd_nxt))
			view.snd_nxt = end;
	}
	fixture_clear_sent(&f);
}

static void send_flags(uint8_t flags)
{
	stranger.ack = flags & TCP_ACK ? stranger.ack : 0;
	stranger_flags(&stranger, flags);
	stranger.seq += (flags & TCP_SYN ? 1 : 0) + (flags & TCP_FIN ? 1 : 0);
	view.rcv_nxt = stranger.seq;
	look();
}

static void acknowledge_all(void)
{
	stranger.ack = view.snd_una = view.snd_nxt;
	send_flags(TCP_ACK);
}

static struct socket *make_listener(void)
{
	struct socket *made = make_socket(&f, SOCK_STREAM, 0);

	assert_int_equal(do_bind(made, IP4_ANY, TCP_FIXTURE_PORT), 0);
	assert_int_equal(set_option(made, SOL_SOCKET, SO_OOBINLINE, 1), 0);
	assert_int_equal(socket_listen(made, 16), 0);
	return made;
}

/* ---- Into a situation ---- */

static void call_stranger(void)
{
	socket = stranger_is_called(&stranger);
	assert_int_equal(set_option(socket, SOL_SOCKET, SO_OOBINLINE, 1), 0);
	view.iss = view.snd_una = stranger.irs;
	view.snd_nxt = view.iss + 1;
	view.rcv_nxt = stranger.seq; /* of which the stack knows nothing yet */
}

static void send_syn(void)
{
	const struct crafted syn = stranger_syn(&stranger);

	stranger_sends(&stranger, &syn);
	view.rcv_nxt = ++stranger.seq;
	look();
	stranger.irs = view.iss;
	stranger.ack = view.iss + 1;
}

static void establish(void)
{
	send_syn();
	acknowledge_all();
	assert_int_equal(socket_accept(listener, &socket, true), 0);
}

/* Data is under way. */
static void establish_sending(void)
{
	establish();
	assert_int_equal(socket_give(socket, TO_SEND, strlen(TO_SEND), 0), strlen(TO_SEND));
	fixture_run(&f);
	look();
}

static void shut_down(void)
{
	assert_int_equal(socket_shutdown(socket, SHUT_WR), 0);
	fixture_run(&f);
	look();
}

static void close_socket(void)
{
	socket_close(socket);
	socket = NULL;
	fixture_run(&f);
	look();
}

/* The peer's FIN, which acknowledges nothing new. */
static void send_fin(void)
{
	stranger.ack = view.snd_una;
	send_flags(TCP_FIN | TCP_ACK);
}

static void fill_window(void)
{
	static const uint8_t bytes[SMALL_BUFFER];

	assert_int_equal(set_option(listener, SOL_SOCKET, SO_RCVBUF, SMALL_BUFFER), 0);
	establish();
	while (view.window) {
		stranger_says(&stranger, bytes, MIN(view.window, (uint32_t)SEGMENT_MAX));
		look();
	}
	view.rcv_nxt = stranger.seq;
}

static void close_first(void)
{
	establish_sending();
	shut_down();
	acknowledge_all();
}

static void bring_about(uint32_t situation)
{
	switch (situation) {
	case CLOSED:
		stranger.ours = NOBODY_PORT;
		break;
	case SYN_SENT:
		call_stranger();
		break;
	case REQUEST:
		send_syn();
		break;
	case SYN_RECV:
		call_stranger();
		send_syn();
		break;
	case ESTABLISHED:
		establish_sending();
		break;
	case WINDOW_0:
		fill_window();
		break;
	case FIN_WAIT_1:
		establish_sending();
		shut_down();
		break;
	case FIN_WAIT_2:
		close_first();
		break;
	case ORPHAN_1:
		establish_sending();
		close_socket();
		break;
	case ORPHAN_2:
		establish_sending();
		close_socket();
		acknowledge_all();
		break;
	case CLOSE_WAIT:
		establish_sending();
		send_fin();
		break;
	case CLOSING:
		establish_sending();
		shut_down();
		send_fin();
		break;
	case LAST_ACK:
		establish_sending();
		send_fin();
		shut_down();
		break;
	case TIME_WAIT:
	case REOPENABLE:
		close_first();
		send_fin();
		break;
	default:
		break;
	}
	if (situation == TIME_WAIT) {
		socket_close(listener);
		listener = NULL;
	}
}

/* ---- What follows ---- */

/* The connection's control block, if it has one. */
static const struct tcp_socket *connection(void)
{
	struct tcp_state_of_net *state = tcp_fixture_state(&f);
	const struct endpoint local = {net_addr_ip4(OURS), stranger.ours};
	const struct endpoint remote = {net_addr_ip4(stranger.address), stranger.port};
	const struct tcp_socket *tcp;

	net_lock(&f.net);
	tcp = tcp_table_find(&state->table, tcp_table_hash(&state->table, &local, &remote), &local,
			     &remote);
	net_unlock(&f.net);
	return tcp;
}

static uint32_t situation_of(const struct tcp_socket *tcp)
{
	static const uint32_t situations[] = {
		[TCP_ESTABLISHED] = ESTABLISHED, [TCP_SYN_SENT] = SYN_SENT,
		[TCP_SYN_RECV] = SYN_RECV,       [TCP_FIN_WAIT1] = FIN_WAIT_1,
		[TCP_FIN_WAIT2] = FIN_WAIT_2,    [TCP_CLOSE_WAIT] = CLOSE_WAIT,
		[TCP_LAST_ACK] = LAST_ACK,       [TCP_CLOSING] = CLOSING,
	};

	assert_true(tcp->state < ARRAY_SIZE(situations) && situations[tcp->state]);
	return situations[tcp->state];
}

/* CLOSED is that there is nothing: somebody may listen, or not. */
static uint32_t situation_now(void)
{
	const struct tcp_state_of_net *state = tcp_fixture_state(&f);
	const struct tcp_socket *tcp = connection();

	if (tcp)
		return situation_of(tcp);
	if (state->requests.table.count)
		return REQUEST;
	return state->timewaits.count ? TIME_WAIT : CLOSED;
}

/* As situation_now() would name it. */
static uint32_t simplified(uint32_t situation)
{
	switch (situation) {
	case LISTEN:
		return CLOSED;
	case WINDOW_0:
		return ESTABLISHED;
	case ORPHAN_1:
		return FIN_WAIT_1;
	case ORPHAN_2:
		return FIN_WAIT_2;
	case REOPENABLE:
		return TIME_WAIT;
	default:
		return situation;
	}
}

static uint32_t rule_of_drop(const uint64_t *before, uint32_t *dropped)
{
	uint32_t reason = DROP_NONE;

	*dropped = 0;
	for (uint32_t i = 1; i < DROP_REASON_COUNT; i++) {
		if (f.net.drops[i] == before[i])
			continue;
		reason = i;
		*dropped += (uint32_t)(f.net.drops[i] - before[i]);
	}
	return reason;
}

static uint32_t length_of(const struct trial *trial)
{
	return (trial->text == DATA ? TEXT_LENGTH : 0) + (trial->flags & TCP_SYN ? 1 : 0) +
	       (trial->flags & TCP_FIN ? 1 : 0);
}

/* RCV.NXT afterwards. */
static uint32_t wanted_rcv_nxt(const struct trial *trial, const struct state_rule *rule,
			       uint32_t seq)
{
	if (rule->taken == NONE && rule->answer == SYN_ACK)
		return seq + 1;
	if (rule->taken == NONE && trial->situation == SYN_SENT && trial->flags & TCP_SYN)
		return seq + 1;
	if (rule->taken == NONE)
		return view.rcv_nxt;
	return seq + length_of(trial) - (rule->taken != FIN && trial->flags & TCP_FIN ? 1 : 0);
}

static uint32_t name_answer(const struct trial *trial, const struct crafted *segment,
			    const struct view *before, uint32_t rcv_nxt, bool challenged)
{
	if (view.count == 0)
		return NOTHING;
	if (view.count > 1)
		return SOMETHING_ELSE;
	if (view.flags == TCP_ACK && view.seq == before->snd_nxt && view.ack == rcv_nxt)
		return challenged ? CHALLENGE : ACK;
	if (view.flags == (TCP_SYN | TCP_ACK) && view.ack == segment->seq + 1) {
		if (trial->situation & (LISTEN | REOPENABLE) || view.seq == before->iss)
			return SYN_ACK;
	}
	if (view.flags == TCP_RST && view.seq == segment->ack)
		return RESET;
	if (view.flags == (TCP_RST | TCP_ACK) && view.seq == 0 &&
	    view.ack == segment->seq + length_of(trial))
		return RESET_ACK;
	return SOMETHING_ELSE;
}

/* Reads all there is: the bytes of the text that are new. */
static void read_text(struct result *result, uint32_t wanted)
{
	char bytes[4 * TEXT_LENGTH];
	int64_t n;

	if (!socket && listener && socket_accept(listener, &socket, true))
		socket = NULL;
	result->contents_right = true;
	if (!socket)
		return;
	while ((n = socket_take(socket, bytes + result->taken, TEXT_LENGTH, 0)) > 0)
		result->taken += (uint32_t)n;
	if (result->taken == wanted)
		result->contents_right = !memcmp(bytes, letters + TEXT_LENGTH - wanted,
						 result->taken);
}

static uint32_t seq_at(uint32_t place, uint32_t situation)
{
	switch (place) {
	case INSIDE:
		return view.rcv_nxt + TEXT_LENGTH;
	case LAST:
		return view.rcv_nxt + view.window - 1;
	case BEYOND:
		return view.rcv_nxt + view.window + (situation == WINDOW_0 ? 1 : 0);
	case BEFORE:
		return view.rcv_nxt - 1;
	case OLD:
		return view.rcv_nxt - TEXT_LENGTH - 2;
	default:
		return view.rcv_nxt;
	}
}

static uint32_t ack_at(uint32_t place)
{
	switch (place) {
	case PART:
		return view.snd_nxt - 1;
	case UNA:
		return view.snd_una;
	case PAST:
		return view.snd_una - 1;
	case STALE:
		return view.snd_una - WINDOW - 1;
	case NEVER:
		return view.snd_nxt + 1;
	default:
		return view.snd_nxt;
	}
}

static struct crafted craft(const struct trial *trial)
{
	struct crafted segment = {
		.flags = trial->flags,
		.seq = seq_at(trial->seq, trial->situation),
		.ack = trial->flags & TCP_ACK ? ack_at(trial->ack) : 0,
		.window = WINDOW,
		.urgent = trial->flags & TCP_URG ? TEXT_LENGTH / 2 : 0,
	};

	if (trial->text == DATA) {
		segment.data = letters;
		segment.length = TEXT_LENGTH;
	}
	return segment;
}

/* What was dropped acknowledges nothing; anything else does what its SEG.ACK says. */
static bool acknowledged_as_due(const struct trial *trial, const struct state_rule *rule,
				const struct view *before)
{
	const struct tcp_socket *tcp = connection();
	bool counts = trial->flags & TCP_ACK && trial->ack & (ALL | PART) &&
		      (rule->drop == DROP_NONE || rule->drop == DROP_TCP_AFTER_CLOSE ||
		       rule->drop == DROP_TCP_WINDOW_CLOSED);

	if (trial->situation & (CLOSED | LISTEN | REQUEST | TIME_WAIT | REOPENABLE))
		return true;
	if (!tcp)
		return true;
	if (!counts)
		return tcp->snd_una == before->snd_una;
	return tcp->snd_una == (trial->ack == ALL ? before->snd_nxt : before->snd_nxt - 1) ||
	       before->snd_nxt - before->snd_una <= 1;
}

/* ---- One trial ---- */

static void print_trial(const struct trial *trial)
{
	const char *between = "";

	print_error("%s, flags ", situation_names[__builtin_ctz(trial->situation)]);
	for (size_t i = 0; i < ARRAY_SIZE(flag_names); i++) {
		if (!(trial->flags & flag_names[i].flag))
			continue;
		print_error("%s%s", between, flag_names[i].name);
		between = ",";
	}
	print_error(", seq %s, ack %s%s: ", seq_names[__builtin_ctz(trial->seq)],
		    trial->flags & TCP_ACK ? ack_names[__builtin_ctz(trial->ack)] : "-",
		    trial->text == DATA ? ", text" : "");
}

static void report(const struct trial *trial, const struct state_rule *rule,
		   const struct result *result, uint32_t wanted_bytes)
{
	uint32_t next = rule->next == SAME ? trial->situation : rule->next;

	if (faults++ >= FAULTS_SHOWN)
		return;
	print_trial(trial);
	print_error("line %d wants %s, %s, %s, %u bytes; came %s, %s, %s x%u, %u bytes%s%s\n",
		    rule->line, answer_names[rule->answer],
		    situation_names[__builtin_ctz(simplified(next))], drop_reason_name(rule->drop),
		    wanted_bytes, answer_names[result->answer],
		    situation_names[__builtin_ctz(result->next)], drop_reason_name(result->drop),
		    result->dropped, result->taken,
		    result->acknowledged_as_due ? "" : ", wrong SND.UNA",
		    result->contents_right ? "" : ", wrong bytes");
}

static void judge(const struct trial *trial, const struct state_rule *rule,
		  const struct result *result, uint32_t wanted_bytes)
{
	uint32_t next = rule->next == SAME ? trial->situation : rule->next;
	bool readable = !(trial->situation & (WINDOW_0 | ORPHAN_1 | ORPHAN_2));

	if (result->answer == (uint32_t)rule->answer && result->next == simplified(next) &&
	    result->drop == (uint32_t)rule->drop &&
	    result->dropped == (rule->drop == DROP_NONE ? 0u : 1u) && result->acknowledged_as_due &&
	    result->contents_right && (!readable || result->taken == wanted_bytes))
		return;
	report(trial, rule, result, wanted_bytes);
}

/* Back to nothing but a listener. */
static void clear_away(void)
{
	const struct linger now = {.l_onoff = 1};

	if (socket) {
		socket_setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		socket_close(socket);
	}
	if (listener)
		socket_close(listener);
	socket = NULL;
	if (connection()) { /* an orphan */
		stranger.seq = connection()->rcv_nxt;
		stranger_flags(&stranger, TCP_RST);
	}
	fixture_clear_sent(&f);
	fixture_advance(&f, AFTER_TIME_WAIT_US);
	fixture_clear_sent(&f);
	assert_int_equal(situation_now(), CLOSED);
	listener = make_listener();
}

static void try(const struct trial *trial)
{
	const struct state_rule *rule = rule_for(trial);
	const uint64_t *challenges;
	uint64_t challenged, drops[DROP_REASON_COUNT];
	struct result result = {0};
	struct crafted segment;
	struct view before;
	uint32_t rcv_nxt, bytes = 0;

	stranger_init(&stranger, &f);
	stranger.port = 30000;
	stranger.window = WINDOW;
	view = (struct view){.window = UINT16_MAX, .snd_una = 1000, .snd_nxt = 1001};
	view.rcv_nxt = stranger.seq;
	bring_about(trial->situation);

	before = view;
	segment = craft(trial);
	challenges = &tcp_fixture_state(&f)->extra[TCP_EXTRA_CHALLENGE_ACKS];
	challenged = *challenges;
	memcpy(drops, f.net.drops, sizeof(drops));
	rcv_nxt = wanted_rcv_nxt(trial, rule, segment.seq);
	if (rule->taken != NONE && trial->text == DATA)
		bytes = MIN(TEXT_LENGTH, rcv_nxt - view.rcv_nxt -
						 (rule->taken == FIN && trial->flags & TCP_FIN));
	stranger_sends(&stranger, &segment);
	look();
	result.answer = name_answer(trial, &segment, &before, rcv_nxt, *challenges != challenged);
	result.next = situation_now();
	result.drop = rule_of_drop(drops, &result.dropped);
	result.acknowledged_as_due = acknowledged_as_due(trial, rule, &before);
	if (!(trial->situation & (WINDOW_0 | ORPHAN_1 | ORPHAN_2)))
		read_text(&result, bytes);
	else
		result.contents_right = true;
	judge(trial, rule, &result, bytes);
	clear_away();
	trials++;
}

/* All segments in one situation. */
static void try_all(uint32_t situation)
{
	struct trial trial = {.situation = situation};

	for (uint32_t flags = 0; flags < ALL_FLAGS; flags++) {
		trial.flags = (uint8_t)flags;
		for (trial.seq = 1; trial.seq < 1 << SEQ_PLACES; trial.seq <<= 1) {
			if (situation == WINDOW_0 && trial.seq & (INSIDE | LAST))
				continue;
			for (trial.ack = 1; trial.ack < 1 << ACK_PLACES; trial.ack <<= 1) {
				if (!(flags & TCP_ACK) && trial.ack != ALL)
					continue;
				for (trial.text = BARE; trial.text <= DATA; trial.text <<= 1)
					try(&trial);
			}
		}
	}
}

static void test_situation(void **state)
{
	faults = 0;
	listener = tcp_fixture_init(&f);
	socket = NULL;
	socket_close(listener);
	listener = make_listener();
	try_all(*(uint32_t *)*state);
	tcp_fixture_destroy(&f, listener);
	if (faults)
		fail_msg("%u faults", faults);
}

/* Each line of the table was the one that counted at least once. */
static void test_no_rule_is_idle(void **state __unused)
{
	for (uint32_t i = 0; i < tcp_state_rule_count; i++) {
		if (!used[i])
			fail_msg("line %d is never used", tcp_state_rules[i].line);
	}
	print_message("%u segments\n", trials);
}

int main(void)
{
	static uint32_t situations[SITUATIONS];
	struct CMUnitTest tests[SITUATIONS + 1];

	for (uint32_t i = 0; i < SITUATIONS; i++) {
		situations[i] = 1u << i;
		tests[i] = (struct CMUnitTest){.name = situation_names[i],
					       .test_func = test_situation,
					       .initial_state = &situations[i]};
	}
	tests[SITUATIONS] = (struct CMUnitTest)cmocka_unit_test(test_no_rule_is_idle);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
