/*
 * The server of every sockets tutorial: socket, bind, listen, accept, recv, send, close, for one
 * client after another. An ordinary program for any Unix, as tutorial_client.c is.
 *
 * usage: tutorial_server [PORT]
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char answer[] = "HTTP/1.0 200 OK\r\n"
			     "Content-Type: text/plain\r\n"
			     "\r\n"
			     "Hello, world!\n";

int main(int argc, char *argv[])
{
	struct sockaddr_in address;
	char request[4096];
	int port = argc > 1 ? atoi(argv[1]) : 8000;
	int yes = 1;

	if (port <= 0 || port > 65535) {
		fprintf(stderr, "usage: %s [PORT]\n", argv[0]);
		return 2;
	}
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (listener < 0) {
		perror("socket");
		return 1;
	}
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));

	memset(&address, 0, sizeof(address));
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_ANY);
	address.sin_port = htons((unsigned short)port);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0) {
		perror("bind");
		return 1;
	}
	if (listen(listener, 10) < 0) {
		perror("listen");
		return 1;
	}
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0) {
			perror("accept");
			continue;
		}
		if (recv(fd, request, sizeof(request), 0) > 0)
			send(fd, answer, strlen(answer), 0);
		close(fd);
	}
}
