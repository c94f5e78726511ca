/*
 * The few words that every file uses: integer types, container_of, array sizes, bounds.
 *
 * Depends on nothing but the compiler's own freestanding headers, so the host build shares it.
 */
#ifndef KERNEL_TYPES_H
#define KERNEL_TYPES_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An address in the calling process: never dereferenced, only handed to kernel/user.h. */
typedef uint64_t user_addr_t;

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define CLAMP(x, low, high) ((x) < (low) ? (low) : (x) > (high) ? (high) : (x))

/* `align` is a power of two. */
#define ALIGN_UP(x, align) (((x) + (align)-1) & ~((__typeof__(x))(align)-1))
#define ALIGN_DOWN(x, align) ((x) & ~((__typeof__(x))(align)-1))
#define IS_ALIGNED(x, align) (((x) & ((__typeof__(x))(align)-1)) == 0)

#define BIT(n) (1ul << (n))

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define __packed __attribute__((packed))
#define __must_check __attribute__((warn_unused_result))
#define __noreturn __attribute__((noreturn))
#define __printf(format_index, first) __attribute__((format(printf, format_index, first)))
#define __unused __attribute__((unused))
/* Keeps a less usual way out of the functions that call it, which are short and fast without it. */
#define __noinline __attribute__((noinline))
#define __cold __attribute__((cold, noinline)) /* as good as never called */

#define CACHE_LINE 64 /* bytes: what one miss brings in */

#define PAGE_SHIFT 12
#define PAGE_SIZE (1ul << PAGE_SHIFT)

#define USEC_PER_MSEC 1000ull
#define USEC_PER_SEC 1000000ull
#define NSEC_PER_USEC 1000ull
#define NSEC_PER_SEC 1000000000ull

#endif
