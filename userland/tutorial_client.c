/*
 * The client of every sockets tutorial: socket, connect, send, recv, close. An ordinary program for
 * any Unix: `cc tutorial_client.c` builds it elsewhere, unchanged.
 *
 * usage: tutorial_client HOST [PORT]
 */
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char *argv[])
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *server;
	char request[512], answer[4096];
	ssize_t length;

	if (argc < 2 || argv[1][0] == '-') {
		fprintf(stderr, "usage: %s HOST [PORT]\n", argv[0]);
		return 2;
	}
	int error = getaddrinfo(argv[1], argc > 2 ? argv[2] : "80", &hints, &server);

	if (error != 0) {
		fprintf(stderr, "%s: %s\n", argv[1], gai_strerror(error));
		return 1;
	}
	int fd = socket(server->ai_family, server->ai_socktype, server->ai_protocol);

	if (fd < 0) {
		perror("socket");
		return 1;
	}
	if (connect(fd, server->ai_addr, server->ai_addrlen) < 0) {
		perror("connect");
		return 1;
	}
	freeaddrinfo(server);

	snprintf(request, sizeof(request), "GET / HTTP/1.0\r\nHost: %s\r\n\r\n", argv[1]);
	if (send(fd, request, strlen(request), 0) < 0) {
		perror("send");
		return 1;
	}
	while ((length = recv(fd, answer, sizeof(answer), 0)) > 0)
		fwrite(answer, 1, (size_t)length, stdout);
	if (length < 0) {
		perror("recv");
		return 1;
	}
	close(fd);
	return 0;
}
