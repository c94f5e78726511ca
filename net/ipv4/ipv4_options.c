/* IPv4 options: a walk that trusts no length (RFC 791 3.1). */
#include "net/ipv4/ipv4_options.h"

#include "kernel/string.h"

#define OPTION_COPIED 0x80

/* Pointers count from 1 and begin behind type, length and pointer (and the timestamp's flags). */
static enum drop_reason check_option(const uint8_t *option, size_t length, size_t at,
				     struct ip4_options *options)
{
	switch (option[0]) {
	case IP4_OPTION_LSRR:
	case IP4_OPTION_SSRR:
		return DROP_IP4_SOURCE_ROUTE;
	case IP4_OPTION_RECORD_ROUTE:
		if (length >= 3 && option[2] >= 4)
			return DROP_NONE;
		break;
	case IP4_OPTION_TIMESTAMP:
		if (length >= 4 && option[2] >= 5)
			return DROP_NONE;
		break;
	case IP4_OPTION_ROUTER_ALERT:
		options->router_alert = true;
		if (length == 4)
			return DROP_NONE;
		break;
	default:
		return DROP_NONE; /* unknown options are ignored: RFC 1122 3.2.1.8 */
	}
	options->bad_offset = (uint8_t)(at + (length >= 3 ? 2 : 1));
	return DROP_IP4_BAD_OPTION;
}

enum drop_reason ip4_options_parse(const uint8_t *bytes, size_t length, struct ip4_options *options)
{
	size_t at = 0;

	*options = (struct ip4_options){0};
	while (at < length && bytes[at] != IP4_OPTION_END) {
		if (bytes[at] == IP4_OPTION_NOP) {
			at++;
			continue;
		}

		size_t option_length = at + 1 < length ? bytes[at + 1] : 0;

		if (option_length < 2 || option_length > length - at) {
			options->bad_offset = (uint8_t)at;
			return DROP_IP4_BAD_OPTION;
		}

		enum drop_reason reason = check_option(bytes + at, option_length, at, options);

		if (reason != DROP_NONE)
			return reason;
		at += option_length;
	}
	return DROP_NONE;
}

size_t ip4_options_for_fragment(const uint8_t *bytes, size_t length, uint8_t *to)
{
	size_t at = 0, used = 0;

	while (at < length && bytes[at] != IP4_OPTION_END) {
		if (bytes[at] == IP4_OPTION_NOP) {
			at++;
			continue;
		}

		size_t option_length = at + 1 < length ? bytes[at + 1] : 0;

		if (option_length < 2 || option_length > length - at)
			break;
		if (bytes[at] & OPTION_COPIED) {
			memcpy(to + used, bytes + at, option_length);
			used += option_length;
		}
		at += option_length;
	}
	while (used % 4)
		to[used++] = IP4_OPTION_END;
	return used;
}
