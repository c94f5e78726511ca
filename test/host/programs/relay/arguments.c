/* The relay's command line; see arguments.h. */
#include "test/host/programs/relay/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char usage[] =
	"usage: relay [OPTION]... END END\n"
	"Joins two ends by a link with faults, until SIGINT, SIGTERM or --seconds; then says what\n"
	"became of the frames.\n"
	"\n"
	"END\n"
	"  tap=IFNAME      a TAP interface that is there already\n"
	"  unix=PATH       a QEMU machine that `tools/vm --net unix=PATH` starts; no root needed.\n"
	"                  The relay's datagram socket is PATH, the machine's PATH.vm:\n"
	"                  -netdev dgram,id=n0,local.type=unix,local.path=PATH.vm,\n"
	"                          remote.type=unix,remote.path=PATH\n"
	"  unix=PATH,PEER  the same with another name for the other's socket\n"
	"\n"
	"options\n"
	"  --faults TEXT   words joined by commas, each NAME=VALUE:\n"
	"                    loss=1%              frames that are lost\n"
	"                    burst=0.1%           frames that begin a burst of losses\n"
	"                    burst-length=5       frames in a burst, on average\n"
	"                    duplicate=1%         frames that arrive twice\n"
	"                    corrupt=0.1%         frames of which one bit flips\n"
	"                    reorder=5%           frames that are held back ...\n"
	"                    depth=20             ... behind 1 to so many later ones\n"
	"                    delay=20ms jitter=2ms  of each frame (us, ms, s)\n"
	"                    rate=10mbit          (kbit, mbit, gbit)\n"
	"                    queue=64k            bytes that wait for the rate; more are lost\n"
	"                    mtu=1500             longer packets are lost\n"
	"  --back TEXT     other faults for the way from the second END to the first\n"
	"  --seed N        the same seed and the same frames, the same fate (default: random)\n"
	"  --pcap FILE     record every frame as it enters the link, both ways\n"
	"  --seconds N     end after N seconds\n"
	"  --help          this text\n"
	"\n"
	"docs/host.md says more.\n";

__attribute__((noreturn)) static void refuse(const char *what, const char *text)
{
	fprintf(stderr, "relay: %s '%s' (see --help)\n", what, text);
	exit(2);
}

static void parse_faults(struct fault_settings *settings, const char *text)
{
	const char *bad = fault_settings_parse(settings, text);

	if (bad)
		refuse("no such fault, or no such value:", bad);
}

static uint64_t parse_number(const char *text, uint64_t largest)
{
	char *end;

	errno = 0;
	unsigned long long n = strtoull(text, &end, 0);

	if (end == text || *end || *text == '-' || errno || n > largest)
		refuse("not a number that will do:", text);
	return n;
}

static void parse_ends(int count, char **ends, struct arguments *arguments)
{
	if (count != 2) {
		fprintf(stderr, "relay: two ENDs are wanted, not %d (see --help)\n", count);
		exit(2);
	}
	for (int i = 0; i < 2; i++) {
		if (strncmp(ends[i], "tap=", 4) != 0 && strncmp(ends[i], "unix=", 5) != 0)
			refuse("neither tap=IFNAME nor unix=PATH:", ends[i]);
		arguments->ends[i] = ends[i];
	}
	if (strcmp(ends[0], ends[1]) == 0)
		refuse("both ENDs are", ends[0]);
}

static uint64_t random_seed(void)
{
	uint32_t seed; /* short, so that it is easily typed again */

	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed)) {
		perror("relay: random numbers");
		exit(1);
	}
	return seed;
}

void arguments_parse(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {{"faults", required_argument, NULL, 'f'},
						{"back", required_argument, NULL, 'b'},
						{"seed", required_argument, NULL, 's'},
						{"pcap", required_argument, NULL, 'p'},
						{"seconds", required_argument, NULL, 't'},
						{"help", no_argument, NULL, 'h'},
						{0}};
	const char *back = NULL;
	int option;

	*arguments = (struct arguments){.seed = random_seed()};
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'f':
			parse_faults(&arguments->faults[0], optarg);
			break;
		case 'b':
			back = optarg;
			break;
		case 's':
			arguments->seed = parse_number(optarg, UINT64_MAX);
			break;
		case 'p':
			arguments->pcap = optarg;
			break;
		case 't':
			arguments->seconds = (unsigned int)parse_number(optarg, 1000000000);
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default: /* getopt has said what is wrong */
			fputs("relay --help says what there is\n", stderr);
			exit(2);
		}
	}
	parse_ends(argc - optind, argv + optind, arguments);
	arguments->faults[1] = arguments->faults[0];
	if (back)
		parse_faults(&arguments->faults[1], back);
}
