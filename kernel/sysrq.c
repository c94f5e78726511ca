/* /proc/sysrq-trigger. See sysrq.h. */
#include "kernel/sysrq.h"

#include "kernel/errno.h"
#include "kernel/printk.h"
#include "kernel/procfs/procfs.h"

static void show_letters(struct text *text, void *context __unused)
{
	text_printf(text, "c: panic, to see what that looks like\n");
}

static int obey(const char *text, void *context __unused)
{
	if (text[0] == 'c')
		panic("asked for through /proc/sysrq-trigger");
	return -EINVAL;
}

int sysrq_init(void)
{
	return proc_register_writable("sysrq-trigger", show_letters, obey, NULL);
}
