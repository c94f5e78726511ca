#include "test/host/player/segment.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "net/tcp/tcp_wire.h"

#define TEXT_SHOWN_MAX 32 /* bytes of data that a report shows */
#define TIMESTAMP_SLACK 1 /* milliseconds */

const struct segment_option *segment_find_option(const struct segment *segment, uint16_t kind)
{
	for (uint32_t i = 0; i < segment->option_count; i++) {
		if (segment->options[i].kind == kind)
			return &segment->options[i];
	}
	return NULL;
}

/* ---- Printing ---- */

struct printer {
	char *to;
	size_t used;
};

static __printf(2, 3) void put(struct printer *printer, const char *format, ...)
{
	size_t room = SEGMENT_TEXT_MAX - printer->used;
	va_list arguments;

	va_start(arguments, format);
	int length = vsnprintf(printer->to + printer->used, room, format, arguments);

	va_end(arguments);
	printer->used += (size_t)length < room ? (size_t)length : room - 1;
}

static void put_hex(struct printer *printer, const struct segment_option *option)
{
	put(printer, option->length ? " 0x" : "");
	for (uint32_t i = 0; i < option->length; i++)
		put(printer, "%02x", option->bytes[i]);
}

static void put_option(struct printer *printer, const struct segment_option *option)
{
	const char *name = NULL;

	switch (option->kind) {
	case OPTION_MSS:
		name = "mss";
		break;
	case OPTION_WINDOW_SCALE:
		name = "wscale";
		break;
	case OPTION_SACK_PERMITTED:
		name = "sackOK";
		break;
	case OPTION_SACK:
		name = "sack";
		break;
	case OPTION_TIMESTAMPS:
		name = "ts";
		break;
	case OPTION_NO_TIMESTAMPS:
		name = "no-ts";
		break;
	case OPTION_FASTOPEN:
		name = option->any ? "fastopen cookie" : "fastopen";
		break;
	default:
		name = "raw";
		break;
	}
	put(printer, "%s", name);
	for (uint32_t i = 0; i < option->count; i++)
		put(printer, "%c%lld", option->kind == OPTION_SACK && i % 2 ? ':' : ' ',
		    (long long)option->numbers[i]);
	put_hex(printer, option);
}

static void put_options(struct printer *printer, const struct segment *segment)
{
	if (!(segment->named & NAMED_OPTIONS) || !segment->option_count)
		return;
	for (uint32_t i = 0; i < segment->option_count; i++) {
		put(printer, i ? ", " : " <");
		put_option(printer, &segment->options[i]);
	}
	put(printer, ">");
}

static void put_data(struct printer *printer, const struct segment *segment)
{
	if (!segment->data || !segment->length || segment->length > TEXT_SHOWN_MAX)
		return;
	for (uint32_t i = 0; i < segment->length; i++) {
		if (!isprint(segment->data[i]))
			return;
	}
	put(printer, " \"%.*s\"", (int)segment->length, (const char *)segment->data);
}

/* Behind a SYN, the data begin with the number after its own. */
static void put_range(struct printer *printer, const struct segment *segment)
{
	uint32_t start = segment->seq + (segment->flags & TCP_SYN ? 1 : 0);

	if (segment->length && segment->named & NAMED_SEQ)
		put(printer, " %d:%d", (int32_t)start, (int32_t)(start + segment->length));
}

