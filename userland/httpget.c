/*
 * httpget: fetches a document by HTTP/1.1 (RFC 9112), to a file or to the standard output. It
 * follows redirects and takes chunked bodies apart; on a terminal it shows how far it is.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "userland/lib/argument.h"
#include "userland/lib/clock.h"
#include "userland/lib/http_wire.h"
#include "userland/lib/tcp.h"

enum { REDIRECTS_MAX = 10, BUFFER_SIZE = 65536, BAR_WIDTH = 30 };

static const uint64_t bar_interval = CLOCK_SECOND / 10;

static const char usage[] =
	"usage: httpget [options] URL\n"
	"  -o FILE   write the document there (else: standard output)\n"
	"  -I        only the head, by HEAD\n"
	"  -v        show the heads on stderr\n"
	"  -q        no progress bar\n"
	"  --help    print this text\n"
	"URL is http://HOST[:PORT]/PATH or HOST[:PORT]/PATH.\n"
	"Status: 0 for a document, 1 for another answer, 2 when there was none.\n";

struct options {
	const char *file, *url;
	bool head_only, verbose, quiet;
};

/* One answer as it comes in. */
struct transfer {
	const struct options *options;
	int fd;
	FILE *to;
	struct http_response response;
	struct http_chunks chunks;
	char buffer[BUFFER_SIZE];
	size_t filled;     /* bytes in the buffer */
	uint64_t received; /* of the body */
	uint64_t began, shown;
	bool bar;
};

__attribute__((noreturn)) static void fail(const char *what, const char *why)
{
	fprintf(stderr, "httpget: %s: %s\n", what, why);
	exit(2);
}

/* ---- Progress ---- */

static void draw_bar(struct transfer *transfer)
{
	uint64_t total = transfer->response.length, elapsed = clock_now() - transfer->began;
	double rate = elapsed ? (double)transfer->received / (double)elapsed : 0; /* MB/s */
	char bar[BAR_WIDTH + 1];

	if (!transfer->response.has_length) {
		fprintf(stderr, "\r%10llu bytes  %8.2f MB/s ",
			(unsigned long long)transfer->received, rate);
		return;
	}
	unsigned filled = total ? (unsigned)(transfer->received * BAR_WIDTH / total) : BAR_WIDTH;

	memset(bar, ' ', BAR_WIDTH);
	memset(bar, '#', filled > BAR_WIDTH ? BAR_WIDTH : filled);
	bar[BAR_WIDTH] = 0;
	fprintf(stderr, "\r[%s] %3u%%  %llu of %llu bytes  %.2f MB/s ", bar,
		total ? (unsigned)(transfer->received * 100 / total) : 100,
		(unsigned long long)transfer->received, (unsigned long long)total, rate);
}

static void show_progress(struct transfer *transfer, bool last)
{
	uint64_t now = clock_now();

	if (!transfer->bar || (!last && now - transfer->shown < bar_interval))
		return;
	transfer->shown = now;
	draw_bar(transfer);
	if (last)
		fputc('\n', stderr);
}

/* ---- Receiving ---- */

