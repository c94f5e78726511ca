/*
 * Random numbers: ChaCha20 with fast key erasure. Each refill makes a batch of key stream, of which
 * the first 32 bytes become the next key at once and the rest is handed out and wiped, so that
 * nobody who reads this memory learns what was handed out before.
 */
#include "kernel/random.h"
#include "kernel/arch/arm64/cpu.h"
#include "kernel/devicetree.h"
#include "kernel/lib/chacha20.h"
#include "kernel/lock.h"
#include "kernel/machine.h"
#include "kernel/printk.h"
#include "kernel/string.h"

#define BATCH_BLOCKS 8
#define KEY_BYTES (CHACHA20_KEY_WORDS * 4)
#define PROCESSOR_SEED_WORDS 8
#define PROCESSOR_TRIES 16

/* With interrupts masked. */
static struct {
	uint32_t key[CHACHA20_KEY_WORDS];
	uint32_t stirred[CHACHA20_KEY_WORDS]; /* what came in since the last refill */
	uint32_t stir_position;
	uint8_t batch[BATCH_BLOCKS * CHACHA20_BLOCK_SIZE];
	size_t used; /* bytes of the batch that are gone */
} generator = {.used = sizeof(generator.batch)};

static void refill(void)
{
	uint32_t counter_and_nonce[4] = {0};

	for (int i = 0; i < CHACHA20_KEY_WORDS; i++)
		generator.key[i] ^= generator.stirred[i];
	for (uint32_t block = 0; block < BATCH_BLOCKS; block++) {
		counter_and_nonce[0] = block;
		chacha20_block(generator.batch + block * CHACHA20_BLOCK_SIZE, generator.key,
			       counter_and_nonce);
	}
	memcpy(generator.key, generator.batch, KEY_BYTES);
	memset(generator.batch, 0, KEY_BYTES);
	generator.used = KEY_BYTES;
}

void random_bytes(void *to, size_t n)
{
	uint8_t *out = to;

	while (n > 0) {
		irq_flags_t flags = irq_save();
		if (generator.used == sizeof(generator.batch))
			refill();
		uint8_t *from = generator.batch + generator.used;
		size_t part = MIN(n, sizeof(generator.batch) - generator.used);
		memcpy(out, from, part);
		memset(from, 0, part);
		generator.used += part;
		irq_restore(flags);
		out += part;
		n -= part;
	}
}

uint32_t random_u32(void)
{
	uint32_t value;

	random_bytes(&value, sizeof(value));
	return value;
}

uint64_t random_u64(void)
{
	uint64_t value;

	random_bytes(&value, sizeof(value));
	return value;
}

/*
 * Cheap, since it runs at every interrupt: a word is turned and added to; the cipher mixes at the
 * next refill.
 */
void random_stir(const void *bytes, size_t n)
{
	const uint8_t *from = bytes;
	irq_flags_t flags = irq_save();

	for (; n > 0; from += 4) {
		size_t part = MIN(n, sizeof(uint32_t));
		uint32_t word = 0;
		__builtin_memcpy(&word, from, part);
		uint32_t *slot = &generator.stirred[generator.stir_position++ % CHACHA20_KEY_WORDS];
		*slot = (*slot << 7 | *slot >> 25) + word;
		n -= part;
	}
	irq_restore(flags);
}

static void stir_chosen(const char *name)
{
	int length;
	const void *seed = dt_chosen(name, &length);

	if (seed && length > 0)
		random_stir(seed, (size_t)length);
}

static void stir_from_processor(void)
{
	uint64_t value;

	if (!cpu_has_random())
		return;
	for (int word = 0; word < PROCESSOR_SEED_WORDS; word++) {
		int tries = 0;
		while (!cpu_random(&value) && ++tries < PROCESSOR_TRIES)
			;
		random_stir(&value, sizeof(value));
	}
}

void random_init(void)
{
	uint64_t now = arch_counter_ns();

	stir_chosen("rng-seed");
	refill(); /* each seed goes through the cipher before the next is added */
	stir_chosen("kaslr-seed");
	refill();
	stir_from_processor();
	random_stir(&now, sizeof(now));
	refill();
}
