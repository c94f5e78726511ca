/*
 * The early console: a PL011 that the firmware (or QEMU) has set up, written to by polling.
 */
#include "kernel/arch/arm64/early_console.h"
#include "kernel/arch/arm64/layout.h"
#include "kernel/devicetree.h"

#define EARLY_CONSOLE_PHYSICAL 0x09000000ul
#define PL011_DATA 0
#define PL011_FLAG (0x18 / 4)
#define PL011_FLAG_TRANSMIT_FULL (1u << 5)

#define FRAME_BEGIN 0x0e
#define FRAME_END 0x0f

/* The boot's tables map the first GiB at the start of the device window. */
static volatile uint32_t *registers = (volatile uint32_t *)(DEVICE_WINDOW + EARLY_CONSOLE_PHYSICAL);
static bool framed;

static void put_byte(uint8_t byte)
{
	while (registers[PL011_FLAG] & PL011_FLAG_TRANSMIT_FULL)
		;
	registers[PL011_DATA] = byte;
}

void early_console_write(const char *bytes, size_t n)
{
	if (framed)
		put_byte(FRAME_BEGIN);
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] != '\n')
			put_byte((uint8_t)bytes[i]);
		else if (!framed) {
			put_byte('\r');
			put_byte('\n');
		}
	}
	if (framed)
		put_byte(FRAME_END);
}

void early_console_set_framed(bool on)
{
	framed = on;
}

void early_console_remap(void)
{
	registers = device_map(EARLY_CONSOLE_PHYSICAL, PAGE_SIZE);
}
