#include "userland/lib/dns_store.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "userland/lib/bytes.h"
#include "userland/lib/clock.h"

/* FNV-1a over the name in lower case, and the type. */
#define HASH_START 2166136261u
#define HASH_PRIME 16777619u

static uint32_t hash_of(const struct dns_name *name, uint16_t type)
{
	uint32_t hash = HASH_START ^ type;

	for (unsigned i = 0; i < name->length; i++)
		hash = (hash ^ (uint32_t)tolower(name->bytes[i])) * HASH_PRIME;
	return hash;
}

/* A reply's question stands behind the header, never compressed. */
static bool answers(const struct dns_store_entry *entry, const struct dns_name *name, uint16_t type)
{
	const uint8_t *bytes = entry->bytes + DNS_HEADER_LENGTH;

	if (entry->length < (size_t)DNS_HEADER_LENGTH + name->length + DNS_QUESTION_TAIL ||
	    get_be16(bytes + name->length) != type)
		return false;
	for (unsigned i = 0; i < name->length; i++)
		if (tolower(bytes[i]) != tolower(name->bytes[i]))
			return false;
	return true;
}

static struct dns_store_entry *find(struct dns_store *store, const struct dns_name *name,
				    uint16_t type)
{
	uint32_t hash = hash_of(name, type);

	for (unsigned i = 0; i < DNS_STORE_REPLIES; i++) {
		struct dns_store_entry *entry = &store->entries[i];

		if (entry->bytes && entry->hash == hash && answers(entry, name, type))
			return entry;
	}
	return NULL;
}

static void forget(struct dns_store *store, struct dns_store_entry *entry)
{
	store->count--;
	store->bytes -= entry->length;
	free(entry->bytes);
	memset(entry, 0, sizeof(*entry));
}

static void forget_expired(struct dns_store *store, uint64_t now)
{
	for (unsigned i = 0; i < DNS_STORE_REPLIES; i++)
		if (store->entries[i].bytes && now >= store->entries[i].expires)
			forget(store, &store->entries[i]);
}

static struct dns_store_entry *longest_unused(struct dns_store *store)
{
	struct dns_store_entry *found = NULL;

	for (unsigned i = 0; i < DNS_STORE_REPLIES; i++) {
		struct dns_store_entry *entry = &store->entries[i];

		if (entry->bytes && (!found || entry->used < found->used))
			found = entry;
	}
	return found;
}

static bool is_full(const struct dns_store *store, size_t length)
{
	return store->count == DNS_STORE_REPLIES || store->bytes + length > DNS_STORE_BYTES;
}

static struct dns_store_entry *make_room(struct dns_store *store, size_t length, uint64_t now)
{
	if (is_full(store, length))
		forget_expired(store, now);
	while (is_full(store, length)) {
		forget(store, longest_unused(store));
		store->evicted++;
	}
	for (unsigned i = 0; i < DNS_STORE_REPLIES; i++)
		if (!store->entries[i].bytes)
			return &store->entries[i];
	return NULL;
}

const struct dns_store_entry *dns_store_get(struct dns_store *store, const struct dns_name *name,
					    uint16_t type, uint64_t now, uint32_t *age)
{
	struct dns_store_entry *entry = find(store, name, type);

	if (!entry)
		return NULL;
	if (now >= entry->expires) {
		forget(store, entry);
		return NULL;
	}
	entry->used = now;
	*age = (uint32_t)((now - entry->stored) / CLOCK_SECOND);
	return entry;
}

void dns_store_put(struct dns_store *store, const struct dns_name *name, uint16_t type,
		   uint64_t now, const uint8_t *bytes, size_t length, uint32_t lifetime)
{
	struct dns_store_entry *entry = find(store, name, type);
	uint8_t *copy;

	if (entry)
		forget(store, entry);
	if (lifetime == 0 || length > DNS_STORE_LONGEST)
		return;
	copy = malloc(length);
	if (!copy)
		return;
	memcpy(copy, bytes, length);
	entry = make_room(store, length, now);
	*entry = (struct dns_store_entry){
		.bytes = copy,
		.length = length,
		.hash = hash_of(name, type),
		.stored = now,
		.expires = now + lifetime * CLOCK_SECOND,
		.used = now,
	};
	store->count++;
	store->bytes += length;
}

void dns_store_clear(struct dns_store *store)
{
	for (unsigned i = 0; i < DNS_STORE_REPLIES; i++)
		if (store->entries[i].bytes)
			forget(store, &store->entries[i]);
}
