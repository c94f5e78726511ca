/*
 * A storm of random system calls, to see that no program brings the kernel down: docs/fuzzing.md.
 *
 * main.c starts batches of children, disturbs them, and judges by ledger.c whether anything of them
 * is left, but for files and shared memory, which folders.c and segments.c remove. life.c is what a
 * child does; calls.c has the system calls, arguments.c makes their arguments, things.c opens what
 * they are about, arena.c is the memory they point to.
 */
#ifndef TEST_QEMU_STORM_STORM_H
#define TEST_QEMU_STORM_STORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* dice.c: numbers that only the seed decides. */
struct dice {
	uint64_t state;
};
struct dice dice_from(uint64_t seed);
uint64_t dice_bits(struct dice *dice);
uint32_t dice_below(struct dice *dice, uint32_t limit); /* [0, limit), limit > 0 */
bool dice_one_in(struct dice *dice, uint32_t chances);

/* raw.c: a system call as it is, without the C library's errno: threads here have no TLS. */
int64_t raw_call(long number, const uint64_t arguments[6]);
int64_t raw(long number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
/* rt_sigreturn with what lies at `stack` as its frame. */
void raw_signal_return(uint64_t stack);

/* What parent and children share: a mapped file, found by its name after an execve. */
#define SHARED_PATH "/run/storm-state"
#define TIDS 64
struct shared {
	uint64_t calls;        /* made so far, by all */
	int64_t lives_left;    /* processes and threads that may still be made in this batch */
	int32_t tids[TIDS];    /* of running threads, to be disturbed */
	uint32_t next_tid;     /* where the next one is written */
	uint32_t calls_a_life; /* how many calls each child makes */
};
extern struct shared *shared;
bool shared_open(bool create);
bool shared_take_life(void); /* false: there are enough */
void shared_note_tid(void);

/* arena.c: memory for arguments. Everything that storms unmap, protect and write lies here. */
void arena_prepare(struct dice *dice);
void arena_refill(struct dice *dice);      /* anew, what calls have overwritten */
uint64_t arena_any(struct dice *dice);     /* good, bad, misaligned, at a page's end */
uint64_t arena_strange(struct dice *dice); /* outside */
uint64_t arena_place(struct dice *dice);   /* page-aligned, to be mapped and unmapped */
/* Where these bytes stand now: as a rule whole. At most 2 KiB, at least one byte. */
uint64_t arena_put(struct dice *dice, const void *bytes, size_t size);

/* things.c: descriptors, paths, addresses. */
void things_open(struct dice *dice);     /* one of every kind */
void things_open_one(struct dice *dice); /* any kind */
const char *things_path(struct dice *dice);
const char *things_own_path(struct dice *dice);     /* a file of the storm's */
size_t things_address(struct dice *dice, void *to); /* of a socket, 128 bytes at most: its length */
#define THING_FDS 96                                /* descriptors lie below */
enum thing {
	THING_FILE = 1,
	THING_FOLDER,
	THING_PIPE,
	THING_SOCKET,
	THING_LISTENER,
	THING_EPOLL,
	THING_TIMER,
	THING_SIGNALS,
	THING_WATCH,
	THING_TERMINAL,
	THING_PROCESS,
	THING_OTHER,
};
/* A descriptor that was of this kind when things.c opened it; of any kind, when there is none. */
uint64_t things_descriptor(struct dice *dice, enum thing kind);

/* arguments.c, calls.c */
#define ARGUMENTS 6
typedef uint64_t argument_maker(struct dice *dice);
struct call {
	long number;
	argument_maker *arguments[ARGUMENTS]; /* NULL: anything */
};
void call_any(struct dice *dice);

/*
 * life.c: a child, which ends by itself after some thousands of calls, if nothing ends it before.
 */
void life(uint64_t seed) __attribute__((noreturn));

/* folders.c: removes the files that were not there when they were noted. */
#define WORK_DIRECTORY "/tmp/storm"
void folders_note(void);
void folders_clean(void);

/* segments.c: removes System V shared memory, all of it. */
void segments_clean(void);

/* ledger.c: what the machine holds. */
struct ledger {
	uint64_t processes, files, inodes, sockets, packets; /* counts */
	uint64_t taken_kib;                                  /* memory */
};
struct ledger ledger_read(void);
/* Ends every process that is not older than the storm; false when one cannot be ended. */
void ledger_note_processes(void);
bool ledger_end_others(void);
/* Whether more is taken than before; says so with `say`. */
bool ledger_is_worse(const struct ledger *before, const struct ledger *after, bool say);

#endif
