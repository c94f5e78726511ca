#include "userland/lib/http_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAMES_MAX = 10000 };

/* ---- Texts ---- */

/* Formats at the end of the answer's text. Without memory the text stays as it is. */
__attribute__((format(printf, 2, 3))) static void add(struct http_answer *answer,
						      const char *format, ...)
{
	va_list args;
	char *piece;

	va_start(args, format);
	int length = vasprintf(&piece, format, args);

	va_end(args);
	if (length < 0)
		return;
	char *text = realloc(answer->text, answer->text_length + (size_t)length);

	if (text) {
		memcpy(text + answer->text_length, piece, (size_t)length);
		answer->text = text;
		answer->text_length += (size_t)length;
	}
	free(piece);
}

static void begin(struct http_answer *answer, int status, bool keep_alive)
{
	char date[32];

	*answer = (struct http_answer){.status = status, .file_fd = -1, .keep_alive = keep_alive};
	http_date(time(NULL), date);
	add(answer, "HTTP/1.1 %d %s\r\nServer: vitrine-httpd\r\nDate: %s\r\nConnection: %s\r\n",
	    status, http_status_text(status), date, keep_alive ? "keep-alive" : "close");
}

/* A body that is a text of ours. */
static void add_page(struct http_answer *answer, const char *page, size_t length, bool head_only)
{
	add(answer, "Content-Type: text/html; charset=utf-8\r\nContent-Length: %zu\r\n\r\n",
	    length);
	if (!head_only)
		add(answer, "%.*s", (int)length, page);
}

void http_answer_error(int status, bool keep_alive, bool head_only, struct http_answer *answer)
{
	char page[256];
	int length = snprintf(page, sizeof(page),
			      "<!doctype html><title>%d %s</title><h1>%d %s</h1>\n", status,
			      http_status_text(status), status, http_status_text(status));

	begin(answer, status, keep_alive);
	if (status == 405)
		add(answer, "Allow: GET, HEAD\r\n");
	add_page(answer, page, (size_t)length, head_only);
}

void http_answer_free(struct http_answer *answer)
{
	free(answer->text);
	if (answer->file_fd >= 0)
		close(answer->file_fd);
	answer->text = NULL;
	answer->file_fd = -1;
}

/* ---- Lists of folders ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t read_names(DIR *directory, char **names)
{
	const struct dirent *entry;
	size_t count = 0;

	while (count < NAMES_MAX && (entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		const char *slash = entry->d_type == DT_DIR ? "/" : "";

		if (asprintf(&names[count], "%s%s", entry->d_name, slash) >= 0)
			count++;
	}
	qsort(names, count, sizeof(*names), by_name);
	return count;
}

/* What would end an attribute or a text in HTML, or a path in a URL, is written as its number. */
static void add_escaped(struct http_answer *page, const char *text, bool url)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			     (c >= 'a' && c <= 'z') || strchr("-._~/", c) || (!url && c > 0x7f);

		if (plain)
			add(page, "%c", c);
		else if (url)
			add(page, "%%%02X", c);
		else
			add(page, "&#%u;", c);
	}
}

static void answer_list(int fd, const struct http_request *request, struct http_answer *answer)
{
	char **names = calloc(NAMES_MAX, sizeof(*names));
	struct http_answer page = {0};
	DIR *directory = names ? fdopendir(fd) : NULL;

	if (!directory) {
		close(fd);
		free(names);
		http_answer_error(500, request->keep_alive, false, answer);
		return;
	}
	size_t count = read_names(directory, names);

	add(&page, "<!doctype html><meta charset=utf-8><title>");
	add_escaped(&page, request->path, false);
	add(&page, "</title><h1>");
	add_escaped(&page, request->path, false);
	add(&page, "</h1><ul>\n");
	for (size_t i = 0; i < count; i++) {
		add(&page, "<li><a href=\"");
		add_escaped(&page, names[i], true);
		add(&page, "\">");
		add_escaped(&page, names[i], false);
		add(&page, "</a>\n");
		free(names[i]);
	}
	add(&page, "</ul>\n");
	begin(answer, 200, request->keep_alive);
	add_page(answer, page.text ? page.text : "", page.text_length,
		 request->method == HTTP_HEAD);
	free(page.text);
	free(names);
	closedir(directory);
}

/* ---- Files ---- */

/* The part of a file that the request asks for. 200, 206 or 416. */
static int choose_part(const struct http_range *range, off_t size, struct http_answer *answer)
{
	uint64_t whole = (uint64_t)size, first = range->first, last = range->last;

	answer->offset = 0;
	answer->length = size;
	if (!range->given)
		return 200;
	if (range->from_end) {
		first = first < whole ? whole - first : 0;
		last = UINT64_MAX;
		if (range->first == 0)
			return 416;
	}
	if (first >= whole)
		return 416;
	if (last >= whole)
		last = whole - 1;
	answer->offset = (off_t)first;
	answer->length = (off_t)(last - first + 1);
	return 206;
}

