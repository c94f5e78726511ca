/*
 * kernel/user.h: the checks around user_copy.S.
 */
#include "kernel/user.h"
#include "kernel/arch/arm64/cpu.h"
#include "kernel/errno.h"
#include "kernel/mm/vm.h"
#include "kernel/vector.h"

/* user_copy.S */
int user_copy_in(void *to, user_addr_t from, size_t n);
int user_copy_out(user_addr_t to, const void *from, size_t n);
int user_clear(user_addr_t to, size_t n);
int64_t user_copy_string(char *to, user_addr_t from, size_t n);

static bool range_is_users(user_addr_t start, size_t n)
{
	return start < USER_ADDRESS_END && n <= USER_ADDRESS_END - start;
}

/*
 * Long copies go page by page. The first bytes of a page are copied with the process's own rights,
 * which also brings the page in. Nothing takes it away before the rest has been copied, with the
 * widest accesses there are: nobody else runs meanwhile.
 */
#define PAGE_COPY_MIN 256 /* bytes in one page */
#define PROBE 8

static size_t rest_of_page(user_addr_t address, size_t n)
{
	return MIN(n, PAGE_SIZE - address % PAGE_SIZE);
}

static void *user_pointer(user_addr_t address)
{
	return (void *)address; /* NOLINT(performance-no-int-to-ptr) */
}

static int copy_page_in(void *to, user_addr_t from, size_t n)
{
	if (user_copy_in(to, from, PROBE))
		return -EFAULT;
	cpu_allow_user_access();
	vector_copy(to, user_pointer(from), n);
	cpu_forbid_user_access();
	return 0;
}

static int copy_page_out(user_addr_t to, const void *from, size_t n)
{
	if (user_copy_out(to, from, PROBE))
		return -EFAULT;
	cpu_allow_user_access();
	vector_copy(user_pointer(to), from, n);
	cpu_forbid_user_access();
	return 0;
}

int copy_from_user(void *to, user_addr_t from, size_t n)
{
	char *bytes = to;

	if (n == 0)
		return 0;
	if (!range_is_users(from, n))
		return -EFAULT;
	while (n >= PAGE_COPY_MIN) {
		size_t part = rest_of_page(from, n);
		int error = part < PAGE_COPY_MIN ? user_copy_in(bytes, from, part)
						 : copy_page_in(bytes, from, part);

		if (error)
			return error;
		bytes += part;
		from += part;
		n -= part;
	}
	return user_copy_in(bytes, from, n);
}

int copy_to_user(user_addr_t to, const void *from, size_t n)
{
	const char *bytes = from;

	if (n == 0)
		return 0;
	if (!range_is_users(to, n))
		return -EFAULT;
	while (n >= PAGE_COPY_MIN) {
		size_t part = rest_of_page(to, n);
		int error = part < PAGE_COPY_MIN ? user_copy_out(to, bytes, part)
						 : copy_page_out(to, bytes, part);

		if (error)
			return error;
		bytes += part;
		to += part;
		n -= part;
	}
	return user_copy_out(to, bytes, n);
}

int clear_user(user_addr_t to, size_t n)
{
	if (n == 0)
		return 0;
	return range_is_users(to, n) ? user_clear(to, n) : -EFAULT;
}

int64_t copy_string_from_user(char *to, user_addr_t from, size_t size)
{
	if (size == 0 || from >= USER_ADDRESS_END)
		return -EFAULT;
	size_t limit = MIN(size, USER_ADDRESS_END - from);
	int64_t length = user_copy_string(to, from, limit);
	if (length < (int64_t)limit)
		return length;
	return limit < size ? -EFAULT : -ENAMETOOLONG;
}
