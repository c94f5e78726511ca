/*
 * IGMP: joins, leaves, queries of three versions, the fallback to an older one; malformed messages.
 */
#include "test/host/unit/ip4_fixture.h"

#include <string.h>

#include "kernel/byteorder.h"
#include "net/core/checksum.h"
#include "net/ipv4/igmp.h"
#include "net/ipv4/igmp_report.h"

static struct fixture f;
static uint8_t packet[2000];

static int setup(void **state __unused)
{
	ip4_fixture_init(&f);
	return 0;
}

static int teardown(void **state __unused)
{
	ip4_fixture_destroy(&f);
	return 0;
}

static void join(ip4_t group)
{
	net_lock(&f.net);
	assert_int_equal(igmp_join(&f.dev, group), 0);
	net_unlock(&f.net);
}

static void leave(ip4_t group)
{
	net_lock(&f.net);
	igmp_leave(&f.dev, group);
	net_unlock(&f.net);
}

static bool is_member(ip4_t group)
{
	net_lock(&f.net);
	bool member = igmp_is_member(&f.dev, group);

	net_unlock(&f.net);
	return member;
}

static void arrives(const uint8_t *message, size_t n, ip4_t destination, uint8_t ttl)
{
	const struct ip4_spec spec = {
		.protocol = IPPROTO_IGMP, .destination = destination, .ttl = ttl};

	ip4_arrives(&f, packet, ip4_make(packet, &spec, message, n));
}

static void fix(uint8_t *message, size_t n)
{
	put_be16(message + 2, 0);
	be16 checksum = checksum_fold(checksum_add(message, n, 0));

	memcpy(message + 2, &checksum, 2);
}

/* `code` in tenths of a second; 8 bytes, or 12 for version 3. */
static void query(uint8_t code, ip4_t group, size_t n)
{
	uint8_t message[12] = {IGMP_QUERY, code};

	put_be32(message + 4, group);
	fix(message, n);
	arrives(message, n, group ? group : IGMP_ALL_HOSTS, 1);
}

/*
 * The i-th message sent: its type; for a version 3 report, the type and group of its n-th record.
 */
static const uint8_t *sent(uint32_t i, ip4_t destination)
{
	struct ip4_header header;
	const uint8_t *bytes = ip4_sent(&f, i, &header);

	assert_int_equal(header.protocol, IPPROTO_IGMP);
	assert_int_equal(header.ttl, 1);
	assert_int_equal(header.header_length, 24); /* router alert */
	assert_int_equal(bytes[20], 148);
	assert_int_equal(header.destination, destination);
	assert_int_equal(header.source, OURS);
	assert_int_equal(checksum_fold(checksum_add(bytes + 24, header.total_length - 24u, 0)).raw,
			 0);
	return bytes + 24;
}

static void assert_record(uint32_t i, enum igmp_record_type type, ip4_t group)
{
	const uint8_t *report = sent(i, IGMP_V3_ROUTERS);

	assert_int_equal(report[0], IGMP_V3_REPORT);
	assert_int_equal(get_be16(report + 6), 1);
	assert_int_equal(report[8], type);
	assert_int_equal(get_be32(report + 12), group);
}

static void test_join_and_leave_are_told_twice(void **state __unused)
{
	static const struct mac group_mac = {{0x01, 0x00, 0x5e, 1, 2, 3}};

	join(GROUP);
	assert_true(is_member(GROUP));
	assert_true(mac_equal(igmp_group_mac(GROUP), group_mac));
	assert_int_equal(f.sent_count, 1);
	fixture_advance(&f, 2 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 2);
	assert_record(0, IGMP_CHANGE_TO_EXCLUDE, GROUP);
	assert_record(1, IGMP_CHANGE_TO_EXCLUDE, GROUP);
	leave(GROUP);
	assert_false(is_member(GROUP));
	fixture_advance(&f, 60 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 4);
	assert_record(2, IGMP_CHANGE_TO_INCLUDE, GROUP);
	assert_record(3, IGMP_CHANGE_TO_INCLUDE, GROUP);
}

static void test_joins_are_counted(void **state __unused)
{
	join(GROUP);
	join(GROUP);
	fixture_advance(&f, 5 * USEC_PER_SEC);
	fixture_clear_sent(&f);
	leave(GROUP);
	assert_true(is_member(GROUP));
	assert_int_equal(f.sent_count, 0);
	leave(GROUP);
	leave(GROUP); /* one too many does no harm */
	assert_false(is_member(GROUP));
	assert_int_equal(f.sent_count, 1);
}