static void answer_file(int fd, const struct stat *file, const struct http_request *request,
			struct http_answer *answer)
{
	struct http_answer part = {0};
	char date[32];
	int status = choose_part(&request->range, file->st_size, &part);

	if (request->modified_since && file->st_mtime <= request->modified_since) {
		close(fd);
		begin(answer, 304, request->keep_alive);
		add(answer, "\r\n");
		return;
	}
	if (status == 416) {
		close(fd);
		begin(answer, 416, request->keep_alive);
		add(answer, "Content-Range: bytes */%lld\r\nContent-Length: 0\r\n\r\n",
		    (long long)file->st_size);
		return;
	}
	http_date(file->st_mtime, date);
	begin(answer, status, request->keep_alive);
	if (status == 206)
		add(answer, "Content-Range: bytes %lld-%lld/%lld\r\n", (long long)part.offset,
		    (long long)(part.offset + part.length - 1), (long long)file->st_size);
	add(answer,
	    "Content-Type: %s\r\nContent-Length: %lld\r\nLast-Modified: %s\r\n"
	    "Accept-Ranges: bytes\r\n\r\n",
	    http_content_type(request->path), (long long)part.length, date);
	if (request->method == HTTP_HEAD) {
		close(fd);
		return;
	}
	answer->file_fd = fd;
	answer->offset = part.offset;
	answer->length = part.length;
}

static int status_of(int error)
{
	if (error == EACCES || error == EPERM || error == ELOOP)
		return 403;
	return error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG ? 404 : 500;
}

/* "/dir" names a folder: its links work only below "/dir/". */
static void answer_redirect(const struct http_request *request, struct http_answer *answer)
{
	begin(answer, 301, request->keep_alive);
	add(answer, "Location: ");
	add_escaped(answer, request->path, true);
	add(answer, "/\r\nContent-Length: 0\r\n\r\n");
}

static void answer_folder(int fd, const struct http_request *request, struct http_answer *answer)
{
	struct stat file;

	if (request->path[strlen(request->path) - 1] != '/') {
		close(fd);
		answer_redirect(request, answer);
		return;
	}
	int index_fd = openat(fd, "index.html", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (index_fd >= 0 && fstat(index_fd, &file) == 0 && S_ISREG(file.st_mode)) {
		struct http_request index = *request;

		close(fd);
		snprintf(index.path, sizeof(index.path), "/index.html");
		answer_file(index_fd, &file, &index, answer);
		return;
	}
	if (index_fd >= 0)
		close(index_fd);
	answer_list(fd, request, answer);
}

/* Nonblocking, so that a FIFO does not hold everybody up. */
static int open_name(int folder_fd, const char *name, size_t length, int flags)
{
	char text[NAME_MAX + 1];

	if (length >= sizeof(text)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(text, name, length);
	text[length] = 0;
	return openat(folder_fd, text, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags);
}

/*
 * Opens what `path` names below the folder. Symbolic links are not followed (ELOOP, or ENOTDIR in
 * the midst of a path): they may lead out of it.
 */
static int open_below(int root_fd, const char *path)
{
	int fd = root_fd;

	path += strspn(path, "/");
	if (!*path)
		return open_name(root_fd, ".", 1, O_DIRECTORY);
	while (fd >= 0 && *path) {
		size_t length = strcspn(path, "/");
		int inner = open_name(fd, path, length, path[length] ? O_DIRECTORY : 0);

		if (fd != root_fd)
			close(fd);
		fd = inner;
		path += length;
		path += strspn(path, "/");
	}
	return fd;
}

void http_answer_request(int root_fd, const struct http_request *request,
			 struct http_answer *answer)
{
	bool head_only = request->method == HTTP_HEAD;
	struct stat file;

	if (request->method == HTTP_OTHER_METHOD) {
		http_answer_error(405, request->keep_alive && !request->has_body, false, answer);
		return;
	}
	int fd = open_below(root_fd, request->path);

	if (fd < 0 || fstat(fd, &file) != 0) {
		http_answer_error(status_of(errno), request->keep_alive, head_only, answer);
	} else if (S_ISDIR(file.st_mode)) {
		answer_folder(fd, request, answer);
	} else if (S_ISREG(file.st_mode)) {
		answer_file(fd, &file, request, answer);
	} else {
		close(fd);
		http_answer_error(403, request->keep_alive, head_only, answer);
	}
}
