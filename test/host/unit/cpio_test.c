/*
 * The newc parser: members as they should be, and every way in which an archive can be cut or
 * wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/fs/cpio.h"

struct archive {
	uint8_t bytes[4096];
	size_t size;
};

static void append(struct archive *archive, const void *bytes, size_t n)
{
	assert_true(archive->size + n <= sizeof(archive->bytes));
	memcpy(archive->bytes + archive->size, bytes, n);
	archive->size += n;
}

static void pad(struct archive *archive)
{
	while (archive->size % 4)
		append(archive, "", 1);
}

static void add_sized(struct archive *archive, const char *name, unsigned mode, const char *data,
		      unsigned name_size, unsigned data_size)
{
	char header[111];
	snprintf(header, sizeof(header),
		 "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 7u, mode, 1u, 2u, 1u,
		 1000u, data_size, 0u, 0u, 5u, 1u, name_size, 0u);
	append(archive, header, 110);
	append(archive, name, strlen(name) + 1);
	pad(archive);
	append(archive, data, strlen(data));
	pad(archive);
}

static void add(struct archive *archive, const char *name, unsigned mode, const char *data)
{
	add_sized(archive, name, mode, data, (unsigned)strlen(name) + 1, (unsigned)strlen(data));
}

/* Parses a copy without a byte to spare, so that the sanitizer sees a read beyond the end. */
static enum cpio_result parse(const struct archive *archive, size_t size, unsigned *members,
			      const char **reason)
{
	uint8_t *exact = malloc(size ? size : 1);
	uint64_t offset = 0;
	struct cpio_member member;
	enum cpio_result result;
	memcpy(exact, archive->bytes, size);
	*members = 0;
	*reason = NULL;
	while ((result = cpio_next(exact, size, &offset, &member, reason)) == CPIO_MEMBER) {
		size_t touched = strlen(member.name);
		for (uint64_t i = 0; i < member.size; i++)
			touched += member.data[i];
		assert_true(touched < SIZE_MAX);
		(*members)++;
	}
	assert_true(offset <= size);
	free(exact);
	return result;
}

static void expect_invalid(const struct archive *archive, const char *expected)
{
	unsigned members;
	const char *reason;
	assert_int_equal(parse(archive, archive->size, &members, &reason), CPIO_INVALID);
	assert_string_equal(reason, expected);
}

static void a_member_has_all_its_fields(void **state)
{
	struct archive archive = {.size = 0};
	struct cpio_member member;
	const char *reason;
	uint64_t offset = 0;
	(void)state;
	add(&archive, "bin/file", 0100755, "hello");
	assert_int_equal(cpio_next(archive.bytes, archive.size, &offset, &member, &reason),
			 CPIO_MEMBER);
	assert_string_equal(member.name, "bin/file");
	assert_int_equal(member.mode, 0100755);
	assert_int_equal(member.uid, 1);
	assert_int_equal(member.gid, 2);
	assert_int_equal(member.links, 1);
	assert_int_equal(member.inode_number, 7);
	assert_int_equal(member.mtime, 1000);
	assert_int_equal(member.device_major, 5);
	assert_int_equal(member.device_minor, 1);
	assert_int_equal(member.size, 5);
	assert_memory_equal(member.data, "hello", 5);
	assert_int_equal(offset, archive.size);
	assert_int_equal(cpio_next(archive.bytes, archive.size, &offset, &member, &reason),
			 CPIO_END);
}

static void archives_may_be_concatenated(void **state)
{
	struct archive archive = {.size = 0};
	unsigned members;
	const char *reason;
	(void)state;
	add(&archive, "a", 0100644, "1");
	add(&archive, "TRAILER!!!", 0, "");
	for (int i = 0; i < 400; i++)
		append(&archive, "", 1);
	add(&archive, "b", 0100644, "22");
	add(&archive, "c", 0040755, "");
	add(&archive, "TRAILER!!!", 0, "");
	for (int i = 0; i < 13; i++)
		append(&archive, "", 1);
	assert_int_equal(parse(&archive, archive.size, &members, &reason), CPIO_END);
	assert_int_equal(members, 3);
}

static void an_empty_archive_is_no_error(void **state)
{
	struct archive archive = {.size = 0};
	unsigned members;
	const char *reason;
	(void)state;
	assert_int_equal(parse(&archive, 0, &members, &reason), CPIO_END);
	assert_int_equal(parse(&archive, 512, &members, &reason), CPIO_END);
}

static void every_cut_is_noticed(void **state)
{
	struct archive archive = {.size = 0};
	unsigned members;
	const char *reason;
	(void)state;
	add(&archive, "some/name", 0100644, "some data");
	size_t end_of_data = archive.size - 3; /* three bytes of padding */
	for (size_t size = 1; size < end_of_data; size++)
		assert_int_equal(parse(&archive, size, &members, &reason), CPIO_INVALID);
	for (size_t size = end_of_data; size <= archive.size; size++)
		assert_int_equal(parse(&archive, size, &members, &reason), CPIO_END);
}

static void wrong_fields_are_refused(void **state)
{
	struct archive archive = {.size = 0};
	(void)state;
	add(&archive, "name", 0100644, "data");
	archive.bytes[3] = '9';
	expect_invalid(&archive, "no newc magic number");
	archive.bytes[3] = '7';
	archive.bytes[20] = 'g';
	expect_invalid(&archive, "header field is no hexadecimal number");
}

static void impossible_lengths_are_refused(void **state)
{
	struct archive archive = {.size = 0};
	(void)state;
	add_sized(&archive, "name", 0100644, "data", 0, 4);
	expect_invalid(&archive, "name of impossible length");
	archive.size = 0;
	add_sized(&archive, "name", 0100644, "data", 0xffffffff, 4);
	expect_invalid(&archive, "name of impossible length");
	archive.size = 0;
	add_sized(&archive, "name", 0100644, "data", 1000, 4);
	expect_invalid(&archive, "name cut short");
	archive.size = 0;
	add_sized(&archive, "name", 0100644, "data", 4, 4);
	expect_invalid(&archive, "name without an end");
	archive.size = 0;
	add_sized(&archive, "name", 0100644, "data", 5, 0xffffffff);
	expect_invalid(&archive, "data cut short");
	archive.size = 0;
	add_sized(&archive, "name", 0100644, "data", 5, 5);
	expect_invalid(&archive, "data cut short");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_member_has_all_its_fields),
		cmocka_unit_test(archives_may_be_concatenated),
		cmocka_unit_test(an_empty_archive_is_no_error),
		cmocka_unit_test(every_cut_is_noticed),
		cmocka_unit_test(wrong_fields_are_refused),
		cmocka_unit_test(impossible_lengths_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
