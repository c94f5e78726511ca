/* What the two halves of the parser share: lines and commands (parser.c), segments. */
#ifndef TEST_HOST_PLAYER_PARSER_H
#define TEST_HOST_PLAYER_PARSER_H

#include <setjmp.h>

#include "test/host/player/lexer.h"
#include "test/host/player/script.h"

struct parser {
	struct script *script;
	const char *path;
	uint32_t line;
	struct lexer lexer;
	bool listening; /* some line made a listener */
	jmp_buf refused;
};

/* Ends the reading: script->error tells. */
_Noreturn void parser_refuse(struct parser *parser, const char *what);

static inline const struct token *parser_token(const struct parser *parser)
{
	return &parser->lexer.token;
}
/* Goes on when the current token is that word or sign. */
bool parser_accept(struct parser *parser, const char *text);
/* Refuses when it is not. */
void parser_expect(struct parser *parser, const char *text);
/* A number of at least `least` and at most `most`. */
int64_t parser_number(struct parser *parser, int64_t least, int64_t most);
/* A copy of the current token, for as long as the script is there; goes on. */
const char *parser_keep(struct parser *parser);

/* A line that stands for several segments: 1:3001 by 1000, or ACK 1001..3001 by 1000 */
struct series {
	uint32_t step;     /* bytes from one to the next; 0: there is one segment only */
	uint32_t last_ack; /* of a series of acknowledgements; else the one that the line names */
};

/* parse_segment.c: what stands behind --> and <--. */
void parse_segment(struct parser *parser, struct segment *segment, struct series *series);
void parse_icmp(struct parser *parser, struct script_icmp *icmp);

#endif
