/*
 * What httpd answers a request with: a file below its folder, a list of a folder, or a page that
 * says what is wrong.
 */
#ifndef USERLAND_LIB_HTTP_FILE_H
#define USERLAND_LIB_HTTP_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "userland/lib/http_wire.h"

struct http_answer {
	int status;
	char *text; /* head, and the body of pages made here; malloc'ed */
	size_t text_length;
	int file_fd;          /* the body is part of this file, or -1 */
	off_t offset, length; /* which part */
	bool keep_alive;
};

/* The answer to a request that was understood; `root_fd` is the folder that is served. */
void http_answer_request(int root_fd, const struct http_request *request,
			 struct http_answer *answer);

/* A page about an error, after which the connection is closed unless `keep_alive`. */
void http_answer_error(int status, bool keep_alive, bool head_only, struct http_answer *answer);

void http_answer_free(struct http_answer *answer);

#endif
