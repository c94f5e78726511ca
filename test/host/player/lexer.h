/* Words, numbers and signs of one line of a script. */
#ifndef TEST_HOST_PLAYER_LEXER_H
#define TEST_HOST_PLAYER_LEXER_H

#include "kernel/types.h"

enum token_kind {
	TOKEN_END, /* of the line, or a comment */
	TOKEN_WORD,
	TOKEN_NUMBER,
	TOKEN_TEXT, /* "...": the characters between */
	TOKEN_SIGN, /* --> <-- -> .. : , < > = != <= >= * */
	TOKEN_BAD,
};

struct token {
	enum token_kind kind;
	const char *text; /* as it is written; not ended by NUL */
	uint32_t length;
	int64_t number;  /* of a whole one */
	int64_t time_us; /* the number as a time: milliseconds, or with its unit: 5s, 2min, 7us */
	bool has_sign;   /* it was written with + or - */
};

struct lexer {
	const char *at;
	struct token token; /* the current one */
};

/* Begins with a line, which ends with NUL; the first token is then the current one. */
void lexer_begin(struct lexer *lexer, const char *line);
void lexer_next(struct lexer *lexer);

/* Is it this word, or this sign? */
bool token_is(const struct token *token, const char *text);

#endif
