/*
 * Where the machine begins: boot.S comes here with the MMU on, interrupts masked and a stack,
 * and the physical address of the device tree.
 */
#ifndef KERNEL_MAIN_H
#define KERNEL_MAIN_H

#include "kernel/types.h"

void kernel_main(uint64_t device_tree) __noreturn;

#endif
