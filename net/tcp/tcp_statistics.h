/*
 * The counters of TCP: "Tcp:" of /proc/net/snmp (RFC 4022) and "TcpExt:" of /proc/net/netstat, each
 * an enumerator and Linux's name in one list.
 */
#ifndef NET_TCP_TCP_STATISTICS_H
#define NET_TCP_TCP_STATISTICS_H

/* After RtoAlgorithm, RtoMin, RtoMax and MaxConn, which are constants; CurrEstab is a gauge. */
#define TCP_STATISTICS(X)                    \
	X(ACTIVE_OPENS, "ActiveOpens")       \
	X(PASSIVE_OPENS, "PassiveOpens")     \
	X(ATTEMPT_FAILS, "AttemptFails")     \
	X(ESTABLISHED_RESETS, "EstabResets") \
	X(CURRENT_ESTABLISHED, "CurrEstab")  \
	X(IN_SEGMENTS, "InSegs")             \
	X(OUT_SEGMENTS, "OutSegs")           \
	X(RETRANSMITTED, "RetransSegs")      \
	X(IN_ERRORS, "InErrs")               \
	X(OUT_RESETS, "OutRsts")             \
	X(IN_CHECKSUM_ERRORS, "InCsumErrors")

#define TCP_EXTRA_STATISTICS(X)                                \
	X(SYNCOOKIES_SENT, "SyncookiesSent")                   \
	X(SYNCOOKIES_RECEIVED, "SyncookiesRecv")               \
	X(SYNCOOKIES_FAILED, "SyncookiesFailed")               \
	X(OUT_OF_ORDER_PRUNED, "OfoPruned")                    \
	X(OUT_OF_WINDOW_ICMPS, "OutOfWindowIcmps")             \
	X(TIME_WAITS, "TW")                                    \
	X(TIME_WAITS_RECYCLED, "TWRecycled")                   \
	X(PAWS_ACTIVE_REJECTED, "PAWSActive")                  \
	X(PAWS_REJECTED, "PAWSEstab")                          \
	X(DELAYED_ACKS, "DelayedACKs")                         \
	X(LISTEN_OVERFLOWS, "ListenOverflows")                 \
	X(LISTEN_DROPS, "ListenDrops")                         \
	X(PURE_ACKS, "TCPPureAcks")                            \
	X(SACK_RECOVERIES, "TCPSackRecovery")                  \
	X(RENO_RECOVERIES, "TCPRenoRecovery")                  \
	X(SACK_RENEGING, "TCPSACKReneging")                    \
	X(SACK_REORDERING, "TCPSACKReorder")                   \
	X(TIMESTAMP_REORDERING, "TCPTSReorder")                \
	X(FULL_UNDOS, "TCPFullUndo")                           \
	X(DSACK_UNDOS, "TCPDSACKUndo")                         \
	X(LOSS_UNDOS, "TCPLossUndo")                           \
	X(LOST_RETRANSMISSIONS, "TCPLostRetransmit")           \
	X(FAST_RETRANSMITS, "TCPFastRetrans")                  \
	X(SLOW_START_RETRANSMITS, "TCPSlowStartRetrans")       \
	X(TIMEOUTS, "TCPTimeouts")                             \
	X(LOSS_PROBES, "TCPLossProbes")                        \
	X(LOSS_PROBE_RECOVERIES, "TCPLossProbeRecovery")       \
	X(RECEIVE_COLLAPSED, "TCPRcvCollapsed")                \
	X(DSACKS_SENT, "TCPDSACKOldSent")                      \
	X(DSACKS_OUT_OF_ORDER_SENT, "TCPDSACKOfoSent")         \
	X(DSACKS_RECEIVED, "TCPDSACKRecv")                     \
	X(ABORTS_ON_DATA, "TCPAbortOnData")                    \
	X(ABORTS_ON_CLOSE, "TCPAbortOnClose")                  \
	X(ABORTS_ON_MEMORY, "TCPAbortOnMemory")                \
	X(ABORTS_ON_TIMEOUT, "TCPAbortOnTimeout")              \
	X(ABORTS_ON_LINGER, "TCPAbortOnLinger")                \
	X(MEMORY_PRESSURES, "TCPMemoryPressures")              \
	X(DSACKS_IGNORED_NO_UNDO, "TCPDSACKIgnoredNoUndo")     \
	X(SACKS_DISCARDED, "TCPSACKDiscard")                   \
	X(SPURIOUS_TIMEOUTS, "TCPSpuriousRTOs")                \
	X(OUT_OF_ORDER_QUEUED, "TCPOFOQueue")                  \
	X(OUT_OF_ORDER_DROPPED, "TCPOFODrop")                  \
	X(OUT_OF_ORDER_MERGED, "TCPOFOMerge")                  \
	X(CHALLENGE_ACKS, "TCPChallengeACK")                   \
	X(SYN_CHALLENGES, "TCPSYNChallenge")                   \
	X(FASTOPEN_ACTIVE, "TCPFastOpenActive")                \
	X(FASTOPEN_PASSIVE, "TCPFastOpenPassive")              \
	X(FASTOPEN_PASSIVE_FAILED, "TCPFastOpenPassiveFail")   \
	X(FASTOPEN_COOKIES_REQUESTED, "TCPFastOpenCookieReqd") \
	X(TO_ZERO_WINDOW, "TCPToZeroWindowAdv")                \
	X(FROM_ZERO_WINDOW, "TCPFromZeroWindowAdv")            \
	X(SYN_RETRANSMITS, "TCPSynRetrans")                    \
	X(DATA_SENT, "TCPOrigDataSent")                        \
	X(HYSTART_DELAY_DETECTED, "TCPHystartDelayDetect")     \
	X(ACK_SKIPPED_SYN_RECEIVED, "TCPACKSkippedSynRecv")    \
	X(ACK_SKIPPED_PAWS, "TCPACKSkippedPAWS")               \
	X(ACK_SKIPPED_SEQUENCE, "TCPACKSkippedSeq")            \
	X(ACK_SKIPPED_TIME_WAIT, "TCPACKSkippedTimeWait")      \
	X(ACK_SKIPPED_CHALLENGE, "TCPACKSkippedChallenge")     \
	X(WINDOW_PROBES, "TCPWinProbe")                        \
	X(KEEPALIVES, "TCPKeepAlive")                          \
	X(MTU_PROBE_FAILURES, "TCPMTUPFail")                   \
	X(MTU_PROBE_SUCCESSES, "TCPMTUPSuccess")               \
	X(DELIVERED, "TCPDelivered")                           \
	X(DELIVERED_CE, "TCPDeliveredCE")                      \
	X(ZERO_WINDOW_DROPS, "TCPZeroWindowDrop")              \
	X(RECEIVE_QUEUE_DROPS, "TCPRcvQDrop")

enum tcp_statistic {
#define STATISTIC_ENUM(name, text) TCP_STAT_##name,
	TCP_STATISTICS(STATISTIC_ENUM)
#undef STATISTIC_ENUM
		TCP_STAT_COUNT
};

enum tcp_extra_statistic {
#define STATISTIC_ENUM(name, text) TCP_EXTRA_##name,
	TCP_EXTRA_STATISTICS(STATISTIC_ENUM)
#undef STATISTIC_ENUM
		TCP_EXTRA_COUNT
};

#endif
