/*
 * The cursor over scattered memory. On the host a process's memory is the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "include/uapi/uio.h"
#include "kernel/errno.h"
#include "kernel/iov.h"

static user_addr_t address(const void *pointer)
{
	return (user_addr_t)(uintptr_t)pointer;
}

static void pieces_are_read_as_one(void **state)
{
	char a[] = "ab", b[] = "cdef", got[8] = "";
	struct iovec vectors[] = {{address(a), 2}, {address(a), 0}, {address(b), 4}};
	struct iov iov;
	(void)state;
	assert_int_equal(iov_from_user(&iov, address(vectors), 3), 0);
	assert_int_equal(iov.remaining, 6);
	assert_int_equal(iov_copy_from(&iov, got, 3), 0);
	assert_string_equal(got, "abc");
	iov_skip(&iov, 1);
	assert_int_equal(iov_copy_from(&iov, got, 2), 0);
	assert_memory_equal(got, "ef", 2);
	assert_int_equal(iov.remaining, 0);
	iov_release(&iov);
}

static void pieces_are_written_as_one(void **state)
{
	char a[3] = "xx", b[3] = "xx";
	struct iovec vectors[] = {{address(a), 2}, {address(b), 2}};
	struct iov iov;
	(void)state;
	assert_int_equal(iov_from_user(&iov, address(vectors), 2), 0);
	assert_int_equal(iov_copy_to(&iov, "123", 3), 0);
	assert_int_equal(iov_clear(&iov, 1), 0);
	assert_string_equal(a, "12");
	assert_string_equal(b, "3");
	iov_release(&iov);
}

static void kernel_memory_is_one_piece(void **state)
{
	char bytes[4] = "abc", got[4] = "";
	struct iov iov;
	(void)state;
	iov_init_kernel(&iov, bytes, 3);
	assert_int_equal(iov_copy_from(&iov, got, 3), 0);
	assert_string_equal(got, "abc");
	iov_init_kernel(&iov, bytes, 3);
	assert_int_equal(iov_copy_to(&iov, "xyz", 3), 0);
	assert_string_equal(bytes, "xyz");
}

static void bad_addresses_are_refused(void **state)
{
	char got[4];
	struct iov iov;
	(void)state;
	iov_init_user(&iov, 8, 4);
	assert_int_equal(iov_copy_from(&iov, got, 4), -EFAULT);
	assert_int_equal(iov_copy_to(&iov, got, 4), -EFAULT);
	assert_int_equal(iov_clear(&iov, 4), -EFAULT);
	assert_int_equal(iov.remaining, 4);
	assert_int_equal(iov_from_user(&iov, 8, 1), -EFAULT);
}

static void counts_and_lengths_are_limited(void **state)
{
	struct iovec vectors[] = {{0, 1ull << 40}, {0, 1}};
	struct iov iov;
	(void)state;
	assert_int_equal(iov_from_user(&iov, address(vectors), IOV_MAX_SEGMENTS + 1), -EINVAL);
	assert_int_equal(iov_from_user(&iov, address(vectors), 0), 0);
	assert_int_equal(iov.remaining, 0);
	assert_int_equal(iov_from_user(&iov, address(vectors), 2), 0);
	assert_int_equal(iov.remaining, 0x7ffff000);
	iov_release(&iov);
	vectors[1].iov_len = UINT64_MAX;
	assert_int_equal(iov_from_user(&iov, address(vectors), 2), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_read_as_one),
		cmocka_unit_test(pieces_are_written_as_one),
		cmocka_unit_test(kernel_memory_is_one_piece),
		cmocka_unit_test(bad_addresses_are_refused),
		cmocka_unit_test(counts_and_lengths_are_limited),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