static void test_join_again_while_leaving(void **state __unused)
{
	join(GROUP);
	fixture_advance(&f, 5 * USEC_PER_SEC);
	leave(GROUP);
	join(GROUP);
	fixture_clear_sent(&f);
	fixture_advance(&f, 5 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 1);
	assert_record(0, IGMP_CHANGE_TO_EXCLUDE, GROUP);
	assert_true(is_member(GROUP));
}

static void test_all_hosts_is_never_reported(void **state __unused)
{
	join(IGMP_ALL_HOSTS);
	assert_int_equal(f.sent_count, 0);
	query(10, 0, 12);
	fixture_advance(&f, 2 * USEC_PER_SEC);
	query(10, 0, 8);
	fixture_advance(&f, 2 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 0);
	leave(IGMP_ALL_HOSTS);
	assert_true(is_member(IGMP_ALL_HOSTS));
}

static void test_version_3_general_query(void **state __unused)
{
	join(GROUP);
	join(GROUP + 1);
	fixture_advance(&f, 5 * USEC_PER_SEC);
	fixture_clear_sent(&f);
	query(100, 0, 12);
	assert_int_equal(f.sent_count, 0); /* not at once */
	fixture_advance(&f, 10 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 1);
	const uint8_t *report = sent(0, IGMP_V3_ROUTERS);

	assert_int_equal(get_be16(report + 6), 2);
	assert_int_equal(report[8], IGMP_MODE_IS_EXCLUDE);
	assert_int_equal(report[16], IGMP_MODE_IS_EXCLUDE);
}

static void test_version_3_group_query(void **state __unused)
{
	join(GROUP);
	fixture_advance(&f, 5 * USEC_PER_SEC);
	fixture_clear_sent(&f);
	query(10, GROUP, 12);
	query(10, GROUP + 1, 12); /* not ours */
	fixture_advance(&f, 2 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 1);
	assert_record(0, IGMP_MODE_IS_EXCLUDE, GROUP);
}

/* About a group that is not ours, in a packet that is for everybody. */
static void test_query_about_another_group(void **state __unused)
{
	uint8_t message[12] = {IGMP_QUERY, 10};

	join(GROUP);
	fixture_advance(&f, 5 * USEC_PER_SEC);
	fixture_clear_sent(&f);
	put_be32(message + 4, GROUP + 1);
	fix(message, sizeof(message));
	arrives(message, sizeof(message), IGMP_ALL_HOSTS, 1);
	fixture_advance(&f, 2 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 0);
	assert_still_answers(&f);
}

static void test_version_2_querier(void **state __unused)
{
	query(10, 0, 8);
	join(GROUP);
	assert_int_equal(sent(0, GROUP)[0], IGMP_V2_REPORT);
	fixture_advance(&f, 12 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 2);
	fixture_clear_sent(&f);
	query(10, 0, 8);
	fixture_advance(&f, 2 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 1);
	assert_int_equal(sent(0, GROUP)[0], IGMP_V2_REPORT);
	leave(GROUP);
	assert_int_equal(f.sent_count, 2);
	assert_int_equal(sent(1, IGMP_ALL_ROUTERS)[0], IGMP_V2_LEAVE);
	fixture_advance(&f, 30 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 2);
}

/* RFC 2236 3: who hears another's report stays silent, and does not say good-bye. */
static void test_version_2_report_of_another_suppresses_ours(void **state __unused)
{
	uint8_t report[8];

	query(10, 0, 8);
	join(GROUP);
	fixture_advance(&f, 30 * USEC_PER_SEC);
	fixture_clear_sent(&f);
	query(100, 0, 8);
	igmp_emit(IGMP_V2_REPORT, GROUP, report);
	arrives(report, sizeof(report), GROUP, 1);
	fixture_advance(&f, 20 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 0);
	leave(GROUP);
	assert_int_equal(f.sent_count, 0);
}

static void test_version_1_querier_and_back_to_3(void **state __unused)
{
	query(0, 0, 8);
	join(GROUP);
	assert_int_equal(sent(0, GROUP)[0], IGMP_V1_REPORT);
	fixture_advance(&f, 261 * USEC_PER_SEC);
	fixture_clear_sent(&f);
	leave(GROUP); /* the old querier is forgotten */
	assert_record(0, IGMP_CHANGE_TO_INCLUDE, GROUP);
}

/* RFC 1112: nobody said good-bye in version 1. */
static void test_version_1_has_no_leave(void **state __unused)
{
	uint8_t report[8];

	query(0, 0, 8);
	join(GROUP);
	fixture_advance(&f, 30 * USEC_PER_SEC);
	fixture_clear_sent(&f);
	/* Another's report in the form of its version silences ours, too. */
	query(0, 0, 8);
	igmp_emit(IGMP_V1_REPORT, GROUP, report);
	arrives(report, sizeof(report), GROUP, 1);
	fixture_advance(&f, 20 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 0);
	leave(GROUP);
	fixture_advance(&f, 20 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 0);
}

