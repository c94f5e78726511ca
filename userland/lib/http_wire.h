/*
 * HTTP/1.1 (RFC 9110, RFC 9112) as far as httpget and httpd need it: URLs, request and response
 * heads, chunks, ranges, dates. Pure functions on bytes; nothing is allocated.
 */
#ifndef USERLAND_LIB_HTTP_WIRE_H
#define USERLAND_LIB_HTTP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { HTTP_HEAD_MAX = 8192, HTTP_PATH_MAX = 1024, HTTP_HOST_MAX = 256 };

struct http_url {
	char host[HTTP_HOST_MAX];
	uint16_t port;
	char path[HTTP_PATH_MAX]; /* with the query; "/" at least */
};

/*
 * "http://host:port/path", or without the scheme. NULL, or what is wrong in a few words. A relative
 * reference ("/other", "other") is resolved against `base` when that is not NULL.
 */
const char *http_url_parse(const char *text, const struct http_url *base, struct http_url *url);

/* Bytes of a complete head (up to and with the empty line), or 0 when it is not all there. */
size_t http_head_length(const char *bytes, size_t length);

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_OTHER_METHOD };

struct http_range {
	bool given;
	bool from_end;        /* the last `first` bytes */
	uint64_t first, last; /* last UINT64_MAX: to the end */
};

struct http_request {
	enum http_method method;
	char path[HTTP_PATH_MAX]; /* decoded, without the query; begins with '/' */
	bool keep_alive, has_host;
	bool has_body; /* which we do not read */
	struct http_range range;
	int64_t modified_since; /* seconds since 1970; 0: not asked */
};

/*
 * A whole head. 0, or the status to refuse it with: 400, 414, 505. A path with ".." in it is a 400:
 * browsers and curl take that out before they ask.
 */
int http_request_parse(const char *head, size_t length, struct http_request *request);

struct http_response {
	int status;
	bool chunked;
	bool has_length;
	uint64_t length;
	bool keep_alive;
	char location[HTTP_PATH_MAX]; /* empty: none */
};

/* A whole head. False: not HTTP. */
bool http_response_parse(const char *head, size_t length, struct http_response *response);

/* Takes chunked bodies apart. Starts zeroed. */
struct http_chunks {
	enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_END_OF_DATA, CHUNK_TRAILER, CHUNK_DONE, CHUNK_BAD } at;
	uint64_t left; /* of the chunk */
	uint32_t line; /* characters of the current line */
	bool extension;
};

/*
 * Looks at the next bytes: *data and *data_length are the body bytes among them (may be 0). Returns
 * how many bytes were used up.
 */
size_t http_chunks_take(struct http_chunks *chunks, const char *bytes, size_t length,
			const char **data, size_t *data_length);

/* "Sun, 06 Nov 1994 08:49:37 GMT". */
void http_date(time_t when, char to[32]);

/* The type that a file's name suggests: "text/html; charset=utf-8". */
const char *http_content_type(const char *name);

/* "OK" for 200. */
const char *http_status_text(int status);

#endif
