/* The programs that choose sockets: what is one, and what it lets through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/netlink/diag_filter.h"

#define PROGRAM_MAX 2048

static const struct endpoint local = {{AF_INET, {IP4(10, 0, 0, 1)}}, 80};
static const struct endpoint remote = {{AF_INET, {IP4(20, 0, 0, 1)}}, 40000};
static const struct diag_subject subject = {
	.local = &local, .remote = &remote, .ifindex = 2, .mark = 0x15, .port_chosen = false};

static uint8_t program[PROGRAM_MAX];
static size_t length;

static void step(uint8_t code, uint8_t yes, uint16_t no)
{
	const struct inet_diag_bc_op op = {.code = code, .yes = yes, .no = no};

	memcpy(program + length, &op, sizeof(op));
	length += sizeof(op);
}

static void argument(const void *bytes, size_t size)
{
	memcpy(program + length, bytes, size);
	length += size;
}

/* A comparison of a port, which leaves the program when it does not hold. */
static void port(uint8_t code, uint16_t number)
{
	step(code, 8, 12);
	step(0, 0, number);
}

static void host(uint8_t code, uint8_t prefix, int32_t number, const uint8_t address[4])
{
	const struct inet_diag_hostcond condition = {
		.family = AF_INET, .prefix_len = prefix, .port = number};

	step(code, 16, 20);
	argument(&condition, sizeof(condition));
	argument(address, 4);
}

static bool checked(void)
{
	uint8_t *copy = malloc(length ? length : 1);

	assert_non_null(copy);
	memcpy(copy, program, length);
	bool sound = diag_filter_check(copy, length);

	free(copy);
	return sound;
}

static bool passes(void)
{
	assert_true(checked());
	bool result = diag_filter_passes(program, length, &subject);

	length = 0;
	return result;
}

static void ports(void **state __unused)
{
	static const struct {
		uint8_t code;
		uint16_t number;
		bool passes;
	} cases[] = {
		{INET_DIAG_BC_S_EQ, 80, true},     {INET_DIAG_BC_S_EQ, 81, false},
		{INET_DIAG_BC_S_GE, 80, true},     {INET_DIAG_BC_S_GE, 81, false},
		{INET_DIAG_BC_S_LE, 80, true},     {INET_DIAG_BC_S_LE, 79, false},
		{INET_DIAG_BC_D_EQ, 40000, true},  {INET_DIAG_BC_D_EQ, 80, false},
		{INET_DIAG_BC_D_GE, 40001, false}, {INET_DIAG_BC_D_LE, 40001, true},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		port(cases[i].code, cases[i].number);
		assert_int_equal(passes(), cases[i].passes);
	}
}

static void hosts(void **state __unused)
{
	static const uint8_t ours[] = {10, 0, 0, 1}, near[] = {10, 0, 0, 99}, far[] = {10, 1, 0, 1};

	host(INET_DIAG_BC_S_COND, 32, -1, ours);
	assert_true(passes());
	host(INET_DIAG_BC_S_COND, 32, -1, near);
	assert_false(passes());
	host(INET_DIAG_BC_S_COND, 24, -1, near);
	assert_true(passes());
	host(INET_DIAG_BC_S_COND, 16, -1, far);
	assert_false(passes());
	host(INET_DIAG_BC_S_COND, 32, 80, ours);
	assert_true(passes());
	host(INET_DIAG_BC_S_COND, 32, 81, ours);
	assert_false(passes());
	host(INET_DIAG_BC_D_COND, 0, 40000, ours);
	assert_true(passes());
}

static void both_and_either(void **state __unused)
{
	port(INET_DIAG_BC_S_EQ, 80);
	memcpy(program + 2, &(uint16_t){8 + 8 + 4}, 2); /* past both */
	port(INET_DIAG_BC_D_EQ, 40000);
	assert_true(passes());
	/* The first, or (over its jump) the second. */
	step(INET_DIAG_BC_S_EQ, 8, 12);
	step(0, 0, 81);
	step(INET_DIAG_BC_JMP, 4, 12);
	port(INET_DIAG_BC_D_EQ, 40000);
	assert_true(passes());
}

static void device_mark_and_chosen_ports(void **state __unused)
{
	step(INET_DIAG_BC_DEV_COND, 8, 12);
	argument(&(uint32_t){2}, 4);
	assert_true(passes());
	step(INET_DIAG_BC_DEV_COND, 8, 12);
	argument(&(uint32_t){3}, 4);
	assert_false(passes());
	step(INET_DIAG_BC_MARK_COND, 12, 16);
	argument(&(struct inet_diag_markcond){.mark = 5, .mask = 0xf}, 8);
	assert_true(passes());
	step(INET_DIAG_BC_AUTO, 4, 8);
	assert_false(passes());
	step(INET_DIAG_BC_NOP, 4, 0);
	assert_true(passes());
}

static void what_is_no_program(void **state __unused)
{
	static const struct inet_diag_bc_op cases[] = {
		{INET_DIAG_BC_JMP, 4, 0},
		{INET_DIAG_BC_JMP, 4, 2},
		{INET_DIAG_BC_JMP, 4, 12},
		{INET_DIAG_BC_JMP, 4, 65532},
		{INET_DIAG_BC_JMP, 0, 4},
		{INET_DIAG_BC_JMP, 8, 4},
		{INET_DIAG_BC_JMP, 2, 4},
		{INET_DIAG_BC_S_EQ, 4, 8},
		{INET_DIAG_BC_S_COND, 12, 8},
		{INET_DIAG_BC_DEV_COND, 8, 4},
		{200, 4, 8},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		length = 0;
		step(cases[i].code, cases[i].yes, cases[i].no);
		assert_false(checked());
	}
	length = 0;
	assert_false(checked());
	/* A jump into an argument. */
	step(INET_DIAG_BC_JMP, 4, 8);
	port(INET_DIAG_BC_S_EQ, 80);
	assert_false(checked());
	/* Conditions that are cut, or of no family, or too precise. */
	static const uint8_t ours[] = {10, 0, 0, 1};

	for (size_t cut = 1; cut < 16; cut++) {
		length = 0;
		host(INET_DIAG_BC_S_COND, 32, -1, ours);
		length -= cut;
		assert_false(checked());
	}
	length = 0;
	host(INET_DIAG_BC_S_COND, 33, -1, ours);
	assert_false(checked());
	length = 0;
	host(INET_DIAG_BC_S_COND, 32, -1, ours);
	program[4] = 77;
	assert_false(checked());
}

static void a_program_has_a_longest_length(void **state __unused)
{
	length = 0;
	while (length < 1024)
		step(INET_DIAG_BC_NOP, 4, 0);
	assert_true(passes());
	while (length < 1028)
		step(INET_DIAG_BC_NOP, 4, 0);
	assert_false(checked());
	length = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports),
		cmocka_unit_test(hosts),
		cmocka_unit_test(both_and_either),
		cmocka_unit_test(device_mark_and_chosen_ports),
		cmocka_unit_test(what_is_no_program),
		cmocka_unit_test(a_program_has_a_longest_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
