/* IPv4 options (net/ipv4/ipv4_options.h). The input: up to 40 octets of them. */
#include "net/ipv4/ipv4_options.h"

#include "kernel/types.h"
#include "test/host/fuzz/fuzz.h"

/* What every later fragment carries: whole options, and the same for a fragment of a fragment. */
static void check_fragment(const uint8_t *bytes, size_t length, bool sound)
{
	uint8_t once[IP4_OPTIONS_MAX], twice[IP4_OPTIONS_MAX];
	struct ip4_options options;
	size_t used = ip4_options_for_fragment(bytes, length, once);

	CHECK(used % 4 == 0 && used <= ALIGN_UP(length, 4));
	CHECK(ip4_options_for_fragment(once, used, twice) == used);
	CHECK(memcmp(once, twice, used) == 0);
	if (sound)
		CHECK(ip4_options_parse(once, used, &options) == DROP_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ip4_options options;

	if (size > IP4_OPTIONS_MAX)
		return 0;

	enum drop_reason reason = ip4_options_parse(data, size, &options);

	CHECK(reason == DROP_NONE || reason == DROP_IP4_BAD_OPTION ||
	      reason == DROP_IP4_SOURCE_ROUTE);
	CHECK(reason != DROP_IP4_BAD_OPTION || options.bad_offset < size);
	check_fragment(data, size, reason == DROP_NONE);
	return 0;
}
