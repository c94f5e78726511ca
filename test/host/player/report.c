/* What a script that fails says: where, what, and what went before. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel/clock.h"
#include "test/host/player/private.h"

double player_in_ms(int64_t us)
{
	return (double)us / (double)USEC_PER_MSEC;
}

void player_note(struct player *player, const char *arrow, const char *text)
{
	char *line = player->recent[player->events++ % PLAYER_TRACE_LINES];

	snprintf(line, sizeof(player->recent[0]), "%12.3f  %s%s%s",
		 player_in_ms(player_time_us(player)), arrow, *arrow ? " " : "", text);
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
			    player_in_ms(player_time_us(player)));
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
