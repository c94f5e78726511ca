#include "test/host/player/lexer.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/clock.h"

static bool is_word_start(char c)
{
	return isalpha((unsigned char)c) || c == '_';
}

static bool is_word_part(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* A hyphen joins what follows it: FIN-WAIT-1. */
static const char *end_of_word(const char *at)
{
	while (is_word_part(*at) || (*at == '-' && is_word_part(at[1])))
		at++;
	return at;
}

static bool unit_is(const char *unit, size_t length, const char *name)
{
	return strlen(name) == length && strncmp(unit, name, length) == 0;
}

/* Microseconds in one of the unit; 0: there is no such unit. */
static int64_t unit_us(const char *unit, size_t length)
{
	if (length == 0 || unit_is(unit, length, "ms"))
		return USEC_PER_MSEC;
	if (unit_is(unit, length, "us"))
		return 1;
	if (unit_is(unit, length, "s"))
		return USEC_PER_SEC;
	if (unit_is(unit, length, "min"))
		return 60 * USEC_PER_SEC;
	return unit_is(unit, length, "h") ? 3600 * USEC_PER_SEC : 0;
}

/* [+-]digits[.digits][unit], or 0xdigits */
static const char *read_number(const char *at, struct token *token)
{
	const char *digits = at + (*at == '+' || *at == '-');
	bool is_hex = digits[0] == '0' && digits[1] == 'x';
	const char *end = digits + (is_hex ? 2 : 0);

	token->has_sign = digits != at;
	while (is_hex ? isxdigit((unsigned char)*end) : isdigit((unsigned char)*end))
		end++;
	if (!is_hex && *end == '.' && isdigit((unsigned char)end[1])) {
		end++;
		while (isdigit((unsigned char)*end))
			end++;
	}
	const char *unit = end;

	end = end_of_word(end);
	int64_t us = unit_us(unit, (size_t)(end - unit));

	if (!us)
		token->kind = TOKEN_BAD;
	token->number = strtoll(at, NULL, is_hex ? 16 : 10);
	token->time_us = is_hex ? 0
				: (int64_t)(strtod(at, NULL) * (double)us +
					    (*at == '-' ? -.5 : .5));
	return end;
}

static const char *read_sign(const char *at, struct token *token)
{
	static const char *const signs[] = {
		"-->", "<--", "->", "..", "!=", "<=", ">=", ":", ",", "<", ">", "=", "*"};

	for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
		size_t length = strlen(signs[i]);

		if (strncmp(at, signs[i], length) == 0)
			return at + length;
	}
	token->kind = TOKEN_BAD;
	return at + 1;
}

static const char *read_token(const char *at, struct token *token)
{
	bool is_signed = (*at == '+' || *at == '-') && isdigit((unsigned char)at[1]);

	if (is_word_start(*at)) {
		token->kind = TOKEN_WORD;
		return end_of_word(at);
	}
	if (isdigit((unsigned char)*at) || is_signed) {
		token->kind = TOKEN_NUMBER;
		return read_number(at, token);
	}
	token->kind = TOKEN_SIGN;
	return read_sign(at, token);
}

void lexer_next(struct lexer *lexer)
{
	struct token *token = &lexer->token;
	const char *at = lexer->at;

	while (*at == ' ' || *at == '\t')
		at++;
	*token = (struct token){.kind = TOKEN_END, .text = at};
	lexer->at = at;
	if (*at == '\0' || *at == '#')
		return;
	if (*at == '"') {
		const char *end = strchr(at + 1, '"');

		token->kind = end ? TOKEN_TEXT : TOKEN_BAD;
		token->text = at + 1;
		token->length = end ? (uint32_t)(end - at - 1) : 0;
		lexer->at = end ? end + 1 : at + strlen(at);
		return;
	}
	lexer->at = read_token(at, token);
	token->length = (uint32_t)(lexer->at - at);
}

void lexer_begin(struct lexer *lexer, const char *line)
{
	lexer->at = line;
	lexer_next(lexer);
}

bool token_is(const struct token *token, const char *text)
{
	return (token->kind == TOKEN_WORD || token->kind == TOKEN_SIGN) &&
	       strlen(text) == token->length && strncmp(token->text, text, token->length) == 0;
}
