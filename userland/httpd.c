/*
 * httpd: serves the files of a folder by HTTP/1.1, to many clients at once with epoll. Connections
 * are kept alive, files go out by sendfile, parts of them by ranges (RFC 9110 14). Nothing above
 * the folder is reached: see lib/http_wire.c for paths and lib/http_file.c for files.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "userland/lib/argument.h"
#include "userland/lib/clock.h"
#include "userland/lib/http_file.h"
#include "userland/lib/stop.h"
#include "userland/lib/tcp.h"

enum { HTTPD_PORT = 80, EVENTS = 256 };

static const char usage[] =
	"usage: httpd [-p PORT] [-v] [DIR]\n"
	"Serves the files of DIR (.) by HTTP until Ctrl-C, then says how many.\n"
	"  -p PORT   listen on this port (80)\n"
	"  -v        print a line for each request\n"
	"  --help    print this text\n";

/* One connection: a request is read whole, then answered whole, then the next. */
struct client {
	int fd;
	bool answering;
	bool ending;         /* the last answer is out: what still comes is thrown away */
	bool waits_for_room; /* epoll watches for EPOLLOUT */
	struct http_answer answer;
	size_t text_sent;
	char *input;   /* HTTP_HEAD_MAX bytes, while there is a part of a request; or NULL */
	size_t filled; /* bytes of requests in it */
};

struct server {
	int epoll_fd, listen_fd, root_fd;
	bool verbose;
	char *spare_input; /* for the client that is served next: most requests come whole */
	unsigned long connections, requests, failures;
};

static void watch(const struct server *server, struct client *client, uint32_t events,
		  int operation)
{
	struct epoll_event event = {.events = events, .data.ptr = client};

	if (epoll_ctl(server->epoll_fd, operation, client ? client->fd : server->listen_fd,
		      &event) == 0)
		return;
	fprintf(stderr, "httpd: epoll: %s\n", strerror(errno));
	exit(1);
}

