/*
 * A QEMU TCG plugin that counts executed guest instructions into a memory-mapped file, which
 * tools/bench reads before and after each load. Options:
 *
 *	out=FILE      the file: 64-bit counters, as many as fit. The first counts all instructions,
 *	text=ADDRESS  and those after it, if there are, each the instruction at ADDRESS, ADDRESS + 4
 *	              and so on: a profile of the kernel.
 *
 * The functions below are those of version 1 of QEMU's plugin API that it needs; Debian has no
 * header of it. The inline operation adds without locking: exact with one CPU.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
typedef void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block);

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id, translated *function);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *block, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *instruction);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *instruction,
						enum qemu_plugin_op operation, void *counter,
						uint64_t value);

__attribute__((visibility("default"))) extern int qemu_plugin_version;
int qemu_plugin_version = 1;

#define INSTRUCTION_BYTES 4

static uint64_t *counters;
static uint64_t text, text_count; /* where the profile begins; instructions in it */

static void add_one(struct qemu_plugin_insn *instruction, uint64_t *counter)
{
	qemu_plugin_register_vcpu_insn_exec_inline(instruction, QEMU_PLUGIN_INLINE_ADD_U64, counter,
						   1);
}

static void count_block(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
	(void)id;
	for (size_t i = 0; i < qemu_plugin_tb_n_insns(block); i++) {
		struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(block, i);
		uint64_t at = (qemu_plugin_insn_vaddr(instruction) - text) / INSTRUCTION_BYTES;

		add_one(instruction, &counters[0]);
		if (at < text_count)
			add_one(instruction, &counters[1 + at]);
	}
}

/* The counters in the file; NULL: it cannot be mapped. */
static uint64_t *map(const char *name)
{
	struct stat status;
	void *memory = MAP_FAILED;
	int file = open(name, O_RDWR);

	if (file < 0)
		return NULL;
	if (fstat(file, &status) == 0 && status.st_size >= (off_t)sizeof(*counters)) {
		text_count = (uint64_t)status.st_size / sizeof(*counters) - 1;
		memory = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			      file, 0);
	}
	close(file);
	return memory == MAP_FAILED ? NULL : memory;
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
							       const void *info, int argc,
							       char **argv);
int qemu_plugin_install(qemu_plugin_id_t id, const void *info, int argc, char **argv)
{
	(void)info;
	for (int i = 0; i < argc; i++) {
		if (strncmp(argv[i], "out=", 4) == 0)
			counters = map(argv[i] + 4);
		else if (strncmp(argv[i], "text=", 5) == 0)
			text = strtoull(argv[i] + 5, NULL, 0);
	}
	if (!counters)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, count_block);
	return 0;
}
