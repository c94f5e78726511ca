#include "userland/lib/http_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "userland/lib/command_line.h"

/* ---- URLs: RFC 3986 ---- */

static const char *parse_authority(const char *text, size_t length, struct http_url *url)
{
	const char *colon = memchr(text, ':', length);
	size_t host_length = colon ? (size_t)(colon - text) : length;

	if (host_length == 0)
		return "no host";
	if (host_length >= sizeof(url->host))
		return "host name too long";
	memcpy(url->host, text, host_length);
	url->host[host_length] = 0;
	url->port = 80;
	if (!colon)
		return NULL;

	char *end;
	unsigned long port = strtoul(colon + 1, &end, 10);

	if (colon[1] < '0' || colon[1] > '9' || end != text + length || port == 0 || port > 65535)
		return "bad port";
	url->port = (uint16_t)port;
	return NULL;
}

static const char *set_path(struct http_url *url, const char *path, size_t length)
{
	if (length == 0) {
		strcpy(url->path, "/");
		return NULL;
	}
	if (length >= sizeof(url->path) - 1)
		return "path too long";
	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)path[i] <= ' ' || path[i] == 0x7f)
			return "blanks and control characters must be written as %20 and so on";
	}
	url->path[0] = '/';
	memcpy(url->path + (path[0] != '/'), path, length);
	url->path[length + (path[0] != '/')] = 0;
	return NULL;
}

/* "other" beside "/dir/this": RFC 3986 5.2.3 */
static const char *merge_path(const struct http_url *base, const char *text, size_t length,
			      struct http_url *url)
{
	char whole[2 * HTTP_PATH_MAX];
	size_t directory = strcspn(base->path, "?");

	while (directory && base->path[directory - 1] != '/')
		directory--;
	if (directory + length >= sizeof(whole))
		return "path too long";
	memcpy(whole, base->path, directory);
	memcpy(whole + directory, text, length);
	return set_path(url, whole, directory + length);
}

const char *http_url_parse(const char *text, const struct http_url *base, struct http_url *url)
{
	size_t length = strcspn(text, "#"); /* the fragment is the reader's own */
	const char *scheme_end = strstr(text, "://");

	if (scheme_end && strncasecmp(text, "http://", 7) != 0)
		return "only http:// is spoken here";
	if (!scheme_end && base) {
		if (url != base)
			*url = *base;
		return text[0] == '/' ? set_path(url, text, length)
				      : merge_path(base, text, length, url);
	}
	if (scheme_end) {
		text += 7;
		length -= 7;
	}
	size_t authority = strcspn(text, "/?#");
	const char *problem = parse_authority(text, authority, url);

	return problem ? problem : set_path(url, text + authority, length - authority);
}

/* ---- Heads: RFC 9112 ---- */

size_t http_head_length(const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] != '\n')
			continue;
		if (i + 1 < length && bytes[i + 1] == '\n')
			return i + 2;
		if (i + 2 < length && bytes[i + 1] == '\r' && bytes[i + 2] == '\n')
			return i + 3;
	}
	return 0;
}

/* One line of a head, without its end. */
struct line {
	const char *text;
	size_t length;
};

static bool next_line(const char **at, const char *end, struct line *line)
{
	const char *newline = memchr(*at, '\n', (size_t)(end - *at));

	if (!newline)
		return false;
	line->text = *at;
	line->length = (size_t)(newline - *at);
	if (line->length && line->text[line->length - 1] == '\r')
		line->length--;
	*at = newline + 1;
	return line->length > 0;
}

/* The value of the field `name`, in `value`, NUL-terminated; false when it is another field. */
static bool field(const struct line *line, const char *name, char *value, size_t size)
{
	size_t name_length = strlen(name);

	if (line->length <= name_length || line->text[name_length] != ':' ||
	    strncasecmp(line->text, name, name_length) != 0)
		return false;
	const char *from = line->text + name_length + 1, *end = line->text + line->length;

	while (from < end && (*from == ' ' || *from == '\t'))
		from++;
	while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	size_t length = (size_t)(end - from);

	if (length >= size)
		length = size - 1;
	memcpy(value, from, length);
	value[length] = 0;
	return true;
}

/* Whether a list between commas has the word, in either case. */
static bool has_token(const char *list, const char *token)
{
	size_t length = strlen(token);

	for (const char *at = list; *at; at += strcspn(at, ",")) {
		at += strspn(at, ", \t");
		if (strncasecmp(at, token, length) == 0 && strchr(", \t;", at[length]))
			return true;
	}
	return false;
}

static bool all_digits(const char *text)
{
	return *text && text[strspn(text, "0123456789")] == 0 && strlen(text) < 19;
}

