/*
 * A caching stub resolver: takes the questions of this machine's programs over UDP and TCP, answers
 * from /etc/hosts and from what it was told before, and asks the name servers for the rest.
 *
 *	resolver.c     a question's way to its answer, and the wait for whatever comes next
 *	asking.c       one question put to the servers until one answers
 *	connections.c  clients that speak TCP
 *	known.c        names that need no server
 *	servers.c      who is asked
 *
 * One process, one thread, no wait but poll's: idle, it does nothing at all. Everything that
 * strangers can make grow is bounded here.
 */
#ifndef USERLAND_LIB_RESOLVER_RESOLVER_H
#define USERLAND_LIB_RESOLVER_RESOLVER_H

#include <netinet/in.h>
#include <poll.h>

#include "userland/lib/dns_query.h"
#include "userland/lib/dns_question.h"
#include "userland/lib/dns_store.h"
#include "userland/lib/resolver/servers.h"

#define RESOLVER_ASKED_MAX 64    /* questions put to servers at one time */
#define RESOLVER_WAITING_MAX 256 /* clients who wait for their answers */
#define RESOLVER_CONNECTIONS_MAX 16
#define RESOLVER_QUERY_MAX 1232 /* bytes of a client's message */
#define RESOLVER_MESSAGE_MAX 65535

/* Where a question came from. */
struct source {
	bool by_tcp;
	struct sockaddr_in address; /* by UDP */
	unsigned connection;        /* by TCP: its place in the table ... */
	uint64_t serial;            /* ... and which of those that had this place */
};

/* A client who waits for what a server says. Owned by the question asked. */
struct waiting {
	struct waiting *next;
	struct source source;
	struct dns_question question;
};

/* The part of an exchange with a server that needs TCP. */
struct asked_stream {
	uint8_t out[2 + DNS_QUERY_MAX];
	size_t out_length, sent;
	uint8_t length_bytes[2];
	uint8_t *in; /* owned; NULL until the reply's length is known */
	size_t in_length, received;
};

/* A question put to the servers, for all who want to know the same. */
struct asked {
	bool busy;
	struct dns_query query;
	bool edns;         /* the query has an OPT record */
	bool by_tcp;       /* the reply by UDP was truncated */
	unsigned attempt;  /* counts servers and rounds */
	unsigned server;   /* asked at present: an index */
	int fd;            /* a socket of its own for each attempt, so a random port; -1: none */
	uint64_t deadline; /* of this attempt */
	struct waiting *waiting;
	struct asked_stream stream;
};

/* A client that speaks TCP. Its questions are answered one after the other. */
struct connection {
	int fd; /* -1: free */
	uint64_t serial;
	uint64_t deadline; /* when it has been idle for too long */
	bool waiting;      /* a question of it is being answered */
	uint8_t in[2 + RESOLVER_QUERY_MAX];
	size_t received;
	uint8_t *out; /* owned; NULL: nothing to send */
	size_t out_length, sent;
};

struct resolver_statistics {
	uint64_t queries;    /* messages of clients */
	uint64_t by_tcp;     /* of these */
	uint64_t malformed;  /* of these: answered with a code or not at all */
	uint64_t from_files; /* answered from /etc/hosts or by a rule */
	uint64_t from_cache;
	uint64_t asked;  /* questions put to servers */
	uint64_t joined; /* to one that was already on its way */
	uint64_t failed; /* no server could tell */
	uint64_t busy;   /* refused, because there were too many at one time */
	uint64_t sent;   /* messages to servers */
	uint64_t sent_by_tcp;
	uint64_t bogus; /* replies that were malformed, to another question, or impossible */
};

struct resolver {
	const char *hosts_path;
	struct servers servers;
	int udp, listener;
	uint64_t next_serial;
	unsigned waiting_count;
	struct dns_store store;
	struct asked asked[RESOLVER_ASKED_MAX];
	struct connection connections[RESOLVER_CONNECTIONS_MAX];
	struct resolver_statistics statistics;
	uint8_t message[RESOLVER_MESSAGE_MAX]; /* the reply being written */
};

/* Opens the sockets. False with errno set. The caller has set `hosts_path` and `servers.path`. */
bool resolver_open(struct resolver *resolver, uint32_t address, uint16_t port);

/* Waits for one thing to happen, or a signal (stop.h), and does what follows from it. */
void resolver_step(struct resolver *resolver);

/* One line for each number. */
void resolver_print_statistics(const struct resolver *resolver, FILE *file);

/* ---- Between the parts ---- */

/* Takes a client's message. The answer goes to `source`, at once or later. */
void resolver_receive(struct resolver *resolver, const struct source *source, const uint8_t *bytes,
		      size_t length);

/* Sends a client its reply. */
void resolver_reply(struct resolver *resolver, const struct source *source, const uint8_t *bytes,
		    size_t length);

/* The longest reply that this client takes. */
size_t resolver_limit(const struct source *source, const struct dns_question *question);

/* Puts a question to the servers, or joins one that is on its way. False: too many already. */
bool asking_start(struct resolver *resolver, const struct source *source,
		  const struct dns_question *question);

/* What to wait for, and what to do when it has come or when the deadline is over. */
void asking_poll(const struct asked *asked, struct pollfd *wait);
void asking_ready(struct resolver *resolver, struct asked *asked);
void asking_late(struct resolver *resolver, struct asked *asked);

void connections_init(struct resolver *resolver);
void connection_accept(struct resolver *resolver);
void connection_poll(const struct connection *connection, struct pollfd *wait);
void connection_ready(struct connection *connection, short events);
/* Takes the whole questions that have come, until one has to wait for its answer. */
void connection_go_on(struct resolver *resolver, struct connection *connection);
void connection_close(struct connection *connection);

/* Sends a reply; it is lost when the client has gone meanwhile. */
void connection_reply(struct resolver *resolver, const struct source *source, const uint8_t *bytes,
		      size_t length);

#endif
