/*
 * Every state against every combination of the six flags, with and without text, at every place of
 * the sequence and the acknowledgement number: what is answered, which state follows, what of the
 * segment is taken and acknowledged, and under which name it is dropped, as tcp_states_table.c has
 * it. The peer is made by hand, the stack is seen from its wire.
 */
#include <string.h>

#include "kernel/errno.h"
#include "test/host/unit/tcp_situation.h"

#define TEXT_LENGTH 8u
#define ALL_FLAGS 64u
#define FAULTS_SHOWN 20

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

struct result {
	uint32_t answer, next;
	uint32_t drop;    /* what was counted */
	uint32_t dropped; /* how often anything was */
	uint32_t taken;   /* bytes that the process can read */
	bool acknowledged_as_due, contents_right;
};

static struct meeting meeting;
static struct view *const view = &meeting.view; /* as it is now */
static uint64_t used[256];                      /* how often each rule was the one that counted */
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

/* ---- What follows ---- */

static uint32_t rule_of_drop(const uint64_t *before, uint32_t *dropped)
{
	uint32_t reason = DROP_NONE;

	*dropped = 0;
	for (uint32_t i = 1; i < DROP_REASON_COUNT; i++) {
		if (meeting.f.net.drops[i] == before[i])
			continue;
		reason = i;
		*dropped += (uint32_t)(meeting.f.net.drops[i] - before[i]);
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
		return view->rcv_nxt;
	return seq + length_of(trial) - (rule->taken != FIN && trial->flags & TCP_FIN ? 1 : 0);
}

static uint32_t name_answer(const struct trial *trial, const struct crafted *segment,
			    const struct view *before, uint32_t rcv_nxt, bool challenged)
{
	if (view->count == 0)
		return NOTHING;
	if (view->count > 1)
		return SOMETHING_ELSE;
	if (view->flags == TCP_ACK && view->seq == before->snd_nxt && view->ack == rcv_nxt)
		return challenged ? CHALLENGE : ACK;
	if (view->flags == (TCP_SYN | TCP_ACK) && view->ack == segment->seq + 1) {
		if (trial->situation & (LISTEN | REOPENABLE) || view->seq == before->iss)
			return SYN_ACK;
	}
	if (view->flags == TCP_RST && view->seq == segment->ack)
		return RESET;
	if (view->flags == (TCP_RST | TCP_ACK) && view->seq == 0 &&
	    view->ack == segment->seq + length_of(trial))
		return RESET_ACK;
	return SOMETHING_ELSE;
}

/* Reads all there is: the bytes of the text that are new. */
static void read_text(struct result *result, uint32_t wanted)
{
	char bytes[4 * TEXT_LENGTH];
	int64_t n;

	if (!meeting.socket && meeting.listener &&
	    socket_accept(meeting.listener, &meeting.socket, true))
		meeting.socket = NULL;
	result->contents_right = true;
	if (!meeting.socket)
		return;
	while ((n = socket_take(meeting.socket, bytes + result->taken, TEXT_LENGTH, 0)) > 0)
		result->taken += (uint32_t)n;
	if (result->taken == wanted)
		result->contents_right = !memcmp(bytes, letters + TEXT_LENGTH - wanted,
						 result->taken);
}

static uint32_t seq_at(uint32_t place, uint32_t situation)
{
	switch (place) {
	case INSIDE:
		return view->rcv_nxt + TEXT_LENGTH;
	case LAST:
		return view->rcv_nxt + view->window - 1;
	case BEYOND:
		return view->rcv_nxt + view->window + (situation == WINDOW_0 ? 1 : 0);
	case BEFORE:
		return view->rcv_nxt - 1;
	case OLD:
		return view->rcv_nxt - TEXT_LENGTH - 2;
	default:
		return view->rcv_nxt;
	}
}

static uint32_t ack_at(uint32_t place)
{
	switch (place) {
	case PART:
		return view->snd_nxt - 1;
	case UNA:
		return view->snd_una;
	case PAST:
		return view->snd_una - 1;
	case STALE:
		return view->snd_una - MEETING_WINDOW - 1;
	case NEVER:
		return view->snd_nxt + 1;
	default:
		return view->snd_nxt;
	}
}

static struct crafted craft(const struct trial *trial)
{
	struct crafted segment = {
		.flags = trial->flags,
		.seq = seq_at(trial->seq, trial->situation),
		.ack = trial->flags & TCP_ACK ? ack_at(trial->ack) : 0,
		.window = MEETING_WINDOW,
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
	const struct tcp_socket *tcp = meeting_connection(&meeting);
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
		    situation_names[__builtin_ctz(situation_simplified(next))],
		    drop_reason_name(rule->drop), wanted_bytes, answer_names[result->answer],
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

	if (result->answer == (uint32_t)rule->answer &&
	    result->next == situation_simplified(next) && result->drop == (uint32_t)rule->drop &&
	    result->dropped == (rule->drop == DROP_NONE ? 0u : 1u) && result->acknowledged_as_due &&
	    result->contents_right && (!readable || result->taken == wanted_bytes))
		return;
	report(trial, rule, result, wanted_bytes);
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

	meeting_begin(&meeting, trial->situation);

	before = *view;
	segment = craft(trial);
	challenges = &tcp_fixture_state(&meeting.f)->extra[TCP_EXTRA_CHALLENGE_ACKS];
	challenged = *challenges;
	memcpy(drops, meeting.f.net.drops, sizeof(drops));
	rcv_nxt = wanted_rcv_nxt(trial, rule, segment.seq);
	if (rule->taken != NONE && trial->text == DATA)
		bytes = MIN(TEXT_LENGTH, rcv_nxt - view->rcv_nxt -
						 (rule->taken == FIN && trial->flags & TCP_FIN));
	stranger_sends(&meeting.stranger, &segment);
	meeting_look(&meeting);
	result.answer = name_answer(trial, &segment, &before, rcv_nxt, *challenges != challenged);
	result.next = meeting_situation(&meeting);
	result.drop = rule_of_drop(drops, &result.dropped);
	result.acknowledged_as_due = acknowledged_as_due(trial, rule, &before);
	if (!(trial->situation & (WINDOW_0 | ORPHAN_1 | ORPHAN_2)))
		read_text(&result, bytes);
	else
		result.contents_right = true;
	judge(trial, rule, &result, bytes);
	meeting_clear_away(&meeting);
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
	meeting_init(&meeting);
	try_all(*(uint32_t *)*state);
	meeting_destroy(&meeting);
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
