/*
 * A question on its way: to each server in turn, three times round with 1, 2 and 4 seconds of
 * patience. With the care of RFC 5452: each attempt has a random id and, by a new socket, a random
 * port; a connected socket hears nobody but that server; and who guesses gets sixteen tries.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userland/lib/bytes.h"
#include "userland/lib/clock.h"
#include "userland/lib/dns_reply.h"
#include "userland/lib/resolver/resolver.h"

enum { ROUNDS = 3 };

static void ask(struct resolver *resolver, struct asked *asked);

/* ---- The end of a question ---- */

static void close_socket(struct asked *asked)
{
	if (asked->fd >= 0)
		close(asked->fd);
	asked->fd = -1;
	free(asked->stream.in);
	memset(&asked->stream, 0, sizeof(asked->stream));
	asked->by_tcp = false;
}

/* Takes the clients from a question, which is free from here on. */
static struct waiting *end_question(struct asked *asked)
{
	struct waiting *waiting = asked->waiting;

	close_socket(asked);
	asked->waiting = NULL;
	asked->busy = false;
	return waiting;
}

static struct waiting *free_waiting(struct resolver *resolver, struct waiting *waiting)
{
	struct waiting *next = waiting->next;

	free(waiting);
	resolver->waiting_count--;
	return next;
}

static void fail(struct resolver *resolver, struct asked *asked)
{
	struct waiting *waiting = end_question(asked);

	resolver->statistics.failed++;
	while (waiting) {
		size_t length = dns_reply_emit_code(&waiting->question, DNS_SERVER_FAILURE,
						    resolver->message);

		resolver_reply(resolver, &waiting->source, resolver->message, length);
		waiting = free_waiting(resolver, waiting);
	}
}

/* `kept` is a reply of the server, trimmed. */
static void succeed(struct resolver *resolver, struct asked *asked, const uint8_t *kept,
		    size_t kept_length)
{
	struct waiting *waiting = asked->waiting;

	asked->waiting = NULL;
	while (waiting) {
		size_t limit = resolver_limit(&waiting->source, &waiting->question);
		size_t length = dns_reply_emit(kept, kept_length, 0, &waiting->question,
					       resolver->message, limit);

		resolver_reply(resolver, &waiting->source, resolver->message, length);
		waiting = free_waiting(resolver, waiting);
	}
	end_question(asked);
}

/* ---- One attempt ---- */

static int open_socket(uint32_t server, int type)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(DNS_PORT),
		.sin_addr.s_addr = htonl(server),
	};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno == EINPROGRESS)
		return fd;
	close(fd);
	return -1;
}

static bool choose_id(struct asked *asked)
{
	asked->query.wrong = 0;
	return getrandom(&asked->query.id, sizeof(asked->query.id), 0) == sizeof(asked->query.id);
}

static size_t write_query(const struct asked *asked, uint8_t *bytes)
{
	return dns_emit_question(asked->query.id, &asked->query.name, asked->query.type,
				 asked->edns, bytes);
}

static void set_deadline(const struct resolver *resolver, struct asked *asked)
{
	asked->deadline = clock_now() + (CLOCK_SECOND << asked->attempt / resolver->servers.count);
}

static bool ask_by_udp(struct resolver *resolver, struct asked *asked)
{
	uint8_t bytes[DNS_QUERY_MAX];
	size_t length;

	close_socket(asked);
	asked->edns = !resolver->servers.plain[asked->server];
	asked->fd = open_socket(resolver->servers.addresses[asked->server], SOCK_DGRAM);
	if (asked->fd < 0 || !choose_id(asked))
		return false;
	length = write_query(asked, bytes);
	set_deadline(resolver, asked);
	resolver->statistics.sent++;
	return send(asked->fd, bytes, length, 0) == (ssize_t)length;
}

/* RFC 7766 section 5: what did not fit is asked for again by TCP. */
static bool ask_by_tcp(struct resolver *resolver, struct asked *asked)
{
	struct asked_stream *stream = &asked->stream;
	size_t length;

	close_socket(asked);
	asked->by_tcp = true;
	asked->fd = open_socket(resolver->servers.addresses[asked->server], SOCK_STREAM);
	if (asked->fd < 0 || !choose_id(asked))
		return false;
	length = write_query(asked, stream->out + 2);
	put_be16(stream->out, (uint16_t)length);
	stream->out_length = 2 + length;
	set_deadline(resolver, asked);
	resolver->statistics.sent++;
	resolver->statistics.sent_by_tcp++;
	return true;
}