/* More bytes behind those in the buffer. False at the end of the connection. */
static bool receive(struct transfer *transfer)
{
	ssize_t n;

	do {
		n = read(transfer->fd, transfer->buffer + transfer->filled,
			 sizeof(transfer->buffer) - transfer->filled);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		fail(transfer->options->url, strerror(errno));
	transfer->filled += (size_t)n;
	return n > 0;
}

static void use_up(struct transfer *transfer, size_t n)
{
	transfer->filled -= n;
	memmove(transfer->buffer, transfer->buffer + n, transfer->filled);
}

static void write_body(struct transfer *transfer, const char *bytes, size_t length)
{
	if (fwrite(bytes, 1, length, transfer->to) != length)
		fail(transfer->options->file ? transfer->options->file : "standard output",
		     strerror(errno));
	transfer->received += length;
	show_progress(transfer, false);
}

/* The head, taken out of the buffer; interim answers (1xx) are skipped. */
static void receive_head(struct transfer *transfer)
{
	size_t length;

	do {
		while ((length = http_head_length(transfer->buffer, transfer->filled)) == 0) {
			if (transfer->filled >= HTTP_HEAD_MAX)
				fail(transfer->options->url, "the head has no end");
			if (!receive(transfer))
				fail(transfer->options->url, "the server closed without an answer");
		}
		if (!http_response_parse(transfer->buffer, length, &transfer->response))
			fail(transfer->options->url, "the answer is not HTTP");
		if (transfer->options->verbose)
			fwrite(transfer->buffer, 1, length, stderr);
		if (transfer->options->head_only)
			fwrite(transfer->buffer, 1, length, stdout);
		use_up(transfer, length);
	} while (transfer->response.status / 100 == 1);
}

static void receive_chunks(struct transfer *transfer)
{
	const char *data;
	size_t length;

	while (transfer->chunks.at != CHUNK_DONE) {
		if (transfer->filled == 0 && !receive(transfer))
			fail(transfer->options->url, "the document is cut off");
		size_t used = http_chunks_take(&transfer->chunks, transfer->buffer,
					       transfer->filled, &data, &length);

		if (length)
			write_body(transfer, data, length);
		use_up(transfer, used);
		if (transfer->chunks.at == CHUNK_BAD)
			fail(transfer->options->url, "a chunk is malformed");
	}
}

static void receive_plain(struct transfer *transfer)
{
	uint64_t left = transfer->response.has_length ? transfer->response.length : UINT64_MAX;

	while (left) {
		size_t part = transfer->filled < left ? transfer->filled : (size_t)left;

		write_body(transfer, transfer->buffer, part);
		use_up(transfer, part);
		left -= part;
		if (left && !receive(transfer))
			break;
	}
	if (left && transfer->response.has_length)
		fail(transfer->options->url, "the document is cut off");
}

static bool has_body(const struct http_response *response)
{
	return response->status != 204 && response->status != 304;
}

static void receive_body(struct transfer *transfer)
{
	transfer->began = clock_now();
	if (transfer->response.chunked)
		receive_chunks(transfer);
	else
		receive_plain(transfer);
	if (fflush(transfer->to) != 0)
		fail(transfer->options->file ? transfer->options->file : "standard output",
		     strerror(errno));
	show_progress(transfer, true);
}

/* ---- Asking ---- */

static void ask(int fd, const struct options *options, const struct http_url *url)
{
	char request[HTTP_PATH_MAX + HTTP_HOST_MAX + 256];
	char port[8] = "";

	if (url->port != 80)
		snprintf(port, sizeof(port), ":%u", url->port);
	int length = snprintf(request, sizeof(request),
			      "%s %s HTTP/1.1\r\nHost: %s%s\r\nUser-Agent: httpget\r\n"
			      "Accept: */*\r\nConnection: close\r\n\r\n",
			      options->head_only ? "HEAD" : "GET", url->path, url->host, port);

	if (options->verbose)
		fputs(request, stderr);
	if (write_all(fd, request, (size_t)length) != 0)
		fail(options->url, strerror(errno));
}

static bool is_redirect(const struct http_response *response)
{
	int status = response->status;

	return (status == 301 || status == 302 || status == 303 || status == 307 ||
		status == 308) &&
	       response->location[0];
}

/* One request and the head of its answer, redirects followed. */
static void open_document(struct transfer *transfer)
{
	struct http_url url;
	const char *problem = http_url_parse(transfer->options->url, NULL, &url);

	if (problem)
		fail(transfer->options->url, problem);
	for (int i = 0; i <= REDIRECTS_MAX; i++) {
		transfer->fd = tcp_connect_to("httpget", url.host, url.port);
		if (transfer->fd < 0)
			exit(2);
		ask(transfer->fd, transfer->options, &url);
		receive_head(transfer);
		if (!is_redirect(&transfer->response))
			return;
		problem = http_url_parse(transfer->response.location, &url, &url);
		if (problem)
			fail(transfer->response.location, problem);
		close(transfer->fd);
		transfer->filled = 0;
	}
	fail(transfer->options->url, "too many redirects");
}

static int fetch(const struct options *options)
{
	static struct transfer transfer;

	transfer.options = options;
	transfer.to = stdout;
	transfer.bar = !options->quiet && !options->verbose && isatty(STDERR_FILENO) &&
		       (options->file || !isatty(STDOUT_FILENO));
	open_document(&transfer);

	int status = transfer.response.status;

	if (status / 100 != 2)
		fprintf(stderr, "httpget: %s: status %d\n", options->url, status);
	if (!options->head_only && has_body(&transfer.response)) {
		if (options->file && status / 100 == 2)
			transfer.to = fopen(options->file, "we");
		if (!transfer.to)
			fail(options->file, strerror(errno));
		receive_body(&transfer);
	}
	close(transfer.fd);
	return status / 100 == 2 ? 0 : 1;
}

static void parse_options(int argc, char **argv, struct options *options)
{
	static const struct option long_options[] = {{"help", no_argument, NULL, 'h'}, {0}};
	int option;

	while ((option = getopt_long(argc, argv, "o:Ivqh", long_options, NULL)) != -1) {
		switch (option) {
		case 'o':
			options->file = optarg;
			break;
		case 'I':
			options->head_only = true;
			break;
		case 'v':
			options->verbose = true;
			break;
		case 'q':
			options->quiet = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			argument_wrong("httpget", NULL, NULL);
		}
	}
	if (optind == argc)
		argument_wrong("httpget", "no URL", NULL);
	if (optind + 1 < argc)
		argument_wrong("httpget", "one URL at a time", argv[optind + 1]);
	options->url = argv[optind];
}

int main(int argc, char **argv)
{
	static struct options options; /* the transfer keeps to it */

	signal(SIGPIPE, SIG_IGN);
	parse_options(argc, argv, &options);
	return fetch(&options);
}