/* "bytes=0-99", "bytes=100-", "bytes=-5". One range; others are as if not asked: RFC 9110 14.2 */
static void parse_range(const char *value, struct http_range *range)
{
	char first[32], last[32];
	const char *dash = strchr(value, '-');

	if (strncasecmp(value, "bytes=", 6) != 0 || !dash || strchr(value, ','))
		return;
	if ((size_t)(dash - value - 6) >= sizeof(first) || strlen(dash + 1) >= sizeof(last))
		return;
	memcpy(first, value + 6, (size_t)(dash - value - 6));
	first[dash - value - 6] = 0;
	strcpy(last, dash + 1);
	if ((*first && !all_digits(first)) || (*last && !all_digits(last)) || (!*first && !*last))
		return;
	range->given = true;
	range->from_end = !*first;
	range->first = strtoull(*first ? first : last, NULL, 10);
	range->last = *last && *first ? strtoull(last, NULL, 10) : UINT64_MAX;
	if (range->last < range->first)
		range->given = false;
}

/* RFC 9110 5.6.7, its preferred form alone. 0: not understood. */
static int64_t parse_date(const char *value)
{
	struct tm tm = {0};
	const char *end = strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &tm);

	return end && !*end ? timegm(&tm) : 0;
}

static void parse_request_field(const struct line *line, struct http_request *request)
{
	char value[256];

	if (field(line, "Connection", value, sizeof(value))) {
		if (has_token(value, "close"))
			request->keep_alive = false;
		else if (has_token(value, "keep-alive"))
			request->keep_alive = true;
	} else if (field(line, "Host", value, sizeof(value))) {
		request->has_host = true;
	} else if (field(line, "Range", value, sizeof(value))) {
		parse_range(value, &request->range);
	} else if (field(line, "If-Modified-Since", value, sizeof(value))) {
		request->modified_since = parse_date(value);
	} else if (field(line, "Transfer-Encoding", value, sizeof(value))) {
		request->has_body = true;
	} else if (field(line, "Content-Length", value, sizeof(value))) {
		request->has_body = strcmp(value, "0") != 0;
	}
}

/* No segment may be "..", so what is asked for lies below the root. */
static bool climbs(const char *path)
{
	for (const char *at = strstr(path, ".."); at; at = strstr(at + 1, "..")) {
		if (at[-1] == '/' && (at[2] == '/' || at[2] == 0))
			return true;
	}
	return false;
}

static int parse_target(const char *text, size_t length, struct http_request *request)
{
	/* The absolute form, for proxies: RFC 9112 3.2.2 */
	if (length > 7 && strncasecmp(text, "http://", 7) == 0) {
		const char *path = memchr(text + 7, '/', length - 7);

		if (!path)
			return 400;
		length -= (size_t)(path - text);
		text = path;
	}
	const char *query = memchr(text, '?', length);

	if (query)
		length = (size_t)(query - text);
	if (length >= sizeof(request->path))
		return 414;
	if (length == 0 || text[0] != '/')
		return 400;
	memcpy(request->path, text, length);
	request->path[length] = 0;
	return percent_decode(request->path) && !climbs(request->path) ? 0 : 400;
}

static enum http_method parse_method(const char *text, size_t length)
{
	if (length == 3 && memcmp(text, "GET", 3) == 0)
		return HTTP_GET;
	if (length == 4 && memcmp(text, "HEAD", 4) == 0)
		return HTTP_HEAD;
	return HTTP_OTHER_METHOD;
}

int http_request_parse(const char *head, size_t length, struct http_request *request)
{
	const char *at = head, *end = head + length;
	struct line line;

	memset(request, 0, sizeof(*request));
	if (!next_line(&at, end, &line))
		return 400;
	const char *line_end = line.text + line.length;
	const char *target = memchr(line.text, ' ', line.length);
	const char *version = target ? memchr(target + 1, ' ', (size_t)(line_end - target - 1))
				     : NULL;

	if (!version || line_end - version != 9 || memcmp(version + 1, "HTTP/", 5) != 0)
		return 400;
	if (version[6] != '1')
		return 505;
	request->keep_alive = version[8] != '0';
	request->method = parse_method(line.text, (size_t)(target - line.text));
	int status = parse_target(target + 1, (size_t)(version - target - 1), request);

	if (status)
		return status;
	while (next_line(&at, end, &line))
		parse_request_field(&line, request);
	/* RFC 9112 3.2 */
	return version[8] == '0' || request->has_host ? 0 : 400;
}

