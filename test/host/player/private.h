/* What the player's files share; see player.h. */
#ifndef TEST_HOST_PLAYER_PRIVATE_H
#define TEST_HOST_PLAYER_PRIVATE_H

#include <setjmp.h>

#include "net/core/socket.h"
#include "net/tcp/tcp_statistics.h"
#include "test/host/player/player.h"
#include "test/host/player/script.h"
#include "test/host/stack/stack.h"

#define PLAYER_FLOWS_MAX 16
#define PLAYER_TRACE_LINES 12
#define PLAYER_SLACK_US 1000 /* how far a segment may be off its time */
#define PLAYER_SERVER_PORT 80
#define PLAYER_STACK_ADDRESS IP4(10, 0, 0, 1)
#define PLAYER_PEER_ADDRESS IP4(10, 0, 0, 2)

/* A connection that the script speaks of, by its name; `listener` is the one that listens. */
struct flow {
	char name[SCRIPT_NAME_MAX];
	uint16_t local_port, peer_port;
	struct socket *socket; /* NULL: none, or closed */

	/* Sequence numbers: what is 0 in the script. */
	uint32_t iss, irs;
	bool iss_known, irs_known;
	uint32_t stack_next;  /* relative: behind the highest that the stack sent */
	uint32_t peer_next;   /* relative: behind the highest that the peer sent */
	uint32_t peer_ack;    /* what the peer's segments acknowledge until a line says otherwise */
	uint32_t peer_window; /* bytes; likewise */

	/* What the two SYNs said; a scale of -1: nothing. */
	int stack_scale, peer_scale;
	bool stack_timestamps, peer_timestamps;
	uint32_t stack_ts_offset, peer_ts_offset; /* timestamp = milliseconds of the clock + this */
	uint32_t ts_recent;                       /* the stack's last one, which the peer echoes */

	/* The streams. */
	uint8_t *written; /* what the process gave to send */
	uint32_t written_length, written_room;
	uint32_t read_next;   /* relative: what the process reads next */
	bool peer_spoke_text; /* not the pattern: recv's bytes are compared where the script says */
};

/* A call that slept and has returned; the line `returns` looks at it. */
struct returned {
	bool waiting; /* for that line */
	uint32_t line;
	int64_t result, time_us; /* of the script */
	uint8_t *bytes;          /* what was read, or NULL */
};

struct player {
	const char *path;
	struct script script;
	uint32_t at; /* the next statement */
	const struct statement *now_playing;
	struct host_stack stack;
	struct host_device device;
	struct flow flows[PLAYER_FLOWS_MAX];
	uint32_t flow_count;

	uint64_t zero_us;   /* the clock's value at the script's time 0 */
	int64_t nominal_us; /* the time that the last statement had, by the script */
	bool wrap, numbers_chosen;
	bool isn_wanted; /* by the script */
	uint32_t isn;
	uint8_t cookie[SEGMENT_OPTION_BYTES]; /* Fast Open: the last one that the stack gave */
	uint8_t cookie_length;
	bool unwatched; /* what is sent is not compared */
	uint64_t counts_before[TCP_STAT_COUNT], extra_before[TCP_EXTRA_COUNT];

	uint32_t sleeping; /* calls that have not returned */
	struct returned returned;

	char recent[PLAYER_TRACE_LINES][SEGMENT_TEXT_MAX + 64]; /* the last events, in a ring */
	uint32_t events;
	bool trace;
	char *report;
	size_t report_size;
	jmp_buf failed;
};

/* player.c */
int64_t player_time_us(const struct player *player); /* the script's, now */

/* report.c */
/* Ends the play: the line and its time, what was wrong, and the last events. */
_Noreturn __printf(2, 3) void player_fail(struct player *player, const char *format, ...);
/* An event, for reports: `arrow` is --> or <-- or empty. */
void player_note(struct player *player, const char *arrow, const char *text);
double player_in_ms(int64_t us);

/* packets.c */
/* The next segment that the stack sent is the line's, and went out in this time; fails if not. */
void player_expect(struct player *player, const struct statement *statement, int64_t from_us,
		   int64_t to_us);
/* Fails if the stack sent something that no line expects. */
void player_expect_nothing(struct player *player);
/* Something arrives from the peer. */
void player_inject(struct player *player, const struct statement *statement);
void player_inject_icmp(struct player *player, const struct statement *statement);

/* flow.c */
struct flow *flow_find(struct player *player, const char *name);
struct flow *flow_by_ports(struct player *player, uint16_t local_port, uint16_t peer_port);
/* Who opens is known: sets the ports, and the ISNs when the script wishes for some. */
void flow_open(struct player *player, struct flow *flow, bool active);
/* The bytes that side sends at relative number `seq`: what a script need not spell out. */
uint8_t flow_stack_byte(uint32_t seq);
uint8_t flow_peer_byte(uint32_t seq);
/* Milliseconds of the script's time <-> timestamps as on the wire. */
uint32_t flow_timestamp(const struct player *player, uint32_t offset, int64_t ms);
int64_t flow_timestamp_ms(const struct player *player, uint32_t offset, uint32_t timestamp);
/* A segment of the stack's or of the peer's has passed: what the flow remembers. */
void flow_note_sent(struct player *player, struct flow *flow, const struct segment *segment);
void flow_note_injected(struct flow *flow, const struct segment *segment);

/* wire.c */
#define WIRE_PACKET_MAX 65535
/* A packet that the stack sent, and whose it is. NULL: none of TCP. Fails on wrong checksums. */
struct flow *wire_decode(struct player *player, const uint8_t *bytes, uint32_t length,
			 struct segment *segment);
/* The packet of a segment from the peer; everything that was left out is filled in. */
uint32_t wire_encode(struct player *player, struct flow *flow, struct segment *segment,
		     uint8_t *packet);
uint32_t wire_encode_icmp(struct player *player, const struct flow *flow,
			  const struct script_icmp *icmp, uint8_t *packet);

/* calls.c, checks.c: false when the command is not theirs. */
bool calls_play(struct player *player, const struct command *command, struct flow *flow);
bool checks_play(struct player *player, const struct command *command, struct flow *flow);
/* Compares with what the line says; `otherwise` is meant when it says nothing. */
void calls_compare(struct player *player, const struct value *expected, int64_t otherwise,
		   int64_t result, const uint8_t *bytes);
/* Arguments; they fail when the line has none or another kind. */
int64_t command_number(struct player *player, const struct command *command, uint32_t i);
const char *command_word(struct player *player, const struct command *command, uint32_t i);

/* options.c */
/* setsockopt NAME VALUE, getsockopt NAME: 0, the value, or a negative errno. */
int64_t options_set(struct player *player, struct flow *flow, const struct command *command);
int64_t options_get(struct player *player, struct flow *flow, const struct command *command);

/* names.c: constants of the ABI by their names. -1: there is none of that name. */
int64_t name_of_error(const char *name); /* positive */
int64_t name_of_flag(const char *name);  /* MSG_..., SHUT_..., POLL..., SIOC... */
const char *error_name(int64_t error);   /* positive; "?" */

#endif
