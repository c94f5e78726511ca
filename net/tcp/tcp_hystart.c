#include "net/tcp/tcp_hystart.h"

#include "net/tcp/tcp_seq.h"

/* RFC 9406 4.3 */
#define MIN_RTT_THRESH_US 4000u
#define MAX_RTT_THRESH_US 16000u
#define MIN_RTT_DIVISOR 8u
#define N_RTT_SAMPLE 8u
#define CSS_ROUNDS 5u

static void begin_round(struct tcp_hystart *hystart, uint32_t snd_nxt)
{
	hystart->round_end = snd_nxt;
	hystart->last_round_rtt_us = hystart->round_rtt_us;
	hystart->round_rtt_us = UINT32_MAX;
	hystart->samples = 0;
}

void tcp_hystart_init(struct tcp_hystart *hystart, uint32_t snd_nxt)
{
	*hystart = (struct tcp_hystart){.round_rtt_us = UINT32_MAX};
	begin_round(hystart, snd_nxt);
}

/* The round trip grew within the round: the path's queue fills. */
static bool delay_grew(const struct tcp_hystart *hystart)
{
	uint32_t last_us = hystart->last_round_rtt_us;
	uint32_t threshold_us = CLAMP(last_us / MIN_RTT_DIVISOR, MIN_RTT_THRESH_US,
				      MAX_RTT_THRESH_US);

	return hystart->samples >= N_RTT_SAMPLE && last_us != UINT32_MAX &&
	       hystart->round_rtt_us >= last_us + threshold_us;
}

static void judge(struct tcp_hystart *hystart)
{
	if (!hystart->conservative && delay_grew(hystart)) {
		hystart->conservative = true;
		hystart->baseline_rtt_us = hystart->round_rtt_us;
		hystart->css_rounds = 0;
	} else if (hystart->conservative && hystart->samples >= N_RTT_SAMPLE &&
		   hystart->round_rtt_us < hystart->baseline_rtt_us) {
		hystart->conservative = false; /* it was not the queue */
	}
}

enum tcp_hystart_phase tcp_hystart_acked(struct tcp_hystart *hystart, uint32_t snd_una,
					 uint32_t snd_nxt, uint32_t rtt_us)
{
	if (rtt_us) {
		hystart->round_rtt_us = MIN(hystart->round_rtt_us, rtt_us);
		if (hystart->samples < N_RTT_SAMPLE)
			hystart->samples++;
		judge(hystart);
	}
	if (seq_from(snd_una, hystart->round_end)) {
		if (hystart->conservative && ++hystart->css_rounds >= CSS_ROUNDS)
			return TCP_HYSTART_DONE;
		begin_round(hystart, snd_nxt);
	}
	return hystart->conservative ? TCP_HYSTART_CONSERVATIVE : TCP_HYSTART_SLOW_START;
}
