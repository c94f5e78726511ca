#define _GNU_SOURCE 1
#include "userland/lib/dns_files.h"

#include <arpa/inet.h>
#include <string.h>

#include "userland/lib/ip_option.h"

static const char blanks[] = " \t\r\n";

enum { LINE_MAX_LENGTH = 512 };

/* The next word of a line without its comment, or NULL. */
static char *next_word(char **line)
{
	char *word = *line + strspn(*line, blanks);

	if (*word == '\0' || *word == '#' || *word == ';')
		return NULL;
	*line = word + strcspn(word, blanks);
	if (**line)
		*(*line)++ = '\0';
	return word;
}

static void add_server(struct dns_config *config, const char *text)
{
	uint32_t address;

	if (!text || config->server_count == DNS_SERVERS_MAX || !ip_address_parse(text, &address))
		return;
	config->servers[config->server_count++] = address;
}

static void add_search(struct dns_config *config, const char *domain)
{
	if (config->search_count == DNS_SEARCH_MAX || strlen(domain) >= sizeof(config->search[0]))
		return;
	strcpy(config->search[config->search_count++], domain);
}

void dns_read_resolv_conf(FILE *file, struct dns_config *config)
{
	char buffer[LINE_MAX_LENGTH];

	memset(config, 0, sizeof(*config));
	config->port = DNS_PORT;
	while (fgets(buffer, sizeof(buffer), file)) {
		char *line = buffer;
		char *keyword = next_word(&line);
		char *word;

		if (!keyword)
			continue;
		if (strcmp(keyword, "nameserver") == 0)
			add_server(config, next_word(&line));
		if (strcmp(keyword, "search") != 0 && strcmp(keyword, "domain") != 0)
			continue;
		while ((word = next_word(&line)))
			add_search(config, word);
	}
}

/* One line of hosts(5): an address and its names. */
static bool line_answers(char *line, const struct dns_name *wanted, enum dns_type type,
			 struct dns_record *record)
{
	char *address = next_word(&line);
	char *word = address ? next_word(&line) : NULL;
	struct dns_name name;
	size_t length;

	if (!word)
		return false;
	if (inet_pton(AF_INET, address, record->address) == 1)
		length = 4;
	else if (inet_pton(AF_INET6, address, record->address) == 1)
		length = 16;
	else
		return false;
	if (type == DNS_PTR) {
		dns_reverse_name(record->address, length, &name);
		return dns_name_equal(&name, wanted) && dns_name_from_text(word, &record->target);
	}
	if (length != (type == DNS_A ? 4 : 16))
		return false;
	for (; word; word = next_word(&line))
		if (dns_name_from_text(word, &name) && dns_name_equal(&name, wanted))
			return true;
	return false;
}

bool dns_find_in_hosts(FILE *file, const struct dns_name *name, enum dns_type type,
		       struct dns_answer *answer)
{
	char line[LINE_MAX_LENGTH];

	dns_answer_begin(answer, name);
	while (answer->count < DNS_ANSWER_MAX && fgets(line, sizeof(line), file)) {
		struct dns_record *record = &answer->records[answer->count];

		memset(record, 0, sizeof(*record));
		if (!line_answers(line, name, type, record))
			continue;
		record->owner = *name;
		record->type = (uint16_t)type;
		record->class = DNS_CLASS_IN;
		answer->count++;
	}
	return answer->count > 0;
}
