/*
 * The key of the cookies that our listeners give, as programs set it: TCP_FASTOPEN_KEY, and
 * /proc/sys/net/ipv4/tcp_fastopen_key. Machines that share it take each other's cookies: RFC 7413
 * 6.3.4.
 */
#include "kernel/errno.h"
#include "kernel/procfs/procfs.h"
#include "kernel/string.h"
#include "net/tcp/tcp_fastopen.h"
#include "net/tcp/tcp_state.h"

#define KEY_LENGTH 16 /* bytes */
#define KEY_WORDS 4   /* of 32 bits, little-endian */
#define WORD_DIGITS 8

int tcp_fastopen_set_key(struct tcp_socket *tcp, const void *value, uint32_t length)
{
	if (length != KEY_LENGTH)
		return -EINVAL;
	memcpy(tcp_of(tcp_net(tcp))->secrets.fastopen, value, KEY_LENGTH);
	return 0;
}

/* Four words in hexadecimal: 00112233-44556677-8899aabb-ccddeeff. */
static void show_key(struct text *text, void *net)
{
	uint32_t words[KEY_WORDS];

	memcpy(words, tcp_of(net)->secrets.fastopen, sizeof(words));
	text_printf(text, "%08x-%08x-%08x-%08x\n", words[0], words[1], words[2], words[3]);
}

/* The digit's value, or -1. */
static int digit(char character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	if (character >= 'a' && character <= 'f')
		return character - 'a' + 10;
	return -1;
}

/* Where the word ends, or NULL when there is none. */
static const char *parse_word(const char *from, uint32_t *word)
{
	uint32_t digits = 0;

	for (*word = 0; digits < WORD_DIGITS && digit(*from) >= 0; from++, digits++)
		*word = *word << 4 | (uint32_t)digit(*from);
	return digits ? from : NULL;
}

static int store_key(const char *written, void *net)
{
	uint32_t words[KEY_WORDS];

	for (uint32_t i = 0; i < KEY_WORDS; i++) {
		written = parse_word(written, &words[i]);
		if (!written || (i + 1 < KEY_WORDS && *written++ != '-'))
			return -EINVAL;
	}
	if (*written && *written != '\n')
		return -EINVAL;
	memcpy(tcp_of(net)->secrets.fastopen, words, sizeof(words));
	return 0;
}

int tcp_fastopen_proc_init(struct net *net)
{
	return proc_register_writable("sys/net/ipv4/tcp_fastopen_key", show_key, store_key, net);
}