static void accept_clients(struct server *server)
{
	const int yes = 1;
	int fd;

	while ((fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct client *client = calloc(1, sizeof(*client));

		if (!client) {
			close(fd);
			server->failures++;
			continue;
		}
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
		client->fd = fd;
		client->answer.file_fd = -1;
		server->connections++;
		watch(server, client, EPOLLIN, EPOLL_CTL_ADD);
	}
}

static bool take_input(struct server *server, struct client *client)
{
	if (client->input)
		return true;
	client->input = server->spare_input ? server->spare_input : malloc(HTTP_HEAD_MAX);
	server->spare_input = NULL;
	return client->input != NULL;
}

static void give_input_back(struct server *server, struct client *client)
{
	if (server->spare_input)
		free(client->input);
	else
		server->spare_input = client->input;
	client->input = NULL;
}

static void end_client(struct server *server, struct client *client)
{
	give_input_back(server, client);
	http_answer_free(&client->answer);
	close(client->fd);
	free(client);
}

/* ---- Answering ---- */

enum progress { DONE, WAIT, BROKEN };

static enum progress send_text(struct client *client)
{
	const struct http_answer *answer = &client->answer;
	int more = answer->file_fd >= 0 ? MSG_MORE : 0;

	while (client->text_sent < answer->text_length) {
		ssize_t n = send(client->fd, answer->text + client->text_sent,
				 answer->text_length - client->text_sent, more);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? WAIT : BROKEN;
		client->text_sent += (size_t)n;
	}
	return DONE;
}

static enum progress send_body(struct client *client)
{
	struct http_answer *answer = &client->answer;

	while (answer->file_fd >= 0 && answer->length > 0) {
		ssize_t n = sendfile(client->fd, answer->file_fd, &answer->offset,
				     (size_t)answer->length);

		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? WAIT : BROKEN;
		if (n == 0)
			return BROKEN; /* the file became shorter than we said */
		answer->length -= n;
	}
	return DONE;
}

static enum progress send_answer(struct client *client)
{
	enum progress progress = send_text(client);

	if (progress == DONE)
		progress = send_body(client);
	if (progress != DONE)
		return progress;
	client->answering = false;
	client->text_sent = 0;
	/*
	 * Closing while there is something unread would be a reset, which may overtake the answer:
	 * RFC 9112 9.6.
	 */
	if (!client->answer.keep_alive) {
		client->ending = true;
		client->filled = 0;
		shutdown(client->fd, SHUT_WR);
	}
	http_answer_free(&client->answer);
	return DONE;
}

/* ---- Asking ---- */

static void log_request(const struct server *server, const struct http_request *request,
			const struct client *client)
{
	if (server->verbose)
		printf("%s %d\n", request->path, client->answer.status);
}

static void answer_head(struct server *server, struct client *client, size_t length)
{
	struct http_request request;
	int status = http_request_parse(client->input, length, &request);

	if (status)
		http_answer_error(status, false, false, &client->answer);
	else
		http_answer_request(server->root_fd, &request, &client->answer);
	/* A body would be taken for the next request. */
	if (request.has_body)
		client->answer.keep_alive = false;
	client->filled -= length;
	memmove(client->input, client->input + length, client->filled);
	client->answering = true;
	server->requests++;
	log_request(server, &request, client);
}

/* The next request that is complete. WAIT: none. */
static enum progress next_request(struct server *server, struct client *client)
{
	size_t length = http_head_length(client->input, client->filled);

	if (length) {
		answer_head(server, client, length);
		return DONE;
	}
	if (client->filled < HTTP_HEAD_MAX)
		return WAIT;
	http_answer_error(431, false, false, &client->answer);
	client->answering = true;
	return DONE;
}

static enum progress read_request(struct server *server, struct client *client)
{
	if (!take_input(server, client))
		return BROKEN;

	ssize_t n = read(client->fd, client->input + client->filled,
			 HTTP_HEAD_MAX - client->filled);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? WAIT : BROKEN;
	client->filled += (size_t)n;
	return n ? DONE : BROKEN;
}

/* Goes on until the client has nothing more, takes nothing more, or is gone. */
static enum progress work(struct server *server, struct client *client)
{
	for (;;) {
		enum progress progress = DONE;

		if (client->ending)
			client->filled = 0;
		if (!client->answering)
			progress = client->ending ? WAIT : next_request(server, client);
		if (progress == WAIT) {
			progress = read_request(server, client);
			if (progress != DONE)
				return progress;
			continue;
		}
		progress = send_answer(client);
		if (progress != DONE)
			return progress;
	}
}

static void serve(struct server *server, struct client *client)
{
	if (work(server, client) == BROKEN) {
		end_client(server, client);
		return;
	}
	if (client->filled == 0)
		give_input_back(server, client);
	if (client->answering != client->waits_for_room) {
		client->waits_for_room = client->answering;
		watch(server, client, client->answering ? EPOLLOUT : EPOLLIN, EPOLL_CTL_MOD);
	}
}

static void run(struct server *server)
{
	struct pollfd waiting = {.fd = server->epoll_fd, .events = POLLIN};
	struct epoll_event events[EVENTS];

	while (!stop_requested()) {
		stop_poll(&waiting, 1, CLOCK_NEVER);
		int count = epoll_wait(server->epoll_fd, events, EVENTS, 0);

		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr)
				serve(server, events[i].data.ptr);
			else
				accept_clients(server);
		}
		if (server->verbose)
			fflush(stdout);
	}
}

static const char *parse_options(int argc, char **argv, struct server *server, unsigned long *port)
{
	static const struct option long_options[] = {{"help", no_argument, NULL, 'h'}, {0}};
	int option;

	while ((option = getopt_long(argc, argv, "p:vh", long_options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			exit(0);
		}
		if (option == 'v')
			server->verbose = true;
		else if (option != 'p')
			argument_wrong("httpd", NULL, NULL);
		else if (!argument_number(optarg, 1, 65535, port))
			argument_wrong("httpd", "not a port", optarg);
	}
	if (optind + 1 < argc)
		argument_wrong("httpd", "one folder is enough", argv[optind + 1]);
	return optind < argc ? argv[optind] : ".";
}

int main(int argc, char **argv)
{
	struct server server = {0};
	unsigned long port = HTTPD_PORT;
	const char *folder = parse_options(argc, argv, &server, &port);

	signal(SIGPIPE, SIG_IGN);
	tcp_allow_many();
	server.root_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (server.root_fd < 0) {
		fprintf(stderr, "httpd: %s: %s\n", folder, strerror(errno));
		return 1;
	}
	server.listen_fd = tcp_listen_on("httpd", (uint16_t)port);
	if (server.listen_fd < 0)
		return 1;
	server.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (server.epoll_fd < 0) {
		fprintf(stderr, "httpd: epoll: %s\n", strerror(errno));
		return 1;
	}
	watch(&server, NULL, EPOLLIN, EPOLL_CTL_ADD);
	stop_on_signals();
	printf("httpd: serving %s on port %lu\n", folder, port);
	fflush(stdout);
	run(&server);
	printf("httpd: %lu connections, %lu requests\n", server.connections, server.requests);
	return 0;
}
