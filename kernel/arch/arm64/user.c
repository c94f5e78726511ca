/*
 * kernel/user.h: the checks around user_copy.S.
 */
#include "kernel/user.h"
#include "kernel/errno.h"
#include "kernel/mm/vm.h"

/* user_copy.S */
int user_copy_in(void *to, user_addr_t from, size_t n);
int user_copy_out(user_addr_t to, const void *from, size_t n);
int user_clear(user_addr_t to, size_t n);
int64_t user_copy_string(char *to, user_addr_t from, size_t n);

static bool range_is_users(user_addr_t start, size_t n)
{
	return start < USER_ADDRESS_END && n <= USER_ADDRESS_END - start;
}

int copy_from_user(void *to, user_addr_t from, size_t n)
{
	if (n == 0)
		return 0;
	return range_is_users(from, n) ? user_copy_in(to, from, n) : -EFAULT;
}

int copy_to_user(user_addr_t to, const void *from, size_t n)
{
	if (n == 0)
		return 0;
	return range_is_users(to, n) ? user_copy_out(to, from, n) : -EFAULT;
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
