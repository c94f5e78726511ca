/* The text of --so_flags: interface.h says what stands in it. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/host/packetdrill/instance.h"
#include "test/host/services/host.h"

#define WORD_MAX 256

/*
 * Public scripts begin with a command that sets the machine's tunables, which does not reach this
 * stack. So it begins with what they set, where that is not what it has anyway.
 */
static const char usual_tunables[] =
	"net.ipv4.tcp_rmem=4096,540000,15728640 "
	"net.ipv4.tcp_wmem=4096,262144,4194304 "
	"net.ipv4.tcp_syn_retries=5 "
	"net.ipv4.tcp_slow_start_after_idle=0 "
	"net.ipv4.tcp_ecn=0 "
	"net.ipv4.tcp_fastopen=459779 " /* 0x70403 */
	"net.ipv4.tcp_fastopen_key=a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4";

static const struct instance_flags defaults = {
	.local = 0xc0a80001, /* 192.168.0.1 */
	.prefix_length = 16,
	.gateway = 0xc0a80002,
	.mtu = 1500,
	.seed = 1,
};

static void __attribute__((format(printf, 1, 2), noreturn)) refuse(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("libvitrine-packetdrill: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	exit(EXIT_FAILURE);
}

/* The next word into `word`; where the rest begins, or NULL at the end. */
static const char *next_word(const char *text, char word[WORD_MAX])
{
	text += strspn(text, " \t\n");
	size_t length = strcspn(text, " \t\n");

	if (length == 0)
		return NULL;
	if (length >= WORD_MAX)
		refuse("too long: %.40s...", text);
	memcpy(word, text, length);
	word[length] = '\0';
	return text + length;
}

/* Cuts NAME=VALUE in two; the value. */
static char *split(char *word)
{
	char *equals = strchr(word, '=');

	if (!equals)
		refuse("'%s' is not NAME=VALUE", word);
	*equals = '\0';
	return equals + 1;
}

static uint32_t parse_address(const char *text)
{
	struct in_addr address;

	if (inet_pton(AF_INET, text, &address) != 1)
		refuse("'%s' is no IPv4 address", text);
	return ntohl(address.s_addr);
}

static uint64_t parse_number(const char *text, uint64_t most)
{
	char *end;
	unsigned long long number = strtoull(text, &end, 0);

	if (end == text || *end || number > most)
		refuse("'%s' is no number up to %llu", text, (unsigned long long)most);
	return number;
}

static void parse_local(char *text, struct instance_flags *flags)
{
	char *slash = strchr(text, '/');

	if (!slash)
		refuse("'%s' is not ADDR/LEN", text);
	*slash = '\0';
	flags->local = parse_address(text);
	flags->prefix_length = (uint8_t)parse_number(slash + 1, 32);
}

void flags_parse(const char *text, struct instance_flags *flags)
{
	char word[WORD_MAX];

	*flags = defaults;
	flags->tunables = text ? text : "";
	for (text = flags->tunables; (text = next_word(text, word));) {
		char *value = split(word);

		if (!strcmp(word, "local"))
			parse_local(value, flags);
		else if (!strcmp(word, "gateway"))
			flags->gateway = parse_address(value);
		else if (!strcmp(word, "mtu"))
			flags->mtu = (uint32_t)parse_number(value, UINT16_MAX);
		else if (!strcmp(word, "seed"))
			flags->seed = parse_number(value, UINT64_MAX);
		else if (!strchr(word, '.'))
			refuse("what is '%s'?", word);
	}
}

/*
 * net.ipv4.tcp_rmem is /proc/sys/net/ipv4/tcp_rmem, and its numbers are separated by spaces.
 * Scripts set whatever Linux has; what is not here is only told.
 */
static void set_tunable(char *name, char *value)
{
	char path[WORD_MAX + 16];

	for (char *dot = name; (dot = strchr(dot, '.'));)
		*dot = '/';
	for (char *comma = value; (comma = strchr(comma, ','));)
		*comma = ' ';
	snprintf(path, sizeof(path), "sys/%s", name);
	int error = host_proc_write(path, value);

	if (error == -ENOENT)
		fprintf(stderr, "libvitrine-packetdrill: there is no /proc/%s\n", path);
	else if (error)
		refuse("/proc/%s does not take '%s'", path, value);
}

static void set_tunables(const char *text)
{
	char word[WORD_MAX];

	while ((text = next_word(text, word))) {
		char *value = split(word);

		if (strchr(word, '.'))
			set_tunable(word, value);
	}
}

void flags_set_tunables(const char *text)
{
	set_tunables(usual_tunables);
	set_tunables(text);
}
