/* HTTP's heads, URLs, ranges and chunks, as httpget and httpd read them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "userland/lib/http_wire.h"

/* ---- URLs ---- */

static void url_is(const char *text, const char *host, uint16_t port, const char *path)
{
	struct http_url url;

	assert_null(http_url_parse(text, NULL, &url));
	assert_string_equal(url.host, host);
	assert_int_equal(url.port, port);
	assert_string_equal(url.path, path);
}

static void urls(void **state)
{
	(void)state;
	url_is("http://a.test/", "a.test", 80, "/");
	url_is("HTTP://a.test:8080/x?y=z", "a.test", 8080, "/x?y=z");
	url_is("10.0.2.2:8000", "10.0.2.2", 8000, "/");
	url_is("host/deep/er#part", "host", 80, "/deep/er");
	url_is("http://host?query", "host", 80, "/?query");
}

static void url_complaint(const char *text, const char *complaint)
{
	struct http_url url;
	const char *problem = http_url_parse(text, NULL, &url);

	assert_non_null(problem);
	assert_non_null(strstr(problem, complaint));
}

static void wrong_urls(void **state)
{
	char long_host[HTTP_HOST_MAX + 2] = {0}, long_path[HTTP_PATH_MAX + 8] = "h/";

	(void)state;
	memset(long_host, 'h', sizeof(long_host) - 1);
	memset(long_path + 2, 'p', sizeof(long_path) - 3);
	url_complaint("https://a/", "only http://");
	url_complaint("http:///x", "no host");
	url_complaint("http://h:0/", "bad port");
	url_complaint("http://h:65536/", "bad port");
	url_complaint("http://h:8x/", "bad port");
	url_complaint("http://h:/", "bad port");
	url_complaint("http://h/a b", "blanks");
	url_complaint("http://h/a\r\nX: y", "blanks");
	url_complaint(long_host, "too long");
	url_complaint(long_path, "too long");
}

static void resolves_to(const char *reference, const char *host, const char *path)
{
	struct http_url url;

	assert_null(http_url_parse("http://base:81/dir/this?q=/x", NULL, &url));
	assert_null(http_url_parse(reference, &url, &url));
	assert_string_equal(url.host, host);
	assert_string_equal(url.path, path);
}

static void references(void **state)
{
	(void)state;
	resolves_to("/other", "base", "/other");
	resolves_to("other?z", "base", "/dir/other?z");
	resolves_to("http://else/there", "else", "/there");
}

/* ---- Requests ---- */

static int parse(const char *head, struct http_request *request)
{
	return http_request_parse(head, strlen(head), request);
}

static void request_line(void **state)
{
	struct http_request request;

	(void)state;
	assert_int_equal(parse("GET /a%20b?c HTTP/1.1\r\nHost: x\r\n\r\n", &request), 0);
	assert_int_equal(request.method, HTTP_GET);
	assert_string_equal(request.path, "/a b");
	assert_true(request.keep_alive);
	assert_int_equal(parse("HEAD http://x/y HTTP/1.0\n\n", &request), 0);
	assert_int_equal(request.method, HTTP_HEAD);
	assert_string_equal(request.path, "/y");
	assert_false(request.keep_alive);
	assert_int_equal(parse("GET http://x?a/y HTTP/1.0\r\n\r\n", &request), 0);
	assert_int_equal(parse("PUT / HTTP/1.0\r\n\r\n", &request), 0);
	assert_int_equal(request.method, HTTP_OTHER_METHOD);
}

static void refused_requests(void **state)
{
	static const struct {
		const char *head;
		int status;
	} cases[] = {
		{"GET / HTTP/1.1\r\n\r\n", 400}, /* no Host: RFC 9112 3.2 */
		{"GET /\r\n\r\n", 400},
		{"GET  / HTTP/1.0\r\n\r\n", 400},
		{"GET x HTTP/1.0\r\n\r\n", 400},
		{"GET /%zz HTTP/1.0\r\n\r\n", 400},
		{"GET /%00 HTTP/1.0\r\n\r\n", 400},
		{"GET /.. HTTP/1.0\r\n\r\n", 400},
		{"GET /a/../b HTTP/1.0\r\n\r\n", 400},
		{"GET /%2e%2E/b HTTP/1.0\r\n\r\n", 400},
		{"GET /..%2fb HTTP/1.0\r\n\r\n", 400},
		{"GET / HTTP/2.0\r\n\r\n", 505},
	};
	struct http_request request;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(parse(cases[i].head, &request), cases[i].status);
	assert_int_equal(parse("GET /..a/b.. HTTP/1.0\r\n\r\n", &request), 0);
}

