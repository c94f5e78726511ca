/*
 * The resolver as a whole, between a client and a server that are the test's own sockets on the
 * loopback of a network namespace: port 53 is free there.
 */
#define _GNU_SOURCE 1
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "userland/lib/bytes.h"
#include "userland/lib/clock.h"
#include "userland/lib/resolver/resolver.h"

#define OURS 0x7f000001u
#define SERVER 0x7f000002u /* its name server */
#define PORT 5353
#define ATTEMPTS_MAX 1000 /* more than there are of any question */

static struct resolver *resolver;
static char servers_path[] = "/tmp/resolver-test-XXXXXX";
static int server = -1, client = -1;
static bool alone; /* in a namespace of our own */

/* ---- A world of one machine ---- */

static bool leave_the_world(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	bool up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &lo) == 0;

	close(fd);
	return up;
}

static struct sockaddr_in name_of(uint32_t address, uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
}

static void write_servers(const char *text)
{
	FILE *file = fopen(servers_path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int set_up(void **state)
{
	struct sockaddr_in name = name_of(SERVER, DNS_PORT);

	(void)state;
	resolver = calloc(1, sizeof(*resolver));
	resolver->hosts_path = "/dev/null";
	resolver->servers.path = servers_path;
	if (!alone)
		return 0;
	close(mkstemp(servers_path));
	write_servers("nameserver 127.0.0.2\n");
	assert_true(resolver_open(resolver, OURS, PORT));
	server = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(server, (struct sockaddr *)&name, sizeof(name)), 0);
	client = socket(AF_INET, SOCK_STREAM, 0);
	name = name_of(OURS, PORT);
	assert_int_equal(connect(client, (struct sockaddr *)&name, sizeof(name)), 0);
	resolver_step(resolver); /* accepts */
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	if (alone) {
		close(client);
		resolver_step(resolver); /* hears of it */
		close(server);
		close(resolver->udp);
		close(resolver->listener);
		unlink(servers_path);
		memcpy(servers_path + sizeof(servers_path) - 7, "XXXXXX", 6);
	}
	dns_store_clear(&resolver->store);
	free(resolver);
	return 0;
}

/* ---- Questions and answers ---- */

/* A question as TCP carries it. Its length. */
static size_t put_question(uint8_t *to, uint16_t id, const char *text)
{
	struct dns_name name;

	assert_true(dns_name_from_text(text, &name));
	size_t length = dns_emit_question(id, &name, DNS_A, false, to + 2);

	put_be16(to, (uint16_t)length);
	return 2 + length;
}

/* The next answer to the client, which is there already: its code. */
static enum dns_code expect_answer(uint16_t id)
{
	uint8_t bytes[512];

	assert_int_equal(recv(client, bytes, 2, MSG_DONTWAIT), 2);
	size_t length = get_be16(bytes);

	assert_in_range(length, DNS_HEADER_LENGTH, sizeof(bytes));
	assert_int_equal(recv(client, bytes, length, MSG_DONTWAIT), length);
	assert_int_equal(get_be16(bytes), id);
	return (enum dns_code)(get_be16(bytes + 2) & DNS_MASK_CODE);
}

static struct asked *the_question(void)
{
	for (unsigned i = 0; i < RESOLVER_ASKED_MAX; i++) {
		if (resolver->asked[i].busy)
			return &resolver->asked[i];
	}
	fail_msg("no question is on its way");
	return NULL;
}

/* A client sends both questions at once; the first one's servers are silent until its end. */
static void test_questions_wait_for_their_turn(void **state)
{
	uint8_t bytes[512];
	size_t length;

	(void)state;
	if (!alone)
		skip();
	length = put_question(bytes, 1, "silent.test");
	length += put_question(bytes + length, 2, "localhost");
	assert_int_equal(send(client, bytes, length, 0), length);
	resolver_step(resolver);
	assert_int_equal(recv(client, bytes, 1, MSG_DONTWAIT), -1);
	the_question()->attempt = ATTEMPTS_MAX;
	the_question()->deadline = clock_now();
	resolver_step(resolver);
	assert_int_equal(expect_answer(1), DNS_SERVER_FAILURE);
	assert_int_equal(expect_answer(2), DNS_NO_ERROR);
}

/* The lease ends while a question is on its way; then its answer comes, and is cut. */
static void test_servers_go_while_one_is_asked(void **state)
{
	struct sockaddr_in from;
	socklen_t size = sizeof(from);
	uint8_t bytes[512];
	ssize_t length;

	(void)state;
	if (!alone)
		skip();
	length = (ssize_t)put_question(bytes, 1, "long.test");
	assert_int_equal(send(client, bytes, (size_t)length, 0), length);
	resolver_step(resolver);
	length = recvfrom(server, bytes, sizeof(bytes), 0, (struct sockaddr *)&from, &size);
	assert_true(length > DNS_HEADER_LENGTH);
	write_servers("# none\n");
	assert_true(servers_refresh(&resolver->servers));
	assert_int_equal(resolver->servers.count, 0);
	put_be16(bytes + 2, DNS_FLAG_RESPONSE | DNS_FLAG_TRUNCATED | DNS_FLAG_RECURSION);
	assert_int_equal(sendto(server, bytes, (size_t)length, 0, (struct sockaddr *)&from, size),
			 length);
	resolver_step(resolver);
	assert_int_equal(expect_answer(1), DNS_SERVER_FAILURE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_questions_wait_for_their_turn, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_servers_go_while_one_is_asked, set_up,
						tear_down),
	};

	alone = leave_the_world();
	if (!alone)
		print_message("no network namespace may be made here: skipped\n");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