static void put_flags(struct printer *printer, const struct segment *segment)
{
	static const struct {
		uint8_t flag;
		const char *name;
	} flags[] = {
		{TCP_SYN, "SYN"}, {TCP_FIN, "FIN"}, {TCP_RST, "RST"},
		{TCP_ECE, "ECE"}, {TCP_CWR, "CWR"}, {TCP_PSH, "PSH"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (segment->flags & flags[i].flag)
			put(printer, " %s", flags[i].name);
	}
	if (segment->flags & TCP_URG)
		put(printer, " URG %u", segment->urgent);
	if (!(segment->flags & (TCP_ACK | TCP_SYN | TCP_RST)))
		put(printer, " no-ACK");
	if (segment->flags & TCP_ACK)
		put(printer, " ACK");
	if (segment->flags & TCP_ACK && segment->named & NAMED_ACK)
		put(printer, " %d", (int32_t)segment->ack);
}

void segment_print(const struct segment *segment, char *to)
{
	static const char *const codepoints[] = {"not-ECT", "ECT1", "ECT0", "CE"};
	struct printer printer = {.to = to};

	to[0] = '\0';
	put_range(&printer, segment);
	put_flags(&printer, segment);
	if (!segment->length && segment->named & NAMED_SEQ)
		put(&printer, " SEQ %d", (int32_t)segment->seq);
	if (segment->named & NAMED_WINDOW)
		put(&printer, " win %u", segment->window);
	put_options(&printer, segment);
	put_data(&printer, segment);
	if (segment->named & NAMED_ECN && segment->ecn)
		put(&printer, " %s", codepoints[segment->ecn & 3]);
	memmove(to, to + (to[0] == ' '), strlen(to) + (to[0] != ' '));
}

/* ---- Comparing ---- */

static bool timestamps_match(const struct segment_option *expected,
			     const struct segment_option *got)
{
	for (uint32_t i = 0; i < expected->count; i++) {
		int64_t apart = expected->numbers[i] - got->numbers[i];

		if (apart > TIMESTAMP_SLACK || apart < -TIMESTAMP_SLACK)
			return false;
	}
	return true;
}

static bool option_matches(const struct segment_option *expected, const struct segment_option *got)
{
	if (expected->any)
		return true;
	if (expected->kind == OPTION_TIMESTAMPS)
		return timestamps_match(expected, got);
	return expected->count == got->count && expected->length == got->length &&
	       memcmp(expected->numbers, got->numbers, expected->count * sizeof(int64_t)) == 0 &&
	       memcmp(expected->bytes, got->bytes, expected->length) == 0;
}

/* Without <...>, SACK blocks must not be there; with it, only timestamps may be left out. */
static const char *compare_options(const struct segment *expected, const struct segment *got)
{
	bool is_syn = got->flags & TCP_SYN;

	if (!(expected->named & NAMED_OPTIONS))
		return !is_syn && segment_find_option(got, OPTION_SACK) ? "it has SACK blocks"
									: NULL;
	for (uint32_t i = 0; i < expected->option_count; i++) {
		const struct segment_option *wanted = &expected->options[i];
		const struct segment_option *there = segment_find_option(got, wanted->kind);

		if (wanted->kind == OPTION_NO_TIMESTAMPS) {
			if (segment_find_option(got, OPTION_TIMESTAMPS))
				return "it has timestamps";
		} else if (!there || !option_matches(wanted, there)) {
			return "an option differs";
		}
	}
	for (uint32_t i = 0; i < got->option_count; i++) {
		uint16_t kind = got->options[i].kind;

		if (!segment_find_option(expected, kind) && (is_syn || kind != OPTION_TIMESTAMPS))
			return "it has one option more";
	}
	return NULL;
}

static const char *compare_flags(const struct segment *expected, const struct segment *got)
{
	uint8_t ignored = expected->named & NAMED_PUSH ? 0 : TCP_PSH;

	if ((expected->flags | ignored) != (got->flags | ignored))
		return "the flags differ";
	return got->flags & TCP_URG && expected->urgent != got->urgent
		       ? "the urgent pointer differs"
		       : NULL;
}

static const char *compare_ip(const struct segment *expected, const struct segment *got)
{
	if (expected->named & NAMED_ECN && expected->ecn != got->ecn)
		return "the ECN bits of the IP header differ";
	if (expected->named & NAMED_DONT_FRAGMENT && expected->dont_fragment != got->dont_fragment)
		return "the DF bit of the IP header differs";
	return NULL;
}

const char *segment_compare(const struct segment *expected, const struct segment *got)
{
	const char *difference = compare_flags(expected, got);

	if (difference)
		return difference;
	if (expected->named & NAMED_SEQ && expected->seq != got->seq)
		return "the sequence number differs";
	if (expected->length != got->length)
		return "the length differs";
	if (expected->named & NAMED_ACK && expected->ack != got->ack)
		return "the acknowledgement differs";
	if (expected->named & NAMED_WINDOW && expected->window != got->window)
		return "the window differs";
	if (expected->data && memcmp(expected->data, got->data, expected->length) != 0)
		return "the data differ";
	difference = compare_options(expected, got);
	return difference ? difference : compare_ip(expected, got);
}
