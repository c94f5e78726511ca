/*
 * Who holds which port, who listens where, and which port connect(2) takes: bind(2)'s conflicts by
 * the rules of socket(7), choosing when ports run out, listeners by address, device and flow.
 */
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "net/ipv4/ipv4_state.h"
#include "test/host/unit/stranger.h"

#define PORT 5000
#define FIRST 40000 /* of the range from which ports are chosen */
#define COUNT 3

static struct fixture f;
static struct socket *listener;

static int set_up(void **state __unused)
{
	listener = tcp_fixture_init(&f);
	return 0;
}

static int tear_down(void **state __unused)
{
	tcp_fixture_destroy(&f, listener);
	return 0;
}

static void few_ports(void)
{
	int32_t *range = ip4_stack(&f.net)->settings.ip_local_port_range;

	range[0] = FIRST;
	range[1] = FIRST + COUNT - 1;
}

static uint16_t local_port(struct socket *socket)
{
	return tcp_socket(socket)->inet.local.port;
}

/* ---- bind ---- */

static struct socket *make(int reuse_address, int reuse_port, int ifindex)
{
	struct socket *socket = make_socket(&f, SOCK_STREAM, 0);

	assert_int_equal(set_option(socket, SOL_SOCKET, SO_REUSEADDR, reuse_address), 0);
	assert_int_equal(set_option(socket, SOL_SOCKET, SO_REUSEPORT, reuse_port), 0);
	socket->bound_ifindex = ifindex;
	return socket;
}

