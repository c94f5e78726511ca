/* libvitrine-packetdrill.so: the stack as packetdrill's so_filename. */
#include "test/host/packetdrill/interface.h"

#include <stdio.h>
#include <stdlib.h>

#include "test/host/packetdrill/instance.h"

/* The clock, the memory and the descriptors are the process's, so there is one instance. */
static bool in_use;

static void interface_free(void *userdata)
{
	*(bool *)userdata = false;
	descriptor_forget_all();
	stack_stop();
}

__attribute__((visibility("default"))) void packetdrill_interface_init(
	const char *text, struct packetdrill_interface *out)
{
	struct instance_flags flags;

	if (in_use) {
		fputs("libvitrine-packetdrill: the last instance was not freed\n", stderr);
		exit(EXIT_FAILURE);
	}
	flags_parse(text, &flags);
	clock_start();
	stack_start(&flags);
	flags_set_tunables(flags.tunables);
	in_use = true;
	out->userdata = &in_use;
	out->free = interface_free;
	clock_fill_interface(out);
	calls_fill_interface(out);
	poll_fill_interface(out);
}
