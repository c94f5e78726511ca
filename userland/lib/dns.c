#define _GNU_SOURCE 1
#include "userland/lib/dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userland/lib/clock.h"
#include "userland/lib/ip_option.h"

enum { ROUNDS = 3 };

void dns_init(struct dns *dns)
{
	FILE *file = fopen("/etc/resolv.conf", "re");

	memset(dns, 0, sizeof(*dns));
	dns->config.port = DNS_PORT;
	if (!file)
		return;
	dns_read_resolv_conf(file, &dns->config);
	fclose(file);
}

/* ---- One question to one server ---- */

/* A connected socket takes packets from that server and port only; the kernel chooses our port. */
static int open_socket(const struct dns *dns, uint32_t server)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(dns->config.port),
		.sin_addr.s_addr = htonl(server),
	};
	int socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (socket_fd < 0)
		return -1;
	if (connect(socket_fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return socket_fd;
	close(socket_fd);
	return -1;
}

static bool send_query(int socket_fd, const struct dns_query *query)
{
	uint8_t bytes[DNS_QUERY_MAX];
	size_t length = dns_emit_query(query->id, &query->name, query->type, bytes);

	return send(socket_fd, bytes, length, 0) == (ssize_t)length;
}

/* Waits for the reply. False at the deadline, or when the server cannot be reached. */
static bool receive_reply(int socket_fd, struct dns_query *query, uint64_t deadline,
			  uint8_t bytes[DNS_REPLY_MAX], struct dns_message *message)
{
	struct pollfd wait = {.fd = socket_fd, .events = POLLIN};
	struct timespec timeout;
	ssize_t length;

	while (ppoll(&wait, 1, clock_timeout(deadline, &timeout), NULL) > 0) {
		length = recv(socket_fd, bytes, DNS_REPLY_MAX, 0);
		if (length < 0 && errno == EAGAIN)
			continue;
		if (length < 0)
			return false;
		switch (dns_query_judge(query, bytes, (size_t)length, message)) {
		case DNS_TAKE:
			return true;
		case DNS_IGNORE:
			continue;
		case DNS_ASK_ANEW:
			return false;
		}
	}
	return false;
}

static bool ask_server(const struct dns *dns, uint32_t server, struct dns_query *query,
		       uint64_t patience, uint8_t bytes[DNS_REPLY_MAX], struct dns_message *message)
{
	int socket_fd = open_socket(dns, server);
	bool answered;

	if (socket_fd < 0)
		return false;
	query->wrong = 0;
	answered = getrandom(&query->id, sizeof(query->id), 0) == sizeof(query->id) &&
		   send_query(socket_fd, query) &&
		   receive_reply(socket_fd, query, clock_now() + patience, bytes, message);
	close(socket_fd);
	return answered;
}

/* ---- One question to whoever answers ---- */

/* The name exists or it does not; anything else is worth asking another server. */
static bool is_final(const struct dns_message *message)
{
	return message->code == DNS_NO_ERROR || message->code == DNS_NAME_ERROR;
}

static enum dns_result ask(struct dns *dns, enum dns_type type, struct dns_answer *answer)
{
	struct dns_query query = {.type = (uint16_t)type, .name = answer->canonical};
	unsigned count = dns->config.server_count;
	enum dns_result result = DNS_NO_REPLY;
	uint8_t bytes[DNS_REPLY_MAX];
	struct dns_message message;

	if (count == 0)
		return DNS_NO_SERVER;
	for (unsigned attempt = 0; attempt < ROUNDS * count; attempt++) {
		unsigned index = (dns->first_server + attempt) % count;
		uint64_t patience = CLOCK_SECOND << attempt / count;
		uint32_t server = dns->config.servers[index];

		if (!ask_server(dns, server, &query, patience, bytes, &message))
			continue;
		if (!is_final(&message)) {
			result = DNS_SERVER_FAILED;
			continue;
		}
		dns->first_server = index;
		dns->answered_by = server;
		return dns_answer_add(answer, &message);
	}
	return result;
}

/* ---- Names ---- */

static bool find_in_hosts(const struct dns_name *name, enum dns_type type,
			  struct dns_answer *answer)
{
	FILE *file = fopen("/etc/hosts", "re");
	bool found;

	if (!file)
		return false;
	found = dns_find_in_hosts(file, name, type, answer);
	fclose(file);
	return found;
}

enum dns_result dns_lookup_name(struct dns *dns, const struct dns_name *name, enum dns_type type,
				struct dns_answer *answer)
{
	enum dns_result result;

	dns->answered_by = 0;
	if (find_in_hosts(name, type, answer))
		return DNS_FOUND;

	dns_answer_begin(answer, name);
	do
		result = ask(dns, type, answer);
	while (result == DNS_MORE);
	return result;
}

enum dns_result dns_lookup(struct dns *dns, const char *text, enum dns_type type,
			   struct dns_answer *answer)
{
	enum dns_result result;
	struct dns_name name;

	if (!dns_name_from_text(text, &name))
		return DNS_BAD_NAME;
	if (find_in_hosts(&name, type, answer))
		return DNS_FOUND;
	for (unsigned i = 0; i < dns->config.search_count && !strchr(text, '.'); i++) {
		struct dns_name longer;
		char completed[DNS_MAX_TEXT];

		snprintf(completed, sizeof(completed), "%s.%s", text, dns->config.search[i]);
		if (!dns_name_from_text(completed, &longer))
			continue;
		result = dns_lookup_name(dns, &longer, type, answer);
		if (result == DNS_FOUND || result == DNS_NO_REPLY)
			return result;
	}
	return dns_lookup_name(dns, &name, type, answer);
}

enum dns_result dns_find_address(const char *host, uint32_t *address)
{
	struct dns *dns;
	struct dns_answer answer;
	enum dns_result result;
	uint32_t found;

	if (ip_address_parse(host, address))
		return DNS_FOUND;
	dns = malloc(sizeof(*dns));
	if (!dns)
		return DNS_NO_REPLY;
	dns_init(dns);
	result = dns_lookup(dns, host, DNS_A, &answer);
	free(dns);
	if (result != DNS_FOUND)
		return result;
	memcpy(&found, answer.records[answer.aliases].address, sizeof(found));
	*address = ntohl(found);
	return DNS_FOUND;
}
