/* /proc registration, kept in a list for tests to read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/errno.h"
#include "kernel/printk.h"
#include "kernel/procfs/sysfs.h"
#include "test/host/services/host.h"

struct proc_file {
	struct proc_file *next;
	char path[96];
	proc_show *show;
	proc_store *store;
	void *context;
	int32_t *values; /* proc_register_numbers */
	uint32_t count;
	int32_t min, max;
};

static struct proc_file *proc_files;

static struct proc_file *find(const char *path)
{
	for (struct proc_file *file = proc_files; file; file = file->next) {
		if (strcmp(file->path, path) == 0)
			return file;
	}
	return NULL;
}

/* A path registered again is the newest stack's. */
static struct proc_file *enter(const char *path)
{
	struct proc_file *file = find(path);

	if (!file) {
		file = calloc(1, sizeof(*file));
		if (!file)
			panic("the host has no memory left");
		file->next = proc_files;
		proc_files = file;
	}
	struct proc_file *next = file->next;

	memset(file, 0, sizeof(*file));
	file->next = next;
	snprintf(file->path, sizeof(file->path), "%s", path);
	return file;
}

int proc_register_writable(const char *path, proc_show *show, proc_store *store, void *context)
{
	struct proc_file *file = enter(path);

	file->show = show;
	file->store = store;
	file->context = context;
	return 0;
}

int proc_register(const char *path, proc_show *show, void *context)
{
	return proc_register_writable(path, show, NULL, context);
}

int proc_register_numbers(const char *path, int32_t *values, uint32_t count, int32_t min,
			  int32_t max)
{
	struct proc_file *file = enter(path);

	file->values = values;
	file->count = count;
	file->min = min;
	file->max = max;
	return 0;
}

int proc_register_number(const char *path, int32_t *value, int32_t min, int32_t max)
{
	return proc_register_numbers(path, value, 1, min, max);
}

/* /sys: what is registered last counts. */

static struct sys_class sys_class;

int sys_register_class(const struct sys_class *class)
{
	sys_class = *class;
	return 0;
}

bool host_sys_object(uint32_t index, char *name)
{
	return sys_class.name && sys_class.name(sys_class.context, index, name);
}

int64_t host_sys_read(const char *object, const char *attribute, char *to, size_t size)
{
	for (uint32_t i = 0; i < sys_class.count; i++) {
		const struct sys_attribute *candidate = &sys_class.attributes[i];
		struct text text;

		if (strcmp(candidate->name, attribute) != 0)
			continue;
		text_init(&text);
		candidate->show(&text, sys_class.context, object, candidate);
		snprintf(to, size, "%.*s", (int)text.length, text.length ? text.bytes : "");
		text_free(&text);
		return (int64_t)strlen(to);
	}
	return -ENOENT;
}

void host_proc_reset(void)
{
	sys_class = (struct sys_class){0};
	while (proc_files) {
		struct proc_file *next = proc_files->next;

		free(proc_files);
		proc_files = next;
	}
}

int64_t host_proc_read(const char *path, char *to, size_t size)
{
	struct proc_file *file = find(path);
	struct text text;

	if (!file)
		return -ENOENT;
	text_init(&text);
	if (file->show)
		file->show(&text, file->context);
	for (uint32_t i = 0; i < file->count; i++)
		text_printf(&text, "%d%c", file->values[i], i + 1 < file->count ? '\t' : '\n');
	size_t n = MIN(text.length, size - 1);

	if (n)
		memcpy(to, text.bytes, n);
	to[n] = '\0';
	text_free(&text);
	return (int64_t)n;
}

int host_proc_write(const char *path, const char *written)
{
	struct proc_file *file = find(path);

	if (!file)
		return -ENOENT;
	if (file->store)
		return file->store(written, file->context);
	for (uint32_t i = 0; i < file->count; i++) {
		char *end;
		long value = strtol(written, &end, 10);

		if (end == written || value < file->min || value > file->max)
			return -EINVAL;
		file->values[i] = (int32_t)value;
		written = end;
	}
	return 0;
}
