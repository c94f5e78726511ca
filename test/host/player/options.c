/* Socket options by their names. */
#include <string.h>

#include "include/uapi/in.h"
#include "include/uapi/tcp.h"
#include "include/uapi/time.h"
#include "test/host/player/private.h"

enum form {
	FORM_INT,
	FORM_LINGER, /* SO_LINGER ON SECONDS */
	FORM_TIME,   /* SO_RCVTIMEO MILLISECONDS */
	FORM_WORD,   /* TCP_CONGESTION NAME */
};

struct option {
	const char *name;
	int level, number;
	enum form form;
};

#define OPTION(level, name, form)        \
	{                                \
#name, level, name, form \
	}

static const struct option options[] = {
	OPTION(SOL_SOCKET, SO_REUSEADDR, FORM_INT),
	OPTION(SOL_SOCKET, SO_ERROR, FORM_INT),
	OPTION(SOL_SOCKET, SO_SNDBUF, FORM_INT),
	OPTION(SOL_SOCKET, SO_RCVBUF, FORM_INT),
	OPTION(SOL_SOCKET, SO_KEEPALIVE, FORM_INT),
	OPTION(SOL_SOCKET, SO_OOBINLINE, FORM_INT),
	OPTION(SOL_SOCKET, SO_RCVLOWAT, FORM_INT),
	OPTION(SOL_SOCKET, SO_LINGER, FORM_LINGER),
	OPTION(SOL_SOCKET, SO_RCVTIMEO, FORM_TIME),
	OPTION(SOL_SOCKET, SO_SNDTIMEO, FORM_TIME),
	OPTION(SOL_IP, IP_TOS, FORM_INT),
	OPTION(SOL_IP, IP_MTU_DISCOVER, FORM_INT),
	OPTION(SOL_IP, IP_RECVERR, FORM_INT),
	OPTION(SOL_TCP, TCP_NODELAY, FORM_INT),
	OPTION(SOL_TCP, TCP_MAXSEG, FORM_INT),
	OPTION(SOL_TCP, TCP_CORK, FORM_INT),
	OPTION(SOL_TCP, TCP_KEEPIDLE, FORM_INT),
	OPTION(SOL_TCP, TCP_KEEPINTVL, FORM_INT),
	OPTION(SOL_TCP, TCP_KEEPCNT, FORM_INT),
	OPTION(SOL_TCP, TCP_SYNCNT, FORM_INT),
	OPTION(SOL_TCP, TCP_LINGER2, FORM_INT),
	OPTION(SOL_TCP, TCP_DEFER_ACCEPT, FORM_INT),
	OPTION(SOL_TCP, TCP_WINDOW_CLAMP, FORM_INT),
	OPTION(SOL_TCP, TCP_QUICKACK, FORM_INT),
	OPTION(SOL_TCP, TCP_CONGESTION, FORM_WORD),
	OPTION(SOL_TCP, TCP_USER_TIMEOUT, FORM_INT),
	OPTION(SOL_TCP, TCP_FASTOPEN, FORM_INT),
	OPTION(SOL_TCP, TCP_FASTOPEN_CONNECT, FORM_INT),
	OPTION(SOL_TCP, TCP_FASTOPEN_NO_COOKIE, FORM_INT),
	OPTION(SOL_TCP, TCP_NOTSENT_LOWAT, FORM_INT),
};

static const struct option *find(struct player *player, const struct command *command)
{
	const char *name = command_word(player, command, 0);

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	}
	player_fail(player, "there is no option %s", name);
}

static int set(struct flow *flow, const struct option *option, const void *value, size_t length)
{
	return socket_setsockopt(flow->socket, option->level, option->number, value,
				 (uint32_t)length);
}

int64_t options_set(struct player *player, struct flow *flow, const struct command *command)
{
	const struct option *option = find(player, command);

	if (option->form == FORM_WORD) {
		const char *word = command_word(player, command, 1);

		return set(flow, option, word, strlen(word));
	}
	int64_t number = command_number(player, command, 1);

	if (option->form == FORM_LINGER) {
		const struct linger linger = {
			.l_onoff = (int)number,
			.l_linger = number ? (int)command_number(player, command, 2) : 0};

		return set(flow, option, &linger, sizeof(linger));
	}
	if (option->form == FORM_TIME) {
		const struct timeval time = {.tv_sec = number / 1000,
					     .tv_usec = number % 1000 * 1000};

		return set(flow, option, &time, sizeof(time));
	}
	int value = (int)number;

	return set(flow, option, &value, sizeof(value));
}

/* Numbers alone; of SO_ERROR, the error (positive). */
int64_t options_get(struct player *player, struct flow *flow, const struct command *command)
{
	const struct option *option = find(player, command);
	int value = 0;
	uint32_t length = sizeof(value);
	int error = socket_getsockopt(flow->socket, option->level, option->number, &value, &length);

	if (error)
		return error;
	return option->number == SO_ERROR && option->level == SOL_SOCKET ? -value : value;
}
