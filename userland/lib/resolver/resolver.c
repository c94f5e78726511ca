#define _GNU_SOURCE 1
#include "userland/lib/resolver/resolver.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userland/lib/clock.h"
#include "userland/lib/dns_reply.h"
#include "userland/lib/resolver/known.h"
#include "userland/lib/stop.h"

enum {
	BACKLOG = 8,
	QUERIES_AT_ONCE = 64, /* in a flood, servers' replies and timers get their turn */

	/* Places in the list that is waited for. */
	WAIT_UDP = 0,
	WAIT_LISTENER = 1,
	WAIT_CONNECTIONS = 2,
	WAIT_ASKED = WAIT_CONNECTIONS + RESOLVER_CONNECTIONS_MAX,
	WAIT_COUNT = WAIT_ASKED + RESOLVER_ASKED_MAX,
};

/* ---- A question's way ---- */

size_t resolver_limit(const struct source *source, const struct dns_question *question)
{
	if (source->by_tcp)
		return RESOLVER_MESSAGE_MAX;
	return question->udp_size < DNS_EDNS_SIZE ? question->udp_size : DNS_EDNS_SIZE;
}

void resolver_reply(struct resolver *resolver, const struct source *source, const uint8_t *bytes,
		    size_t length)
{
	if (source->by_tcp) {
		connection_reply(resolver, source, bytes, length);
		return;
	}
	/* A reply that cannot be sent is like one that is lost: the client will ask again. */
	(void)sendto(resolver->udp, bytes, length, 0, (const struct sockaddr *)&source->address,
		     sizeof(source->address));
}

static void reply_code(struct resolver *resolver, const struct source *source,
		       const struct dns_question *question, enum dns_code code)
{
	size_t length = dns_reply_emit_code(question, code, resolver->message);

	resolver_reply(resolver, source, resolver->message, length);
}

static bool answer_from_files(struct resolver *resolver, const struct source *source,
			      const struct dns_question *question)
{
	struct dns_answer answer;
	enum known known = known_find(resolver->hosts_path, &question->name, question->type,
				      &answer);
	size_t length;

	if (known == KNOWN_NOT)
		return false;
	resolver->statistics.from_files++;
	if (known == KNOWN_NO_NAME) {
		reply_code(resolver, source, question, DNS_NAME_ERROR);
		return true;
	}
	length = dns_reply_emit_answer(question, &answer, resolver->message,
				       resolver_limit(source, question));
	resolver_reply(resolver, source, resolver->message, length);
	return true;
}

static bool answer_from_store(struct resolver *resolver, const struct source *source,
			      const struct dns_question *question)
{
	const struct dns_store_entry *entry;
	uint32_t age;
	size_t length;

	entry = dns_store_get(&resolver->store, &question->name, question->type, clock_now(), &age);
	if (!entry)
		return false;
	resolver->statistics.from_cache++;
	length = dns_reply_emit(entry->bytes, entry->length, age, question, resolver->message,
				resolver_limit(source, question));
	resolver_reply(resolver, source, resolver->message, length);
	return true;
}

static void answer(struct resolver *resolver, const struct source *source,
		   const struct dns_question *question)
{
	/* Other servers may say other things. */
	if (servers_refresh(&resolver->servers))
		dns_store_clear(&resolver->store);
	if (answer_from_files(resolver, source, question) ||
	    answer_from_store(resolver, source, question))
		return;
	if (!question->recursion_desired) {
		reply_code(resolver, source, question, DNS_REFUSED);
		return;
	}
	if (asking_start(resolver, source, question))
		return;
	resolver->statistics.busy++;
	reply_code(resolver, source, question, DNS_SERVER_FAILURE);
}

void resolver_receive(struct resolver *resolver, const struct source *source, const uint8_t *bytes,
		      size_t length)
{
	struct dns_question question;
	enum dns_code code;

	resolver->statistics.queries++;
	if (source->by_tcp)
		resolver->statistics.by_tcp++;
	switch (dns_question_parse(bytes, length, &question, &code)) {
	case DNS_ANSWER:
		answer(resolver, source, &question);
		return;
	case DNS_ANSWER_CODE:
		resolver->statistics.malformed++;
		reply_code(resolver, source, &question, code);
		return;
	case DNS_SILENCE:
		resolver->statistics.malformed++;
		if (source->by_tcp)
			connection_close(&resolver->connections[source->connection]);
		return;
	}
}

static void receive_datagrams(struct resolver *resolver)
{
	uint8_t bytes[RESOLVER_QUERY_MAX];

	for (unsigned i = 0; i < QUERIES_AT_ONCE; i++) {
		struct source source = {.by_tcp = false};
		socklen_t size = sizeof(source.address);
		ssize_t length = recvfrom(resolver->udp, bytes, sizeof(bytes), 0,
					  (struct sockaddr *)&source.address, &size);

		if (length < 0)
			return;
		resolver_receive(resolver, &source, bytes, (size_t)length);
	}
}

