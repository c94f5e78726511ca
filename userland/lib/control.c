#define _GNU_SOURCE 1
#include "userland/lib/control.h"

#include <netinet/in.h>
#include <string.h>

/* musl's CMSG_NXTHDR compares a signed with an unsigned number. */
#pragma GCC diagnostic ignored "-Wsign-compare"

bool control_read(struct msghdr *message, int type, void *value, size_t size)
{
	for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control;
	     control = CMSG_NXTHDR(message, control)) {
		if (control->cmsg_level != IPPROTO_IP || control->cmsg_type != type ||
		    control->cmsg_len < CMSG_LEN(size))
			continue;
		memcpy(value, CMSG_DATA(control), size);
		return true;
	}
	return false;
}