/* RFC 2236 3, 6: what another says for a group that is not ours. */
static void test_reports_of_others_that_mean_nothing(void **state __unused)
{
	uint8_t report[8];

	igmp_emit(IGMP_V2_REPORT, GROUP, report);
	arrives(report, sizeof(report), GROUP, 1); /* no group of ours */
	assert_int_equal(fixture_drops(&f, DROP_IP4_NO_GROUP), 1);
	join(GROUP);
	fixture_clear_sent(&f);
	fixture_advance(&f, 5 * USEC_PER_SEC);
	fixture_clear_sent(&f);
	query(10, GROUP, 12);
	arrives(report, sizeof(report), GROUP, 1); /* version 3: everybody speaks for himself */
	fixture_advance(&f, 2 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 1);
	igmp_emit(IGMP_V2_REPORT, GROUP + 1, report); /* a group that nobody here has */
	arrives(report, sizeof(report), IGMP_ALL_HOSTS, 1);
	query(10, 0, 8);
	igmp_emit(IGMP_V2_REPORT, GROUP + 1, report);
	arrives(report, sizeof(report), IGMP_ALL_HOSTS, 1);
	assert_still_answers(&f);
}

/* While a change is still being told, another's report does not end the telling. */
static void test_another_s_report_while_we_tell_of_a_join(void **state __unused)
{
	uint8_t report[8];

	query(10, 0, 8);
	fixture_advance(&f, 2 * USEC_PER_SEC);
	join(GROUP);
	igmp_emit(IGMP_V2_REPORT, GROUP, report);
	arrives(report, sizeof(report), GROUP, 1);
	fixture_advance(&f, 12 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 2);
	/* And one about a group that is being left is too late. */
	leave(GROUP);
	arrives(report, sizeof(report), IGMP_ALL_HOSTS, 1);
	assert_false(is_member(GROUP));
}

/* Many queries at once: one answer each for the group and for all, at the earliest time drawn. */
static void test_queries_on_the_heels_of_queries(void **state __unused)
{
	join(GROUP);
	fixture_advance(&f, 5 * USEC_PER_SEC);
	fixture_clear_sent(&f);
	for (uint32_t i = 0; i < 20; i++)
		query(100, GROUP, 12);
	fixture_advance(&f, 11 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 1);
	assert_record(0, IGMP_MODE_IS_EXCLUDE, GROUP);
	fixture_clear_sent(&f);
	for (uint32_t i = 0; i < 20; i++)
		query(100, 0, 12);
	fixture_advance(&f, 11 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 1);
	assert_record(0, IGMP_MODE_IS_EXCLUDE, GROUP);
}

/* A group that is being left, its second message still due, is no more in what is answered. */
static void test_queries_while_leaving(void **state __unused)
{
	static const uint32_t lengths[] = {12, 8};

	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		join(GROUP);
		join(GROUP + 1);
		fixture_advance(&f, 30 * USEC_PER_SEC);
		leave(GROUP);
		fixture_clear_sent(&f);
		query(1, GROUP, lengths[i]);
		query(1, 0, lengths[i]);
		fixture_advance(&f, 30 * USEC_PER_SEC);
		for (uint32_t j = 0; j < f.sent_count; j++) {
			struct ip4_header header;
			const uint8_t *message = ip4_sent(&f, j, &header) + 24;

			if (message[0] == IGMP_V3_REPORT && message[8] == IGMP_MODE_IS_EXCLUDE)
				assert_int_equal(get_be32(message + 12), GROUP + 1);
		}
		leave(GROUP + 1);
		fixture_advance(&f, 30 * USEC_PER_SEC);
	}
}

/* More groups than one report holds: two go out. */
static void test_more_groups_than_a_report_holds(void **state __unused)
{
	uint32_t groups = 0;

	for (uint32_t i = 0; i < 200; i++)
		join(GROUP + i);
	fixture_advance(&f, 10 * USEC_PER_SEC);
	fixture_clear_sent(&f);
	query(10, 0, 12);
	fixture_advance(&f, 2 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 2);
	for (uint32_t i = 0; i < 2; i++) {
		groups += get_be16(sent(i, IGMP_V3_ROUTERS) + 6);
		assert_true(fixture_sent(&f, i)->length <= 1514);
	}
	assert_int_equal(groups, 200);
}

