#include "userland/lib/dns_cache.h"

#define SECOND 1000000ull

bool dns_cache_get(const struct dns_cache *cache, const struct dns_name *name, enum dns_type type,
		   uint64_t now, struct dns_answer *answer)
{
	for (unsigned i = 0; i < DNS_CACHE_SIZE; i++) {
		const struct dns_cache_entry *entry = &cache->entries[i];
		uint32_t age;

		if (now >= entry->expires || entry->type != type ||
		    !dns_name_equal(&entry->name, name))
			continue;
		*answer = entry->answer;
		age = (uint32_t)((now - entry->stored) / SECOND);
		for (unsigned j = 0; j < answer->count; j++)
			answer->records[j].ttl -= age;
		return true;
	}
	return false;
}

/* The entry of this name itself, else the one that expires first: a free one does so already. */
static struct dns_cache_entry *choose_entry(struct dns_cache *cache, const struct dns_name *name,
					    enum dns_type type)
{
	struct dns_cache_entry *chosen = &cache->entries[0];

	for (unsigned i = 0; i < DNS_CACHE_SIZE; i++) {
		struct dns_cache_entry *entry = &cache->entries[i];

		if (entry->type == type && dns_name_equal(&entry->name, name))
			return entry;
		if (entry->expires < chosen->expires)
			chosen = entry;
	}
	return chosen;
}

void dns_cache_put(struct dns_cache *cache, const struct dns_name *name, enum dns_type type,
		   uint64_t now, const struct dns_answer *answer)
{
	struct dns_cache_entry *entry;

	if (answer->truncated || answer->count == 0 || dns_answer_ttl(answer) == 0)
		return;
	entry = choose_entry(cache, name, type);
	entry->name = *name;
	entry->type = (uint16_t)type;
	entry->stored = now;
	entry->expires = now + dns_answer_ttl(answer) * SECOND;
	entry->answer = *answer;
}
