#include "userland/lib/resolver/servers.h"

#include <string.h>

/* A file that was renamed over it has another inode; one that was written to, another time. */
static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void read_file(const char *path, struct dns_config *config)
{
	FILE *file = fopen(path, "re");

	memset(config, 0, sizeof(*config));
	if (!file)
		return;
	dns_read_resolv_conf(file, config);
	fclose(file);
}

bool servers_refresh(struct servers *servers)
{
	uint32_t addresses[DNS_SERVERS_MAX];
	struct dns_config config;
	struct stat now;
	unsigned count = 0;

	if (stat(servers->path, &now) < 0)
		memset(&now, 0, sizeof(now));
	if (is_same_file(&now, &servers->seen))
		return false;
	servers->seen = now;
	read_file(servers->path, &config);
	for (unsigned i = 0; i < config.server_count; i++)
		if (config.servers[i] != servers->own_address)
			addresses[count++] = config.servers[i];
	if (count == servers->count &&
	    memcmp(addresses, servers->addresses, count * sizeof(addresses[0])) == 0)
		return false;
	memcpy(servers->addresses, addresses, count * sizeof(addresses[0]));
	memset(servers->plain, 0, sizeof(servers->plain));
	servers->count = count;
	servers->first = 0;
	return true;
}