/* Reports find no memory: they are lost, as on a wire, and the next ones are not. */
static void test_reports_without_memory(void **state __unused)
{
	join(GROUP);
	fixture_advance(&f, 30 * USEC_PER_SEC);
	fixture_clear_sent(&f);
	query(10, 0, 12);
	host_fail_allocations_from(1);
	fixture_advance(&f, 2 * USEC_PER_SEC);
	host_fail_allocation(0);
	assert_int_equal(f.sent_count, 0);
	query(10, 0, 12);
	fixture_advance(&f, 2 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 1);
}

/* A leave whose second message is due when the cable goes. */
static void test_down_while_leaving(void **state __unused)
{
	join(GROUP);
	fixture_advance(&f, 5 * USEC_PER_SEC);
	leave(GROUP);
	net_lock(&f.net);
	netdev_down(&f.dev);
	assert_int_equal(netdev_up(&f.dev), 0);
	net_unlock(&f.net);
	fixture_clear_sent(&f);
	fixture_advance(&f, 5 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 0);
}

static void test_interface_up_reports_again(void **state __unused)
{
	join(GROUP);
	fixture_advance(&f, 5 * USEC_PER_SEC);
	net_lock(&f.net);
	netdev_down(&f.dev);
	assert_int_equal(netdev_up(&f.dev), 0);
	net_unlock(&f.net);
	fixture_clear_sent(&f); /* the address is announced */
	fixture_advance(&f, 5 * USEC_PER_SEC);
	assert_int_equal(f.sent_count, 2);
	assert_record(0, IGMP_CHANGE_TO_EXCLUDE, GROUP);
	assert_record(1, IGMP_CHANGE_TO_EXCLUDE, GROUP);
}

static void test_malformed_messages(void **state __unused)
{
	uint8_t message[12] = {IGMP_QUERY, 10};
	uint64_t expected = 0;

	for (size_t n = 0; n < 12; n++) {
		if (n == 8)
			continue;
		fix(message, MAX(n, 4u));
		arrives(message, n, IGMP_ALL_HOSTS, 1);
		expected++;
		assert_int_equal(fixture_drops(&f, DROP_IGMP_MALFORMED), expected);
	}
	fix(message, 12);
	message[2] ^= 1;
	arrives(message, 12, IGMP_ALL_HOSTS, 1);
	put_be32(message + 4, PEER); /* a query for what is no group */
	fix(message, 12);
	arrives(message, 12, IGMP_ALL_HOSTS, 1);
	assert_int_equal(fixture_drops(&f, DROP_IGMP_MALFORMED), expected + 2);
	assert_still_answers(&f);
}

static void test_messages_from_afar_are_ignored(void **state __unused)
{
	uint8_t message[12] = {IGMP_QUERY, 10};

	fix(message, 12);
	arrives(message, 12, IGMP_ALL_HOSTS, 2);
	arrives(message, 12, OURS, 1);
	message[0] = 0x99;
	fix(message, 12);
	arrives(message, 12, IGMP_ALL_HOSTS, 1);
	assert_int_equal(fixture_drops(&f, DROP_IGMP_IGNORED), 3);
	assert_still_answers(&f);
}

static void test_max_response_code_is_a_float(void **state __unused)
{
	uint8_t bytes[12] = {IGMP_QUERY, 0xff};
	struct igmp_message message;

	fix(bytes, 12);
	assert_true(igmp_parse(bytes, 12, &message));
	assert_int_equal(message.max_response_us, 31744ull * 100 * USEC_PER_MSEC);
	assert_int_equal(message.version, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_join_and_leave_are_told_twice),
		TEST(test_joins_are_counted),
		TEST(test_join_again_while_leaving),
		TEST(test_all_hosts_is_never_reported),
		TEST(test_version_3_general_query),
		TEST(test_version_3_group_query),
		TEST(test_query_about_another_group),
		TEST(test_version_2_querier),
		TEST(test_version_2_report_of_another_suppresses_ours),
		TEST(test_version_1_querier_and_back_to_3),
		TEST(test_version_1_has_no_leave),
		TEST(test_reports_of_others_that_mean_nothing),
		TEST(test_another_s_report_while_we_tell_of_a_join),
		TEST(test_queries_on_the_heels_of_queries),
		TEST(test_queries_while_leaving),
		TEST(test_more_groups_than_a_report_holds),
		TEST(test_reports_without_memory),
		TEST(test_down_while_leaving),
		TEST(test_interface_up_reports_again),
		TEST(test_malformed_messages),
		TEST(test_messages_from_afar_are_ignored),
		TEST(test_max_response_code_is_a_float),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
