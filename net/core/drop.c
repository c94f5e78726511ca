/* Names of the reasons for which packets are discarded. */
#include "net/core/drop.h"

static const char *const names[DROP_REASON_COUNT] = {[DROP_NONE] = "NONE",
#define DROP_NAME(name) [DROP_##name] = #name,
						     DROP_REASONS(DROP_NAME)
#undef DROP_NAME
};

const char *drop_reason_name(enum drop_reason reason)
{
	return names[reason];
}