/* Others may have been given meanwhile, or none. */
static bool has_attempts(const struct resolver *resolver, const struct asked *asked)
{
	return asked->attempt < ROUNDS * resolver->servers.count;
}

/* This attempt led to nothing: the next server, or none any more. */
static void ask_next(struct resolver *resolver, struct asked *asked)
{
	asked->attempt++;
	ask(resolver, asked);
}

static void ask(struct resolver *resolver, struct asked *asked)
{
	const struct servers *servers = &resolver->servers;

	for (; has_attempts(resolver, asked); asked->attempt++) {
		asked->server = (servers->first + asked->attempt) % servers->count;
		if (ask_by_udp(resolver, asked))
			return;
	}
	fail(resolver, asked);
}

/* ---- Replies ---- */

static void take_reply(struct resolver *resolver, struct asked *asked, uint8_t *bytes,
		       const struct dns_message *message)
{
	struct servers *servers = &resolver->servers;
	struct dns_kept kept;
	enum dns_code code;

	if (message->truncated) {
		if (asked->by_tcp || !has_attempts(resolver, asked) || !ask_by_tcp(resolver, asked))
			ask_next(resolver, asked);
		return;
	}
	code = dns_reply_judge(message, &kept);
	if (asked->edns && (code == DNS_FORMAT_ERROR || code == DNS_NOT_IMPLEMENTED)) {
		servers->plain[asked->server] = true;
		ask(resolver, asked);
		return;
	}
	if (code != DNS_NO_ERROR && code != DNS_NAME_ERROR) {
		/* The server said otherwise: it was what it answered that cannot be. */
		if (message->code == DNS_NO_ERROR)
			resolver->statistics.bogus++;
		ask_next(resolver, asked);
		return;
	}
	servers->first = asked->server;
	dns_reply_trim(bytes, &kept);
	dns_store_put(&resolver->store, &asked->query.name, asked->query.type, clock_now(), bytes,
		      kept.length, kept.lifetime);
	succeed(resolver, asked, bytes, kept.length);
}

/* A server from before EDNS may refuse the message without a word about its question. */
static bool is_bare_refusal(const struct asked *asked, const uint8_t *bytes, size_t length)
{
	return asked->edns && length == DNS_HEADER_LENGTH && get_be16(bytes) == asked->query.id &&
	       (get_be16(bytes + 2) & (DNS_FLAG_RESPONSE | DNS_MASK_CODE)) ==
		       (DNS_FLAG_RESPONSE | DNS_FORMAT_ERROR);
}

static void receive_datagram(struct resolver *resolver, struct asked *asked)
{
	uint8_t bytes[DNS_REPLY_MAX];
	struct dns_message message;

	for (;;) {
		ssize_t length = recv(asked->fd, bytes, sizeof(bytes), 0);

		if (length < 0 && errno == EAGAIN)
			return;
		if (length < 0) {
			ask_next(resolver, asked);
			return;
		}
		if (is_bare_refusal(asked, bytes, (size_t)length)) {
			resolver->servers.plain[asked->server] = true;
			ask(resolver, asked);
			return;
		}
		switch (dns_query_judge(&asked->query, bytes, (size_t)length, &message)) {
		case DNS_TAKE:
			take_reply(resolver, asked, bytes, &message);
			return;
		case DNS_IGNORE:
			resolver->statistics.bogus++;
			continue;
		case DNS_ASK_ANEW:
			resolver->statistics.bogus++;
			ask_next(resolver, asked);
			return;
		}
	}
}

/* ---- TCP ---- */

/* Sends what is left of the query. False: the connection is no good. */
static bool send_stream(struct asked *asked)
{
	struct asked_stream *stream = &asked->stream;
	ssize_t sent = send(asked->fd, stream->out + stream->sent,
			    stream->out_length - stream->sent, MSG_NOSIGNAL);

	if (sent < 0)
		return errno == EAGAIN;
	stream->sent += (size_t)sent;
	return true;
}

/* Receives a part of what is wanted. 1: all is there, 0: wait, -1: it will not come. */
static int receive_part(int fd, uint8_t *bytes, size_t wanted, size_t *received)
{
	ssize_t length = recv(fd, bytes + *received, wanted - *received, 0);

	if (length < 0 && errno == EAGAIN)
		return 0;
	if (length <= 0)
		return -1;
	*received += (size_t)length;
	return *received == wanted;
}