/* ---- Waiting ---- */

static uint64_t fill_wait(struct resolver *resolver, struct pollfd wait[WAIT_COUNT])
{
	uint64_t deadline = CLOCK_NEVER;

	wait[WAIT_UDP] = (struct pollfd){.fd = resolver->udp, .events = POLLIN};
	wait[WAIT_LISTENER] = (struct pollfd){.fd = resolver->listener, .events = POLLIN};
	for (unsigned i = 0; i < RESOLVER_CONNECTIONS_MAX; i++) {
		const struct connection *connection = &resolver->connections[i];

		connection_poll(connection, &wait[WAIT_CONNECTIONS + i]);
		if (connection->fd >= 0 && connection->deadline < deadline)
			deadline = connection->deadline;
	}
	for (unsigned i = 0; i < RESOLVER_ASKED_MAX; i++) {
		const struct asked *asked = &resolver->asked[i];

		asking_poll(asked, &wait[WAIT_ASKED + i]);
		if (asked->busy && asked->deadline < deadline)
			deadline = asked->deadline;
	}
	return deadline;
}

static void end_waits(struct resolver *resolver)
{
	uint64_t now = clock_now();

	for (unsigned i = 0; i < RESOLVER_CONNECTIONS_MAX; i++)
		if (resolver->connections[i].fd >= 0 && now >= resolver->connections[i].deadline)
			connection_close(&resolver->connections[i]);
	for (unsigned i = 0; i < RESOLVER_ASKED_MAX; i++)
		if (resolver->asked[i].busy && now >= resolver->asked[i].deadline)
			asking_late(resolver, &resolver->asked[i]);
}

/*
 * What may close a descriptor comes before what may open one, so that no event is taken for that
 * of another descriptor with the same number.
 */
void resolver_step(struct resolver *resolver)
{
	struct pollfd wait[WAIT_COUNT];
	uint64_t deadline = fill_wait(resolver, wait);

	if (stop_poll(wait, WAIT_COUNT, deadline) > 0) {
		for (unsigned i = 0; i < RESOLVER_ASKED_MAX; i++)
			if (wait[WAIT_ASKED + i].fd >= 0 && wait[WAIT_ASKED + i].revents)
				asking_ready(resolver, &resolver->asked[i]);
		for (unsigned i = 0; i < RESOLVER_CONNECTIONS_MAX; i++) {
			struct connection *connection = &resolver->connections[i];
			const struct pollfd *ready = &wait[WAIT_CONNECTIONS + i];

			if (ready->revents && connection->fd >= 0 && connection->fd == ready->fd)
				connection_ready(connection, ready->revents);
		}
		if (wait[WAIT_UDP].revents)
			receive_datagrams(resolver);
		if (wait[WAIT_LISTENER].revents)
			connection_accept(resolver);
	}
	if (deadline != CLOCK_NEVER)
		end_waits(resolver);
	/* All this may have ended what a connection's next question waits for. */
	for (unsigned i = 0; i < RESOLVER_CONNECTIONS_MAX; i++)
		connection_go_on(resolver, &resolver->connections[i]);
}

/* ---- Start and end ---- */

static int open_socket(uint32_t address, uint16_t port, int type)
{
	struct sockaddr_in name = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(address),
	};
	int yes = 1;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	/* Connections of the last run may linger; who holds the port itself is still respected. */
	if ((type != SOCK_STREAM ||
	     setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) == 0) &&
	    bind(fd, (struct sockaddr *)&name, sizeof(name)) == 0)
		return fd;
	close(fd);
	return -1;
}

bool resolver_open(struct resolver *resolver, uint32_t address, uint16_t port)
{
	connections_init(resolver);
	resolver->servers.own_address = address;
	resolver->udp = open_socket(address, port, SOCK_DGRAM);
	resolver->listener = open_socket(address, port, SOCK_STREAM);
	return resolver->udp >= 0 && resolver->listener >= 0 &&
	       listen(resolver->listener, BACKLOG) == 0;
}

void resolver_print_statistics(const struct resolver *resolver, FILE *file)
{
	const struct resolver_statistics *statistics = &resolver->statistics;
	const struct {
		const char *name;
		uint64_t value;
	} lines[] = {
		{"queries", statistics->queries},
		{"by-tcp", statistics->by_tcp},
		{"malformed", statistics->malformed},
		{"from-files", statistics->from_files},
		{"from-cache", statistics->from_cache},
		{"asked", statistics->asked},
		{"joined", statistics->joined},
		{"failed", statistics->failed},
		{"busy", statistics->busy},
		{"sent", statistics->sent},
		{"sent-by-tcp", statistics->sent_by_tcp},
		{"bogus", statistics->bogus},
		{"cached", resolver->store.count},
		{"cached-bytes", resolver->store.bytes},
		{"evicted", resolver->store.evicted},
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		fprintf(file, "resolver: %s %llu\n", lines[i].name,
			(unsigned long long)lines[i].value);
	fflush(file);
}
