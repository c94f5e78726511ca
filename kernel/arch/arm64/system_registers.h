/*
 * Reading and writing system registers by name, barriers, and the interrupt mask.
 */
#ifndef KERNEL_ARCH_ARM64_SYSTEM_REGISTERS_H
#define KERNEL_ARCH_ARM64_SYSTEM_REGISTERS_H

#include "kernel/types.h"

#define read_register(name)                                                          \
	({                                                                           \
		uint64_t register_value;                                             \
		__asm__ volatile("mrs %0, " #name : "=r"(register_value)::"memory"); \
		register_value;                                                      \
	})

#define write_register(name, value) \
	__asm__ volatile("msr " #name ", %0" ::"rZ"((uint64_t)(value)) : "memory")

/* After writing a system register, before relying on it. */
static inline void instruction_barrier(void)
{
	__asm__ volatile("isb" ::: "memory");
}

/* Memory accesses before are complete, for devices and table walks too. */
static inline void data_barrier(void)
{
	__asm__ volatile("dsb sy" ::: "memory");
}

static inline void interrupts_mask(void)
{
	__asm__ volatile("msr daifset, #2" ::: "memory");
}

static inline void interrupts_unmask(void)
{
	__asm__ volatile("msr daifclr, #2" ::: "memory");
}

/* A field of four bits of an ID register. */
static inline uint32_t id_field(uint64_t value, uint32_t shift)
{
	return (value >> shift) & 0xf;
}

#endif