static void parse_response_field(const struct line *line, struct http_response *response)
{
	char value[HTTP_PATH_MAX];

	if (field(line, "Content-Length", value, sizeof(value)) && all_digits(value)) {
		response->has_length = true;
		response->length = strtoull(value, NULL, 10);
	} else if (field(line, "Transfer-Encoding", value, sizeof(value))) {
		response->chunked = has_token(value, "chunked");
	} else if (field(line, "Location", value, sizeof(value))) {
		strcpy(response->location, value);
	} else if (field(line, "Connection", value, sizeof(value))) {
		response->keep_alive = !has_token(value, "close");
	}
}

bool http_response_parse(const char *head, size_t length, struct http_response *response)
{
	const char *at = head, *end = head + length;
	struct line line;

	memset(response, 0, sizeof(*response));
	if (!next_line(&at, end, &line) || line.length < 12 ||
	    memcmp(line.text, "HTTP/1.", 7) != 0 || line.text[8] != ' ')
		return false;
	for (int i = 9; i < 12; i++) {
		if (line.text[i] < '0' || line.text[i] > '9')
			return false;
		response->status = response->status * 10 + (line.text[i] - '0');
	}
	response->keep_alive = line.text[7] != '0';
	while (next_line(&at, end, &line))
		parse_response_field(&line, response);
	return true;
}

/* ---- Chunks: RFC 9112 7.1 ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static void size_line(struct http_chunks *chunks, char c)
{
	int digit = hex_digit(c);

	if (c == '\n') {
		if (chunks->line == 0)
			chunks->at = CHUNK_BAD;
		else
			chunks->at = chunks->left ? CHUNK_DATA : CHUNK_TRAILER;
		chunks->line = 0;
		chunks->extension = false;
	} else if (digit >= 0 && !chunks->extension) {
		chunks->left = chunks->left << 4 | (unsigned)digit;
		if (++chunks->line > 15)
			chunks->at = CHUNK_BAD;
	} else if (c == ';' || c == '\r' || c == ' ') {
		chunks->extension = true;
	} else if (!chunks->extension) {
		chunks->at = CHUNK_BAD;
	}
}

static void trailer_line(struct http_chunks *chunks, char c)
{
	if (c == '\n') {
		if (chunks->line == 0)
			chunks->at = CHUNK_DONE;
		chunks->line = 0;
	} else if (c != '\r') {
		chunks->line++;
	}
}

size_t http_chunks_take(struct http_chunks *chunks, const char *bytes, size_t length,
			const char **data, size_t *data_length)
{
	size_t used = 0;

	*data_length = 0;
	while (used < length && chunks->at != CHUNK_DONE && chunks->at != CHUNK_BAD) {
		if (chunks->at == CHUNK_DATA) {
			*data = bytes + used;
			*data_length = length - used < chunks->left ? length - used
								    : (size_t)chunks->left;
			chunks->left -= *data_length;
			if (chunks->left == 0)
				chunks->at = CHUNK_END_OF_DATA;
			return used + *data_length;
		}
		char c = bytes[used++];

		if (chunks->at == CHUNK_SIZE)
			size_line(chunks, c);
		else if (chunks->at == CHUNK_TRAILER)
			trailer_line(chunks, c);
		else if (c == '\n')
			chunks->at = CHUNK_SIZE;
		else if (c != '\r')
			chunks->at = CHUNK_BAD;
	}
	return used;
}

/* ---- Words ---- */

void http_date(time_t when, char to[32])
{
	struct tm tm;

	strftime(to, 32, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&when, &tm));
}

const char *http_content_type(const char *name)
{
	static const char *const types[][2] = {
		{".html", "text/html; charset=utf-8"},
		{".htm", "text/html; charset=utf-8"},
		{".txt", "text/plain; charset=utf-8"},
		{".md", "text/plain; charset=utf-8"},
		{".c", "text/plain; charset=utf-8"},
		{".h", "text/plain; charset=utf-8"},
		{".css", "text/css"},
		{".js", "text/javascript"},
		{".json", "application/json"},
		{".svg", "image/svg+xml"},
		{".png", "image/png"},
		{".jpg", "image/jpeg"},
		{".gif", "image/gif"},
		{".pdf", "application/pdf"},
		{".gz", "application/gzip"},
	};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcasecmp(dot, types[i][0]) == 0)
			return types[i][1];
	}
	return "application/octet-stream";
}

const char *http_status_text(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 206:
		return "Partial Content";
	case 301:
		return "Moved Permanently";
	case 304:
		return "Not Modified";
	case 400:
		return "Bad Request";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 414:
		return "URI Too Long";
	case 416:
		return "Range Not Satisfiable";
	case 431:
		return "Request Header Fields Too Large";
	case 500:
		return "Internal Server Error";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Unknown";
	}
}
