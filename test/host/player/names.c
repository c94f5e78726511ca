#include <string.h>

#include "include/uapi/sockios.h"
#include "kernel/errno.h"
#include "test/host/player/private.h"

struct name {
	const char *text;
	int64_t value;
};

#define NAME(constant)              \
	{                           \
#constant, constant \
	}

static const struct name errors[] = {
	NAME(EAGAIN),      NAME(EINPROGRESS),  NAME(EALREADY),      NAME(EISCONN),
	NAME(ENOTCONN),    NAME(ECONNREFUSED), NAME(ECONNRESET),    NAME(ECONNABORTED),
	NAME(ETIMEDOUT),   NAME(EHOSTUNREACH), NAME(ENETUNREACH),   NAME(EPIPE),
	NAME(EINVAL),      NAME(EADDRINUSE),   NAME(EADDRNOTAVAIL), NAME(EINTR),
	NAME(ERESTARTSYS), NAME(ENOPROTOOPT),  NAME(EOPNOTSUPP),    NAME(EMSGSIZE),
	NAME(EPROTO),      NAME(ENOBUFS),      NAME(ENOMEM),        NAME(EDESTADDRREQ),
};

static const struct name flags[] = {
	NAME(MSG_OOB),     NAME(MSG_PEEK),     NAME(MSG_TRUNC), NAME(MSG_DONTWAIT),
	NAME(MSG_WAITALL), NAME(MSG_NOSIGNAL), NAME(MSG_MORE),  NAME(MSG_FASTOPEN),
	NAME(SHUT_RD),     NAME(SHUT_WR),      NAME(SHUT_RDWR), NAME(POLLIN),
	NAME(POLLOUT),     NAME(POLLPRI),      NAME(POLLERR),   NAME(POLLHUP),
	NAME(POLLRDHUP),   NAME(SIOCINQ),      NAME(SIOCOUTQ),  NAME(SIOCOUTQNSD),
	NAME(SIOCATMARK),
};

static int64_t find(const struct name *names, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(names[i].text, text) == 0)
			return names[i].value;
	}
	return -1;
}

int64_t name_of_error(const char *name)
{
	return find(errors, ARRAY_SIZE(errors), name);
}

int64_t name_of_flag(const char *name)
{
	return find(flags, ARRAY_SIZE(flags), name);
}

const char *error_name(int64_t error)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		if (errors[i].value == error)
			return errors[i].text;
	}
	return "?";
}
