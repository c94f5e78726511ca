/* The lines of a script: [TIME] [NAME:] --> SEGMENT, <-- SEGMENT, <-- ICMP ERROR, or COMMAND. */
#include "test/host/player/parser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/tcp/tcp_wire.h"

#define FLOW_DEFAULT "a"

/* Texts live until script_free. */
struct kept {
	struct kept *next;
	char text[];
};

_Noreturn void parser_refuse(struct parser *parser, const char *what)
{
	const struct token *token = parser_token(parser);
	bool at_end = token->kind == TOKEN_END;

	snprintf(parser->script->error, sizeof(parser->script->error), "%s:%u: at '%.*s': %s",
		 parser->path, parser->line, at_end ? 11 : (int)token->length,
		 at_end ? "end of line" : token->text, what);
	longjmp(parser->refused, 1);
}

bool parser_accept(struct parser *parser, const char *text)
{
	if (!token_is(parser_token(parser), text))
		return false;
	lexer_next(&parser->lexer);
	return true;
}

void parser_expect(struct parser *parser, const char *text)
{
	char what[32];

	if (parser_accept(parser, text))
		return;
	snprintf(what, sizeof(what), "'%s' should stand here", text);
	parser_refuse(parser, what);
}

int64_t parser_number(struct parser *parser, int64_t least, int64_t most)
{
	const struct token *token = parser_token(parser);
	int64_t number = token->number;

	if (token->kind != TOKEN_NUMBER || number < least || number > most)
		parser_refuse(parser, "a number should stand here");
	lexer_next(&parser->lexer);
	return number;
}

static const char *keep(struct parser *parser, const char *text, size_t length)
{
	struct kept *kept = malloc(sizeof(*kept) + length + 1);

	if (!kept)
		parser_refuse(parser, "no memory");
	memcpy(kept->text, text, length);
	kept->text[length] = '\0';
	kept->next = parser->script->pool;
	parser->script->pool = kept;
	return kept->text;
}

const char *parser_keep(struct parser *parser)
{
	const char *text = keep(parser, parser_token(parser)->text, parser_token(parser)->length);

	lexer_next(&parser->lexer);
	return text;
}

/* ---- Time, and whose line it is ---- */

static int64_t parse_time(struct parser *parser)
{
	int64_t us = parser_token(parser)->time_us;

	if (parser_token(parser)->kind != TOKEN_NUMBER)
		parser_refuse(parser, "a time should stand here");
	lexer_next(&parser->lexer);
	return us;
}

static struct moment parse_moment(struct parser *parser)
{
	const struct token *token = parser_token(parser);
	struct moment moment = {.kind = MOMENT_SAME};

	if (token->kind != TOKEN_NUMBER)
		return moment;
	moment.kind = token->has_sign && *token->text == '+' ? MOMENT_AFTER : MOMENT_AT;
	moment.from_us = moment.to_us = parse_time(parser);
	if (parser_accept(parser, ".."))
		moment.to_us = parse_time(parser);
	return moment;
}

/* `b:` in front says that the line is about connection b. */
static void parse_flow(struct parser *parser, char *flow)
{
	struct lexer ahead = parser->lexer;

	snprintf(flow, SCRIPT_NAME_MAX, "%s", FLOW_DEFAULT);
	if (ahead.token.kind != TOKEN_WORD)
		return;
	lexer_next(&ahead);
	if (!token_is(&ahead.token, ":"))
		return;
	snprintf(flow, SCRIPT_NAME_MAX, "%s", parser_keep(parser));
	parser_expect(parser, ":");
}

/* ---- Commands ---- */

static struct value parse_value(struct parser *parser)
{
	const struct token *token = parser_token(parser);
	struct value value = {.number = token->number, .length = token->length};

	switch (token->kind) {
	case TOKEN_NUMBER:
		value.kind = VALUE_NUMBER;
		break;
	case TOKEN_TEXT:
		value.kind = VALUE_TEXT;
		break;
	case TOKEN_WORD:
	case TOKEN_SIGN:
		value.kind = VALUE_WORD;
		break;
	default:
		parser_refuse(parser, "an argument should stand here");
	}
	value.text = parser_keep(parser);
	if (value.kind == VALUE_NUMBER && parser_accept(parser, ":")) {
		value.kind = VALUE_RANGE;
		value.start = (uint32_t)value.number;
		value.end = (uint32_t)parser_number(parser, value.number, UINT32_MAX);
	}
	return value;
}

