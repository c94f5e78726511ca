/* Random numbers: xorshift64*, Marsaglia and Vigna. */
#include "test/qemu/storm/storm.h"

struct dice dice_from(uint64_t seed)
{
	struct dice dice = {(seed + 1) * 0x9e3779b97f4a7c15};

	if (dice.state == 0)
		dice.state = 1;
	for (int i = 0; i < 4; i++)
		dice_bits(&dice);
	return dice;
}

uint64_t dice_bits(struct dice *dice)
{
	dice->state ^= dice->state >> 12;
	dice->state ^= dice->state << 25;
	dice->state ^= dice->state >> 27;
	return dice->state * 0x2545f4914f6cdd1d;
}

uint32_t dice_below(struct dice *dice, uint32_t limit)
{
	return (uint32_t)((dice_bits(dice) >> 32) * limit >> 32);
}

bool dice_one_in(struct dice *dice, uint32_t chances)
{
	return dice_below(dice, chances) == 0;
}