/* The same for the reply: first its two bytes of length, then itself. */
static int receive_stream(struct asked *asked)
{
	struct asked_stream *stream = &asked->stream;

	if (!stream->in) {
		int done = receive_part(asked->fd, stream->length_bytes,
					sizeof(stream->length_bytes), &stream->received);

		if (done != 1)
			return done;
		stream->in_length = get_be16(stream->length_bytes);
		stream->received = 0;
		stream->in = stream->in_length > 0 ? malloc(stream->in_length) : NULL;
		if (!stream->in)
			return -1;
	}
	return receive_part(asked->fd, stream->in, stream->in_length, &stream->received);
}

static void take_stream(struct resolver *resolver, struct asked *asked)
{
	size_t length = asked->stream.in_length;
	uint8_t *bytes = asked->stream.in;
	struct dns_message message;

	asked->stream.in = NULL;
	if (dns_query_judge(&asked->query, bytes, length, &message) == DNS_TAKE) {
		take_reply(resolver, asked, bytes, &message);
	} else {
		resolver->statistics.bogus++;
		ask_next(resolver, asked);
	}
	free(bytes);
}

static void stream_ready(struct resolver *resolver, struct asked *asked)
{
	struct asked_stream *stream = &asked->stream;
	int done = 0;

	if (stream->sent < stream->out_length)
		done = send_stream(asked) ? 0 : -1;
	else
		done = receive_stream(asked);
	if (done < 0)
		ask_next(resolver, asked);
	else if (done > 0)
		take_stream(resolver, asked);
}

/* ---- Clients ---- */

static bool is_same_source(const struct source *a, const struct source *b)
{
	if (a->by_tcp || b->by_tcp)
		return a->by_tcp == b->by_tcp && a->serial == b->serial;
	return a->address.sin_addr.s_addr == b->address.sin_addr.s_addr &&
	       a->address.sin_port == b->address.sin_port;
}

static bool waits_already(const struct asked *asked, const struct source *source, uint16_t id)
{
	for (const struct waiting *each = asked->waiting; each; each = each->next)
		if (each->question.id == id && is_same_source(&each->source, source))
			return true;
	return false;
}

static bool add_waiting(struct resolver *resolver, struct asked *asked, const struct source *source,
			const struct dns_question *question)
{
	struct waiting *waiting;

	/* Impatient clients repeat themselves. */
	if (waits_already(asked, source, question->id))
		return true;
	if (resolver->waiting_count == RESOLVER_WAITING_MAX)
		return false;
	waiting = malloc(sizeof(*waiting));
	if (!waiting)
		return false;
	*waiting = (struct waiting){
		.next = asked->waiting, .source = *source, .question = *question};
	asked->waiting = waiting;
	resolver->waiting_count++;
	return true;
}

static struct asked *find_asked(struct resolver *resolver, const struct dns_question *question)
{
	for (unsigned i = 0; i < RESOLVER_ASKED_MAX; i++) {
		struct asked *asked = &resolver->asked[i];

		if (asked->busy && asked->query.type == question->type &&
		    dns_name_equal(&asked->query.name, &question->name))
			return asked;
	}
	return NULL;
}

static struct asked *find_free(struct resolver *resolver)
{
	for (unsigned i = 0; i < RESOLVER_ASKED_MAX; i++)
		if (!resolver->asked[i].busy)
			return &resolver->asked[i];
	return NULL;
}

bool asking_start(struct resolver *resolver, const struct source *source,
		  const struct dns_question *question)
{
	struct asked *asked = find_asked(resolver, question);

	if (asked) {
		resolver->statistics.joined++;
		return add_waiting(resolver, asked, source, question);
	}
	asked = find_free(resolver);
	if (!asked)
		return false;
	memset(asked, 0, sizeof(*asked));
	asked->fd = -1;
	asked->query.type = question->type;
	asked->query.name = question->name;
	if (!add_waiting(resolver, asked, source, question))
		return false;
	asked->busy = true;
	resolver->statistics.asked++;
	ask(resolver, asked);
	return true;
}

void asking_poll(const struct asked *asked, struct pollfd *wait)
{
	const struct asked_stream *stream = &asked->stream;
	bool sending = asked->by_tcp && stream->sent < stream->out_length;

	wait->fd = asked->busy ? asked->fd : -1;
	wait->events = sending ? POLLOUT : POLLIN;
}

void asking_ready(struct resolver *resolver, struct asked *asked)
{
	if (asked->by_tcp)
		stream_ready(resolver, asked);
	else
		receive_datagram(resolver, asked);
}

void asking_late(struct resolver *resolver, struct asked *asked)
{
	ask_next(resolver, asked);
}
