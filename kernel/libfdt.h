/*
 * The part of libfdt that the kernel calls. libfdt's own header wants a C library's headers, which
 * the kernel does not have. The meanings are libfdt's: offsets and lengths, or a negative error.
 */
#ifndef KERNEL_LIBFDT_H
#define KERNEL_LIBFDT_H

#include "kernel/types.h"

#define FDT_ERR_NOTFOUND 1

int fdt_check_header(const void *fdt);
int fdt_path_offset(const void *fdt, const char *path);
int fdt_parent_offset(const void *fdt, int node);
int fdt_next_node(const void *fdt, int node, int *depth);
int fdt_node_offset_by_phandle(const void *fdt, uint32_t phandle);
int fdt_node_offset_by_compatible(const void *fdt, int after, const char *compatible);
int fdt_node_offset_by_prop_value(const void *fdt, int after, const char *name, const void *value,
				  int length);
const void *fdt_getprop(const void *fdt, int node, const char *name, int *length);
int fdt_address_cells(const void *fdt, int node);
int fdt_size_cells(const void *fdt, int node);
int fdt_num_mem_rsv(const void *fdt);
int fdt_get_mem_rsv(const void *fdt, int n, uint64_t *address, uint64_t *size);
int fdt_first_subnode(const void *fdt, int node);
int fdt_next_subnode(const void *fdt, int node);
int fdt_get_path(const void *fdt, int node, char *path, int size);

#endif