static void parse_command(struct parser *parser, struct command *command)
{
	if (parser_token(parser)->kind != TOKEN_WORD)
		parser_refuse(parser, "neither a segment nor a call");
	command->word = parser_keep(parser);
	parser->listening |= strcmp(command->word, "listen") == 0;
	while (parser_token(parser)->kind != TOKEN_END) {
		if (parser_accept(parser, "->")) {
			command->result = parse_value(parser);
			break;
		}
		if (parser_accept(parser, "blocks")) {
			command->blocks = true;
			break;
		}
		if (command->argument_count == SCRIPT_ARGUMENTS_MAX)
			parser_refuse(parser, "too many arguments");
		command->arguments[command->argument_count++] = parse_value(parser);
	}
	if (parser_token(parser)->kind != TOKEN_END)
		parser_refuse(parser, "nothing should follow");
}

/* ---- Statements ---- */

static struct statement *add_statement(struct parser *parser, enum statement_kind kind,
				       const struct statement *head)
{
	struct script *script = parser->script;

	if (script->count == script->room) {
		uint32_t room = script->room * 2 + 64;
		struct statement *more = realloc(script->statements, room * sizeof(*more));

		if (!more)
			parser_refuse(parser, "no memory");
		script->statements = more;
		script->room = room;
	}
	struct statement *statement = &script->statements[script->count++];

	*statement = *head;
	statement->kind = kind;
	return statement;
}

/* Cuts the next part off the whole; flags that end the data stand on the last. */
static bool cut(struct segment *part, struct segment *whole, const struct series *series)
{
	if (!series->step)
		return false;
	if (whole->length > series->step) {
		part->length = series->step;
		part->flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
		whole->seq += series->step;
		whole->length -= series->step;
		return true;
	}
	if (series->last_ack - whole->ack >= series->step && whole->ack != series->last_ack) {
		whole->ack += series->step;
		return true;
	}
	return false;
}

static void add_segments(struct parser *parser, enum statement_kind kind, struct statement *head)
{
	struct segment whole = {0};
	struct series series = {0};
	bool more;

	parse_segment(parser, &whole, &series);
	do {
		struct segment *part = &add_statement(parser, kind, head)->segment;

		*part = whole;
		more = cut(part, &whole, &series);
		head->when = (struct moment){.kind = MOMENT_SAME};
	} while (more);
}

static void parse_line(struct parser *parser, const char *line);

/* `connected` and `accepted` stand for the lines of a handshake. */
struct handshake {
	const char *options;
	int64_t rtt_us, window;
};

static void parse_handshake(struct parser *parser, struct handshake *handshake)
{
	*handshake = (struct handshake){.options = "mss 1000", .rtt_us = 10000, .window = 65535};
	while (parser_token(parser)->kind != TOKEN_END) {
		if (parser_accept(parser, "rtt")) {
			handshake->rtt_us = parse_time(parser);
		} else if (parser_accept(parser, "win")) {
			handshake->window = parser_number(parser, 0, UINT32_MAX);
		} else if (token_is(parser_token(parser), "<")) {
			const char *start = parser->lexer.at;

			while (!token_is(parser_token(parser), ">") &&
			       parser_token(parser)->kind != TOKEN_END)
				lexer_next(&parser->lexer);
			handshake->options = keep(parser, start,
						  (size_t)(parser_token(parser)->text - start));
			parser_expect(parser, ">");
		} else {
			parser_refuse(parser, "neither options nor rtt nor win");
		}
	}
}

static void add_line(struct parser *parser, int64_t after_us, const char *flow, const char *format,
		     ...)
{
	char line[512];
	int length = snprintf(line, sizeof(line), "+%lldus %s: ", (long long)after_us, flow);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line + length, sizeof(line) - (size_t)length, format, arguments);
	va_end(arguments);
	parse_line(parser, line);
}