static void test_conflicts(void **state __unused)
{
	static const struct {
		struct {
			ip4_t address;
			bool reuse_address, reuse_port;
			int ifindex;
		} first, second;
		bool first_listens;
		int error;
	} rows[] = {
		{{OURS, 0, 0, 0}, {OURS, 0, 0, 0}, false, -EADDRINUSE},
		{{OURS, 0, 0, 0}, {IP4(127, 0, 0, 1), 0, 0, 0}, false, 0},
		{{IP4_ANY, 0, 0, 0}, {OURS, 0, 0, 0}, false, -EADDRINUSE},
		{{OURS, 0, 0, 0}, {IP4_ANY, 0, 0, 0}, false, -EADDRINUSE},
		{{OURS, 1, 0, 0}, {OURS, 1, 0, 0}, false, 0},
		{{OURS, 1, 0, 0}, {OURS, 0, 0, 0}, false, -EADDRINUSE},
		{{OURS, 0, 0, 0}, {OURS, 1, 0, 0}, false, -EADDRINUSE},
		{{OURS, 1, 0, 0}, {OURS, 1, 0, 0}, true, -EADDRINUSE},
		{{OURS, 0, 1, 0}, {OURS, 0, 1, 0}, true, 0},
		{{OURS, 0, 1, 0}, {OURS, 0, 0, 0}, true, -EADDRINUSE},
		{{IP4_ANY, 0, 0, 1}, {IP4_ANY, 0, 0, 2}, true, 0},
		{{IP4_ANY, 0, 0, 2}, {IP4_ANY, 0, 0, 2}, true, -EADDRINUSE},
		{{IP4_ANY, 0, 0, 2}, {IP4_ANY, 0, 0, 0}, true, -EADDRINUSE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct socket *first = make(rows[i].first.reuse_address, rows[i].first.reuse_port,
					    rows[i].first.ifindex);
		struct socket *second = make(rows[i].second.reuse_address,
					     rows[i].second.reuse_port, rows[i].second.ifindex);

		assert_int_equal(do_bind(first, rows[i].first.address, PORT), 0);
		if (rows[i].first_listens)
			assert_int_equal(socket_listen(first, 1), 0);
		assert_int_equal(do_bind(second, rows[i].second.address, PORT), rows[i].error);
		socket_close(first);
		socket_close(second);
	}
}

/* Another user's SO_REUSEPORT is no invitation. */
static void test_other_users(void **state __unused)
{
	struct socket *first = make(0, 1, 0), *second = make(0, 1, 0);

	second->uid = first->uid + 1;
	assert_int_equal(do_bind(first, OURS, PORT), 0);
	assert_int_equal(do_bind(second, OURS, PORT), -EADDRINUSE);
	socket_close(first);
	assert_int_equal(do_bind(second, OURS, PORT), 0);
	socket_close(second);
}

static void test_bind_runs_out(void **state __unused)
{
	struct socket *sockets[COUNT], *one_more = make_socket(&f, SOCK_STREAM, 0);
	uint32_t seen = 0;

	few_ports();
	for (uint32_t i = 0; i < COUNT; i++) {
		sockets[i] = make_socket(&f, SOCK_STREAM, 0);
		assert_int_equal(do_bind(sockets[i], OURS, 0), 0);
		seen |= 1u << (local_port(sockets[i]) - FIRST);
	}
	assert_int_equal(seen, (1u << COUNT) - 1);
	assert_int_equal(do_bind(one_more, OURS, 0), -EADDRINUSE);
	socket_close(sockets[0]);
	assert_int_equal(do_bind(one_more, OURS, 0), 0);
	for (uint32_t i = 1; i < COUNT; i++)
		socket_close(sockets[i]);
	socket_close(one_more);
}

/* Each allocation on the way fails once; then nothing is held. */
static void test_bind_without_memory(void **state __unused)
{
	struct socket *socket = make_socket(&f, SOCK_STREAM, 0);

	host_fail_allocation(1);
	assert_int_equal(do_bind(socket, OURS, PORT), -ENOMEM);
	host_fail_allocation(0);
	assert_int_equal(do_bind(socket, OURS, PORT), 0);
	socket_close(socket);
}

/* ---- connect ---- */

static struct socket *begin(uint16_t remote_port, int error)
{
	const struct sockaddr_in name = {
		.sin_family = AF_INET,
		.sin_port = cpu_to_be16(remote_port),
		.sin_addr.s_addr = cpu_to_be32(PEER),
	};
	struct socket *socket = make_socket(&f, SOCK_STREAM, 0);
	struct sockaddr_storage storage = {0};

	__builtin_memcpy(&storage, &name, sizeof(name));
	assert_int_equal(socket_connect(socket, &storage, sizeof(name), true), error);
	return socket;
}

/* A port serves as many connections as there are other ends; to one end they run out. */
static void test_connect_runs_out(void **state __unused)
{
	struct socket *sockets[COUNT + 2];

	few_ports();
	for (uint32_t i = 0; i < COUNT; i++)
		sockets[i] = begin(PORT, -EINPROGRESS);
	sockets[COUNT] = begin(PORT, -EADDRNOTAVAIL);
	sockets[COUNT + 1] = begin(PORT + 1, -EINPROGRESS);
	for (uint32_t i = 0; i < COUNT; i++)
		for (uint32_t j = 0; j < i; j++)
			assert_int_not_equal(local_port(sockets[i]), local_port(sockets[j]));
	for (uint32_t i = 0; i < ARRAY_SIZE(sockets); i++)
		socket_close(sockets[i]);
	fixture_clear_sent(&f);
}

/* A port that somebody is bound to is not taken for a connection. */
static void test_connect_leaves_bound_ports(void **state __unused)
{
	struct socket *bound[COUNT - 1], *connecting;

	few_ports();
	for (uint16_t i = 0; i < COUNT - 1; i++) {
		bound[i] = make_socket(&f, SOCK_STREAM, 0);
		assert_int_equal(do_bind(bound[i], OURS, (uint16_t)(FIRST + i)), 0);
	}
	connecting = begin(PORT, -EINPROGRESS);
	assert_int_equal(local_port(connecting), FIRST + COUNT - 1);
	for (uint32_t i = 0; i < COUNT - 1; i++)
		socket_close(bound[i]);
	socket_close(connecting);
	fixture_clear_sent(&f);
}

/* ---- Listeners ---- */

static struct socket *listens(ip4_t address, int reuse_port, int ifindex)
{
	struct socket *socket = make(0, reuse_port, ifindex);

	assert_int_equal(do_bind(socket, address, PORT), 0);
	assert_int_equal(socket_listen(socket, 1), 0);
	return socket;
}

static struct socket *listener_for(uint32_t hash, ip4_t address, uint16_t port, int ifindex)
{
	const struct endpoint local = {net_addr_ip4(address), port};

	net_lock(&f.net);
	struct tcp_socket *found = tcp_table_listener(&tcp_fixture_state(&f)->table, hash, &local,
						      ifindex);

	net_unlock(&f.net);
	return found ? &found->inet.socket : NULL;
}

static void test_listeners_by_address(void **state __unused)
{
	struct socket *any = listens(IP4(127, 0, 0, 1), 0, 0), *ours = listens(OURS, 0, 0);

	assert_ptr_equal(listener_for(7, OURS, PORT, 1), ours);
	assert_ptr_equal(listener_for(7, IP4(127, 0, 0, 1), PORT, 1), any);
	assert_null(listener_for(7, IP4(127, 0, 0, 2), PORT, 1));
	assert_null(listener_for(7, OURS, PORT + 1, 1));
	socket_close(any);
	socket_close(ours);
	assert_null(listener_for(7, OURS, PORT, 1));
}

static void test_listeners_by_device(void **state __unused)
{
	struct socket *one = listens(IP4_ANY, 0, 1), *two = listens(IP4_ANY, 0, 2);

	assert_ptr_equal(listener_for(7, OURS, PORT, 1), one);
	assert_ptr_equal(listener_for(7, OURS, PORT, 2), two);
	assert_null(listener_for(7, OURS, PORT, 3));
	socket_close(one);
	socket_close(two);
}

/* SO_REUSEPORT: each of several gets a share of the flows, and a flow is always the same one's. */
static void test_listeners_by_flow(void **state __unused)
{
	struct socket *listeners[4];
	uint32_t flows[4] = {0};

	for (uint32_t i = 0; i < ARRAY_SIZE(listeners); i++)
		listeners[i] = listens(IP4_ANY, 1, 0);
	for (uint32_t flow = 0; flow < 4000; flow++) {
		struct socket *chosen = listener_for(flow * 2654435761u, OURS, PORT, 1);

		assert_ptr_equal(listener_for(flow * 2654435761u, OURS, PORT, 1), chosen);
		for (uint32_t i = 0; i < ARRAY_SIZE(listeners); i++)
			flows[i] += chosen == listeners[i];
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(listeners); i++) {
		assert_in_range(flows[i], 700, 1300);
		socket_close(listeners[i]);
	}
}

/* ---- The hash ---- */

static uint32_t bucket_of(uint32_t address, uint16_t port)
{
	const struct endpoint local = {net_addr_ip4(OURS), 80};
	const struct endpoint remote = {net_addr_ip4(address), port};

	net_lock(&f.net);
	uint32_t hash = tcp_table_hash(&tcp_fixture_state(&f)->table, &local, &remote);

	net_unlock(&f.net);
	return hash % 4096;
}

/*
 * Peers whose numbers follow a rule, such as ports that make up for addresses, do not meet in few
 * chains.
 */
static void test_hash_spreads(void **state __unused)
{
	static uint16_t chains[3][4096];
	uint32_t longest = 0;

	for (uint32_t i = 0; i < 4096; i++) {
		chains[0][bucket_of(PEER, (uint16_t)(1024 + i))]++;
		chains[1][bucket_of(PEER + i, 1024)]++;
		chains[2][bucket_of(PEER ^ i << 16, (uint16_t)(1024 ^ i))]++;
	}
	for (uint32_t rule = 0; rule < ARRAY_SIZE(chains); rule++)
		for (uint32_t i = 0; i < ARRAY_SIZE(chains[0]); i++)
			longest = MAX(longest, (uint32_t)chains[rule][i]);
	assert_in_range(longest, 2, 10);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_conflicts),
		TEST(test_other_users),
		TEST(test_bind_runs_out),
		TEST(test_bind_without_memory),
		TEST(test_connect_runs_out),
		TEST(test_connect_leaves_bound_ports),
		TEST(test_listeners_by_address),
		TEST(test_listeners_by_device),
		TEST(test_listeners_by_flow),
		TEST(test_hash_spreads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
