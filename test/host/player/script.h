/*
 * A script as the parser leaves it: one statement for each line of a file of test/host/scripts/.
 * docs/scripts.md is the manual of the notation.
 *
 * Times are in microseconds, counted from the script's zero; sequence numbers are relative: each
 * side's SYN is number 0.
 */
#ifndef TEST_HOST_PLAYER_SCRIPT_H
#define TEST_HOST_PLAYER_SCRIPT_H

#include "kernel/types.h"
#include "test/host/player/segment.h"

#define SCRIPT_NAME_MAX 16
#define SCRIPT_ARGUMENTS_MAX 8

enum moment_kind {
	MOMENT_SAME,  /* no time: the same as the line before */
	MOMENT_AFTER, /* +40: so long after the line before */
	MOMENT_AT,    /* 40 */
};

struct moment {
	enum moment_kind kind;
	int64_t from_us, to_us; /* the same, unless the line gives a range: 40..60 */
};

/* What is given to a call, or comes back from it. */
enum value_kind {
	VALUE_NONE,
	VALUE_NUMBER,
	VALUE_WORD,  /* a name, or an operator */
	VALUE_TEXT,  /* "..." */
	VALUE_RANGE, /* 1:1001, bytes of the stream by their numbers */
};

struct value {
	enum value_kind kind;
	int64_t number;
	uint32_t start, end;
	const char *text; /* of a word or text; ends with NUL; in the script's memory */
	uint32_t length;
};

/* Everything that is not a packet: WORD ARGUMENT... [-> RESULT | blocks] */
struct command {
	const char *word;
	struct value arguments[SCRIPT_ARGUMENTS_MAX];
	uint32_t argument_count;
	struct value result;
	bool blocks;
};

struct script_icmp {
	uint8_t type, code;
	uint16_t mtu;
	uint32_t seq; /* in the packet that it quotes */
};

enum statement_kind { STATEMENT_COMMAND, STATEMENT_EXPECT, STATEMENT_INJECT, STATEMENT_ICMP };

struct statement {
	uint32_t line;
	enum statement_kind kind;
	struct moment when;
	char flow[SCRIPT_NAME_MAX]; /* the connection: "a" unless the line names another */
	union {
		struct command command;
		struct segment segment;
		struct script_icmp icmp;
	};
};

struct script {
	char *text;   /* the whole file; the lexer ends its words with NUL */
	char **lines; /* for reports: as they were written, [1] the first */
	uint32_t line_count;
	struct statement *statements;
	uint32_t count, room;
	void *pool; /* of texts: see lexer.h */
	char error[256];
};

/*
 * Reads a script. False: `error` says why, as FILE:LINE: WHAT. In both cases script_free gives the
 * memory back.
 */
bool script_read(struct script *script, const char *path);
void script_free(struct script *script);

#endif