static void connection_field(void **state)
{
	struct http_request request;

	(void)state;
	parse("GET / HTTP/1.1\r\nHost: x\r\nconnection: x, Close\r\n\r\n", &request);
	assert_false(request.keep_alive);
	parse("GET / HTTP/1.1\r\nHost: x\r\nConnection: enclose, closed\r\n\r\n", &request);
	assert_true(request.keep_alive);
	parse("GET / HTTP/1.0\r\nConnection:keep-alive \r\n\r\n", &request);
	assert_true(request.keep_alive);
}

static struct http_range range_of(const char *value)
{
	struct http_request request;
	char head[128];

	snprintf(head, sizeof(head), "GET / HTTP/1.0\r\nRange: %s\r\n\r\n", value);
	assert_int_equal(parse(head, &request), 0);
	return request.range;
}

static void ranges(void **state)
{
	static const char *const ignored[] = {"bytes=",
					      "bytes=-",
					      "bytes=5-1",
					      "bytes=a-",
					      "items=1-2",
					      "bytes=1-2,4-5",
					      "bytes=99999999999999999999-"};
	struct http_range range = range_of("bytes=5-10");

	(void)state;
	assert_true(range.given && range.first == 5 && range.last == 10 && !range.from_end);
	range = range_of("bytes=7-");
	assert_true(range.given && range.first == 7 && range.last == UINT64_MAX);
	range = range_of("bytes=-3");
	assert_true(range.given && range.from_end && range.first == 3);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		assert_false(range_of(ignored[i]).given);
}

/* ---- Answers ---- */

static void head_length(void **state)
{
	const char text[] = "HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody";

	(void)state;
	for (size_t length = 0; length < sizeof(text) - 1; length++)
		assert_int_equal(http_head_length(text, length), length < 25 ? 0 : 25);
	assert_int_equal(http_head_length("a\n\nb", 4), 3);
}

static void responses(void **state)
{
	const char head[] = "HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 12\r\n\r\n";
	const char chunked[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n";
	struct http_response response;

	(void)state;
	assert_true(http_response_parse(head, strlen(head), &response));
	assert_int_equal(response.status, 301);
	assert_string_equal(response.location, "/x");
	assert_true(response.has_length && response.length == 12 && !response.chunked);
	assert_true(http_response_parse(chunked, strlen(chunked), &response));
	assert_true(response.chunked && !response.has_length);
	assert_false(http_response_parse("SSH-2.0\r\n\r\n", 11, &response));
}

/* The body that comes out when the bytes arrive in pieces of `step`. */
static void take_chunks(const char *bytes, size_t step, struct http_chunks *chunks, char *body)
{
	size_t left = strlen(bytes), filled = 0;

	memset(chunks, 0, sizeof(*chunks));
	while (left && chunks->at != CHUNK_DONE && chunks->at != CHUNK_BAD) {
		const char *data;
		size_t length, given = left < step ? left : step;
		size_t used = http_chunks_take(chunks, bytes, given, &data, &length);

		assert_true(used <= given && (used || chunks->at >= CHUNK_DONE));
		if (length)
			memcpy(body + filled, data, length);
		filled += length;
		bytes += used;
		left -= used;
	}
	body[filled] = 0;
}

static void chunks_cut_anywhere(void **state)
{
	const char bytes[] = "5\r\nhello\r\n7;name=\"v\"\r\n, world\r\n0\r\nTrailer: x\r\n\r\n";
	struct http_chunks chunks;
	char body[64];

	(void)state;
	for (size_t step = 1; step < sizeof(bytes); step++) {
		take_chunks(bytes, step, &chunks, body);
		assert_int_equal(chunks.at, CHUNK_DONE);
		assert_string_equal(body, "hello, world");
	}
}

static void bad_chunks(void **state)
{
	static const char *const cases[] = {"x\r\n", "\r\n", "-5\r\nhello", "5\r\nhelloX\r\n",
					    "11111111111111111\r\n"};
	struct http_chunks chunks;
	char body[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		take_chunks(cases[i], 64, &chunks, body);
		assert_int_equal(chunks.at, CHUNK_BAD);
	}
}

static void dates_and_types(void **state)
{
	char date[32];

	(void)state;
	http_date(784111777, date);
	assert_string_equal(date, "Sun, 06 Nov 1994 08:49:37 GMT");
	assert_string_equal(http_content_type("/a/b.html"), "text/html; charset=utf-8");
	assert_string_equal(http_status_text(404), "Not Found");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls),
		cmocka_unit_test(wrong_urls),
		cmocka_unit_test(references),
		cmocka_unit_test(request_line),
		cmocka_unit_test(refused_requests),
		cmocka_unit_test(connection_field),
		cmocka_unit_test(ranges),
		cmocka_unit_test(head_length),
		cmocka_unit_test(responses),
		cmocka_unit_test(chunks_cut_anywhere),
		cmocka_unit_test(bad_chunks),
		cmocka_unit_test(dates_and_types),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
