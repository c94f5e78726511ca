#define _GNU_SOURCE 1
#include "userland/lib/netconfig.h"

#include <ctype.h>
#include <dirent.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "userland/lib/ip_option.h"
#include "userland/lib/log.h"
#include "userland/lib/netif.h"

#define RUN_DIRECTORY "/run/net"
#define RESOLV_CONF "/etc/resolv.conf"
#define TO_RESOLVER "nameserver 127.0.0.1\n"

/* ---- Text that grows in a buffer of fixed size ---- */

struct text {
	char bytes[2048];
	size_t length;
};

__attribute__((format(printf, 2, 3))) static void append(struct text *text, const char *format, ...)
{
	size_t space = sizeof(text->bytes) - text->length;
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(text->bytes + text->length, space, format, arguments);
	va_end(arguments);
	if (length > 0)
		text->length += (size_t)length < space ? (size_t)length : space - 1;
}

static void append_address(struct text *text, const char *before, uint32_t address)
{
	append(text, "%s%u.%u.%u.%u", before, address >> 24, address >> 16 & 255,
	       address >> 8 & 255, address & 255);
}

static void append_prefix(struct text *text, const char *before, const struct netconfig *config)
{
	append_address(text, before, config->address);
	append(text, "/%u", ip_prefix_length(config->netmask));
}

/* A reader sees the old file or the new one, never a part. */
static bool replace_file(const char *path, const struct text *text)
{
	char temporary[128];
	FILE *file;
	bool written;

	snprintf(temporary, sizeof(temporary), "%s.%ld", path, (long)getpid());
	file = fopen(temporary, "w");
	if (!file)
		return false;
	written = fwrite(text->bytes, 1, text->length, file) == text->length;
	if (fclose(file) != 0)
		written = false;
	if (written && rename(temporary, path) == 0)
		return true;
	unlink(temporary);
	return false;
}

/* ---- /run/net and the files made of it ---- */

static uint32_t default_gateway(const struct netconfig *config)
{
	for (unsigned i = 0; i < config->route_count; i++)
		if (config->routes[i].prefix_length == 0)
			return config->routes[i].gateway;
	return 0;
}

static void run_path(char path[64], const char *name)
{
	snprintf(path, 64, RUN_DIRECTORY "/%s", name);
}

static void write_run_file(const char *name, const struct netconfig *config)
{
	struct text text = {.length = 0};
	char path[64];

	append_prefix(&text, "address ", config);
	if (default_gateway(config) != 0)
		append_address(&text, "\ngateway ", default_gateway(config));
	append(&text, "\norigin %s\n", config->origin);
	if (config->domain[0])
		append(&text, "search %s\n", config->domain);
	for (unsigned i = 0; i < config->dns_count; i++) {
		append_address(&text, "nameserver ", config->dns[i]);
		append(&text, "\n");
	}
	mkdir("/run", 0755);
	mkdir(RUN_DIRECTORY, 0755);
	run_path(path, name);
	if (!replace_file(path, &text))
		log_line("net: %s: cannot write %s", name, path);
}

static int is_interface(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && !strchr(entry->d_name, '.');
}

static void append_lines(struct text *text, const char *keyword, const char *name)
{
	char path[64], line[320];
	FILE *file;

	run_path(path, name);
	file = fopen(path, "r");
	if (!file)
		return;
	/* Two interfaces may well name the same server. */
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, keyword, strlen(keyword)) == 0 && !strstr(text->bytes, line))
			append(text, "%s", line);
	fclose(file);
}