static void add_connected(struct parser *parser, const char *flow)
{
	struct handshake how;

	parse_handshake(parser, &how);
	add_line(parser, 0, flow, "connect");
	add_line(parser, 0, flow, "--> SYN");
	add_line(parser, how.rtt_us, flow, "<-- SYN ACK 1 win %lld <%s>", (long long)how.window,
		 how.options);
	add_line(parser, 0, flow, "--> ACK 1");
	add_line(parser, 0, flow, "zero");
}

static void add_accepted(struct parser *parser, const char *flow)
{
	struct handshake how;

	parse_handshake(parser, &how);
	if (!parser->listening)
		add_line(parser, 0, "listener", "listen");
	add_line(parser, 0, flow, "<-- SYN win %lld <%s>", (long long)how.window, how.options);
	add_line(parser, 0, flow, "--> SYN ACK 1");
	add_line(parser, how.rtt_us, flow, "<-- ACK 1");
	add_line(parser, 0, flow, "accept");
	add_line(parser, 0, flow, "zero");
}

/* A line that stands for several: its time is that of the first. */
static void let_time_pass(struct parser *parser, const struct statement *head)
{
	if (head->when.kind != MOMENT_SAME)
		add_statement(parser, STATEMENT_COMMAND, head)->command.word = "quiet";
}

static void parse_action(struct parser *parser, struct statement *head)
{
	if (parser_accept(parser, "-->")) {
		add_segments(parser, STATEMENT_EXPECT, head);
	} else if (parser_accept(parser, "<--")) {
		if (parser_accept(parser, "ICMP"))
			parse_icmp(parser, &add_statement(parser, STATEMENT_ICMP, head)->icmp);
		else
			add_segments(parser, STATEMENT_INJECT, head);
	} else if (parser_accept(parser, "connected")) {
		let_time_pass(parser, head);
		add_connected(parser, head->flow);
	} else if (parser_accept(parser, "accepted")) {
		let_time_pass(parser, head);
		add_accepted(parser, head->flow);
	} else {
		parse_command(parser, &add_statement(parser, STATEMENT_COMMAND, head)->command);
	}
	if (parser_token(parser)->kind != TOKEN_END)
		parser_refuse(parser, "nothing should follow");
}

static void parse_line(struct parser *parser, const char *line)
{
	struct statement head = {.line = parser->line};

	lexer_begin(&parser->lexer, line);
	if (parser_token(parser)->kind == TOKEN_END)
		return;
	head.when = parse_moment(parser);
	parse_flow(parser, head.flow);
	parse_action(parser, &head);
}

/* ---- The file ---- */

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t length = 0;

	if (!file)
		return NULL;
	if (getdelim(&text, &length, '\0', file) < 0) { /* up to its end: there is no NUL in it */
		free(text);
		text = NULL;
	}
	fclose(file);
	return text;
}

/* Cuts the text at its newlines. */
static bool split_lines(struct script *script)
{
	uint32_t count = 1;

	for (const char *at = script->text; *at; at++)
		count += *at == '\n';
	script->lines = calloc(count + 1, sizeof(*script->lines));
	if (!script->lines)
		return false;
	char *rest = script->text;

	while (rest)
		script->lines[++script->line_count] = strsep(&rest, "\n");
	return true;
}

bool script_read(struct script *script, const char *path)
{
	struct parser parser = {.script = script, .path = path};

	memset(script, 0, sizeof(*script));
	script->text = read_file(path);
	if (!script->text || !split_lines(script)) {
		snprintf(script->error, sizeof(script->error), "%s: cannot be read", path);
		return false;
	}
	if (setjmp(parser.refused))
		return false;
	for (parser.line = 1; parser.line <= script->line_count; parser.line++)
		parse_line(&parser, script->lines[parser.line]);
	return true;
}

void script_free(struct script *script)
{
	for (struct kept *kept = script->pool, *next; kept; kept = next) {
		next = kept->next;
		free(kept);
	}
	free(script->statements);
	free(script->lines);
	free(script->text);
}
