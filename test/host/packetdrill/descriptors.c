/*
 * The tool closes what a script left open with the C library's close. So each descriptor that it
 * gets to see is one of the machine's, of /dev/null, and stands for one of the stack's.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "test/host/packetdrill/instance.h"
#include "test/host/services/host.h"

#define NUMBERS_MAX 1024

/* One more than the stack's descriptor, by the machine's; 0: none. Whoever is inside changes it. */
static int descriptors[NUMBERS_MAX];

int64_t descriptor_open(int64_t fd)
{
	if (fd < 0)
		return fd;
	int number = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (number < 0)
		return -errno;
	if (number >= NUMBERS_MAX) {
		close(number);
		return -EMFILE;
	}
	descriptors[number] = (int)fd + 1;
	return number;
}

int descriptor_find(int number)
{
	return number >= 0 && number < NUMBERS_MAX ? descriptors[number] - 1 : -1;
}

int descriptor_close(int number)
{
	int fd = descriptor_find(number);

	if (fd >= 0) {
		descriptors[number] = 0;
		close(number);
	}
	return fd;
}

/* The machine's are the tool's to close. */
void descriptor_forget_all(void)
{
	for (int number = 0; number < NUMBERS_MAX; number++)
		descriptors[number] = 0;
	host_close_all();
}