/* The lines of all interfaces that begin with a keyword, in the order of the interfaces' names. */
static void merge_lines(struct text *text, const char *keyword)
{
	struct dirent **entries;
	int count = scandir(RUN_DIRECTORY, &entries, is_interface, alphasort);

	for (int i = 0; i < count; i++) {
		append_lines(text, keyword, entries[i]->d_name);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static void merge_servers(struct text *text)
{
	text->length = 0;
	text->bytes[0] = '\0';
	merge_lines(text, "nameserver ");
}

static void merge_resolv_conf(struct text *text)
{
	text->length = 0;
	append(text, TO_RESOLVER);
	merge_lines(text, "search ");
}

/*
 * Several programs may do this at once, each after it wrote its own file in /run/net. Whoever
 * renames last looks once more, so the last version has everybody's lines.
 */
static void update_file(const char *path, void (*merge)(struct text *))
{
	struct text text, again;

	merge(&text);
	for (;;) {
		if (!replace_file(path, &text)) {
			log_line("net: cannot write %s", path);
			return;
		}
		merge(&again);
		if (strcmp(again.bytes, text.bytes) == 0)
			return;
		text = again;
	}
}

static void update_resolvers(void)
{
	update_file(NETCONFIG_SERVERS, merge_servers);
	update_file(RESOLV_CONF, merge_resolv_conf);
}

/* ---- Routes ---- */

/* eth0's routes win over eth1's, and so on: the number in the name is the metric. */
static unsigned route_metric(const char *name)
{
	const char *digits = name + strcspn(name, "0123456789");

	return (unsigned)strtoul(digits, NULL, 10);
}

static void add_routes(const char *name, const struct netconfig *config)
{
	for (unsigned i = 0; i < config->route_count; i++) {
		const struct netconfig_route *route = &config->routes[i];
		int error = netif_add_route(name, route->destination, route->prefix_length,
					    route->gateway, route_metric(name));
		struct text text = {.length = 0};

		if (!error)
			continue;
		append_address(&text, "", route->destination);
		append(&text, "/%u", route->prefix_length);
		append_address(&text, " via ", route->gateway);
		log_line("net: %s: route to %s refused: %s", name, text.bytes, strerror(-error));
	}
}

static void delete_routes(const char *name, const struct netconfig *config)
{
	for (unsigned i = 0; i < config->route_count; i++)
		netif_delete_route(name, config->routes[i].destination,
				   config->routes[i].prefix_length, config->routes[i].gateway,
				   route_metric(name));
}

/* ---- The whole ---- */

static void log_ready(const char *name, const struct netconfig *config, bool first)
{
	struct text text = {.length = 0};

	append_prefix(&text, "", config);
	if (default_gateway(config) != 0)
		append_address(&text, " gateway ", default_gateway(config));
	for (unsigned i = 0; i < config->dns_count; i++)
		append_address(&text, i == 0 ? " dns " : ",", config->dns[i]);
	log_line("net: %s %s%s (%s)", name, first ? "" : "now ", text.bytes, config->origin);
}

void netconfig_add_gateway(struct netconfig *config, uint32_t gateway)
{
	if (gateway == 0 || config->route_count == NETCONFIG_ROUTES_MAX)
		return;
	config->routes[config->route_count++] = (struct netconfig_route){.gateway = gateway};
}

/* The members before `origin` have no gaps between them. */
static bool same_config(const struct netconfig *a, const struct netconfig *b)
{
	return memcmp(a, b, offsetof(struct netconfig, origin)) == 0 &&
	       strcmp(a->origin, b->origin) == 0;
}

bool netconfig_apply(const char *name, const struct netconfig *config, const struct netconfig *old)
{
	int error;

	if (old && same_config(old, config))
		return true;
	error = netif_set_up(name, true);
	if (old) {
		delete_routes(name, old);
		netif_clear_address(name);
	}
	if (!error)
		error = netif_set_address(name, config->address, config->netmask,
					  config->broadcast);
	if (error) {
		log_line("net: %s: address refused: %s", name, strerror(-error));
		return false;
	}
	if (config->mtu != 0 && netif_set_mtu(name, config->mtu) != 0)
		log_line("net: %s: MTU %u refused", name, config->mtu);
	add_routes(name, config);
	write_run_file(name, config);
	update_resolvers();
	log_ready(name, config, old == NULL);
	return true;
}

void netconfig_remove(const char *name, const struct netconfig *config, const char *why)
{
	char path[64];

	delete_routes(name, config);
	netif_clear_address(name);
	run_path(path, name);
	unlink(path);
	update_resolvers();
	log_line("net: %s is not configured any more (%s)", name, why);
}
