/* The memory of all connections together: pressure that comes and goes, and buffers that grow. */
#include "test/host/unit/stranger.h"

#define PAGE 4096u

static struct fixture f;
static struct socket *listener;

static struct tcp_state_of_net *state_of_net(void)
{
	return tcp_fixture_state(&f);
}

static int set_up(void **state __unused) NO_LOCK_CHECK
{
	int32_t *limits;

	listener = tcp_fixture_init(&f);
	limits = state_of_net()->settings.tcp_mem;
	limits[0] = 10;
	limits[1] = 20;
	limits[2] = 30;
	net_lock(&f.net);
	return 0;
}

static int tear_down(void **state __unused) NO_LOCK_CHECK
{
	net_unlock(&f.net);
	tcp_fixture_destroy(&f, listener);
	return 0;
}

/* Pressure begins above the second number, and ends at the first. */
static void test_pressure(void **state __unused) NO_LOCK_CHECK
{
	const uint64_t *times = &state_of_net()->extra[TCP_EXTRA_MEMORY_PRESSURES];

	tcp_memory_force(&f.net, 20 * PAGE);
	assert_false(state_of_net()->memory_pressure);
	assert_true(tcp_memory_take(&f.net, 1));
	assert_true(state_of_net()->memory_pressure);
	assert_int_equal(*times, 1);
	tcp_memory_give(&f.net, 10 * PAGE);
	assert_true(state_of_net()->memory_pressure);
	tcp_memory_give(&f.net, 1);
	assert_false(state_of_net()->memory_pressure);
	tcp_memory_force(&f.net, 10 * PAGE);
	assert_false(state_of_net()->memory_pressure);
	tcp_memory_force(&f.net, 1);
	assert_int_equal(*times, 2);
	tcp_memory_give(&f.net, 20 * PAGE + 1);
	assert_int_equal(state_of_net()->memory_used, 0);
}

/* At the third number nothing is taken any more, but what must be kept is. */
static void test_limit(void **state __unused) NO_LOCK_CHECK
{
	assert_false(tcp_memory_full(&f.net));
	assert_true(tcp_memory_take(&f.net, 30 * PAGE - 1));
	assert_false(tcp_memory_full(&f.net));
	assert_true(tcp_memory_take(&f.net, 100)); /* asked before, so one goes beyond */
	assert_true(tcp_memory_full(&f.net));
	assert_false(tcp_memory_take(&f.net, 1));
	assert_int_equal(state_of_net()->memory_used, 30 * PAGE + 99);
	tcp_memory_force(&f.net, 1);
	assert_int_equal(state_of_net()->memory_used, 30 * PAGE + 100);
	tcp_memory_give(&f.net, 101);
	assert_false(tcp_memory_full(&f.net));
	tcp_memory_give(&f.net, 30 * PAGE - 1);
}

/* The send buffer grows with the window of congestion, up to tcp_wmem, and never shrinks. */
static void test_send_buffer(void **state __unused) NO_LOCK_CHECK
{
	struct tcp_socket *tcp = tcp_socket(listener);
	const int32_t most = state_of_net()->settings.tcp_wmem[2];
	int32_t first;

	tcp->mss = 1000;
	listener->send_buffer = 1000;
	tcp->congestion.cwnd = 20000;
	tcp_tune_send_buffer(tcp);
	first = listener->send_buffer;
	assert_in_range(first, 2 * 20000, 6 * 20000);
	tcp->congestion.cwnd = 10000;
	tcp_tune_send_buffer(tcp);
	assert_int_equal(listener->send_buffer, first);
	tcp->congestion.cwnd = 100 << 20;
	state_of_net()->memory_pressure = true;
	tcp_tune_send_buffer(tcp);
	assert_int_equal(listener->send_buffer, first);
	state_of_net()->memory_pressure = false;
	listener->send_buffer_chosen = true;
	tcp_tune_send_buffer(tcp);
	assert_int_equal(listener->send_buffer, first);
	listener->send_buffer_chosen = false;
	tcp_tune_send_buffer(tcp);
	assert_int_equal(listener->send_buffer, most);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_pressure),
		TEST(test_limit),
		TEST(test_send_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
