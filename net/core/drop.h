/*
 * Why packets are discarded: each reason is a counter by name, shown in /proc/net/drops and in the
 * packet trace. Add a line here and use it; the name says which layer refuses what.
 */
#ifndef NET_CORE_DROP_H
#define NET_CORE_DROP_H

#define DROP_REASONS(X)                                                                       \
	X(NO_MEMORY)        /* an allocation failed on the way */                             \
	X(DEVICE_DOWN)      /* the interface is not up */                                     \
	X(TX_QUEUE_FULL)    /* the device's ring and its queue are full */                    \
	X(RX_BACKLOG_FULL)  /* loopback's queue is full */                                    \
	X(ETH_SHORT)        /* shorter than an Ethernet header */                             \
	X(ETH_BAD_SOURCE)   /* multicast source address */                                    \
	X(ETH_OTHER_HOST)   /* not for us */                                                  \
	X(ETH_VLAN)         /* tagged; we have no VLANs */                                    \
	X(ETH_LENGTH)       /* 802.3 length field: not Ethernet II, or beyond the frame */    \
	X(ETH_UNKNOWN_TYPE) /* no protocol registered */                                      \
	X(FRAME_TOO_LONG)   /* more than the MTU allows */                                    \
	X(ARP_MALFORMED)    /* cut, or wrong lengths or types */                              \
	X(ARP_BAD_SENDER)   /* impossible sender MAC or address */                            \
	X(ARP_NOT_FOR_US)   /* another host is asked */                                       \
	X(ARP_UNSOLICITED)  /* a reply that nobody asked for */                               \
	X(ARP_CONFLICT)     /* somebody else uses our address */                              \
	X(ARP_QUEUE_FULL)   /* too many packets wait for this neighbour */                    \
	X(ARP_UNRESOLVED)   /* the neighbour did not answer */                                \
	X(IP4_SHORT)        /* shorter than its header */                                     \
	X(IP4_BAD_VERSION)                                                                    \
	X(IP4_BAD_HEADER_LENGTH)                                                              \
	X(IP4_BAD_TOTAL_LENGTH)                                                               \
	X(IP4_BAD_CHECKSUM)                                                                   \
	X(IP4_BAD_SOURCE)      /* martian source */                                           \
	X(IP4_BAD_DESTINATION) /* martian destination */                                      \
	X(IP4_BAD_OPTION)                                                                     \
	X(IP4_SOURCE_ROUTE)         /* refused */                                             \
	X(IP4_UNICAST_IN_BROADCAST) /* unicast packet in a broadcast frame: RFC 1122 3.3.6 */ \
	X(IP4_NOT_FOR_US)           /* and forwarding is off */                               \
	X(IP4_NO_ROUTE)                                                                       \
	X(IP4_TTL_EXPIRED)                                                                    \
	X(IP4_UNKNOWN_PROTOCOL)                                                               \
	X(IP4_MUST_FRAGMENT)  /* too long, and DF is set */                                   \
	X(IP4_NO_GROUP)       /* multicast that nobody joined */                              \
	X(FRAGMENT_MALFORMED) /* length not 8n, zero, beyond 65535 */                         \
	X(FRAGMENT_OVERLAP)   /* the whole datagram is discarded */                           \
	X(FRAGMENT_LIMIT)     /* memory or count cap */                                       \
	X(FRAGMENT_TIMEOUT)                                                                   \
	X(ICMP_SHORT)                                                                         \
	X(ICMP_BAD_CHECKSUM)                                                                  \
	X(ICMP_BAD_INNER) /* an error whose quoted packet cannot be used */                   \
	X(ICMP_UNKNOWN_TYPE)                                                                  \
	X(ICMP_IGNORED)      /* redirect, source quench, broadcast echo */                    \
	X(ICMP_RATE_LIMITED) /* an error of ours that was not sent */                         \
	X(IGMP_MALFORMED)                                                                     \
	X(IGMP_IGNORED)                                                                       \
	X(UDP_SHORT) /* this, BAD_CHECKSUM and NO_SOCKET also of UDP-Lite */                  \
	X(UDP_BAD_LENGTH)                                                                     \
	X(UDP_BAD_CHECKSUM)                                                                   \
	X(UDP_NO_SOCKET)                                                                      \
	X(UDPLITE_BAD_COVERAGE) /* less than the header, or beyond the end: RFC 3828 3.1 */   \
	X(UDPLITE_NO_CHECKSUM)  /* there must be one */                                       \
	X(UDPLITE_LOW_COVERAGE) /* less than the receiver wants */                            \
	X(TCP_SHORT)                                                                          \
	X(TCP_BAD_OFFSET) /* the header's length: below 20, or past the segment */            \
	X(TCP_BAD_CHECKSUM)                                                                   \
	X(TCP_BAD_DESTINATION) /* broadcast or multicast */                                   \
	X(TCP_NO_SOCKET)       /* nobody there: answered with a reset */                      \
	X(TCP_BAD_FLAGS)       /* no ACK where one must be, SYN with FIN */                   \
	X(TCP_OUTSIDE_WINDOW)                                                                 \
	X(TCP_DUPLICATE)     /* all of it was received before */                              \
	X(TCP_OLD_TIMESTAMP) /* PAWS: RFC 7323 5 */                                           \
	X(TCP_BAD_ACK)       /* acknowledges what was not sent, or long ago */                \
	X(TCP_RESET)         /* a reset that was obeyed */                                    \
	X(TCP_BAD_RESET)     /* a reset that was not: RFC 5961 3 */                           \
	X(TCP_BAD_SYN)       /* a SYN in a connection: RFC 5961 4 */                          \
	X(TCP_BACKLOG_FULL)  /* too many half-open connections */                             \
	X(TCP_ACCEPT_FULL)   /* too many wait for accept */                                   \
	X(TCP_BAD_COOKIE)                                                                     \
	X(TCP_WINDOW_CLOSED)   /* data beyond what was offered */                             \
	X(TCP_REASSEMBLY_FULL) /* too much is out of order */                                 \
	X(TCP_AFTER_CLOSE)     /* data for a process that will not read */                    \
	X(TCP_MEMORY)          /* the limit of all connections together: tcp_mem */           \
	X(SOCKET_BUFFER_FULL)  /* the receiver is slower than the sender */                   \
	X(SOCKET_FILTER)       /* not what the socket asked for */                            \
	X(SOCKET_CLOSED)                                                                      \
	X(RX_DEVICE_ERROR) /* the device delivered something impossible */

enum drop_reason {
	DROP_NONE, /* what a parser answers when nothing is wrong */
#define DROP_ENUM(name) DROP_##name,
	DROP_REASONS(DROP_ENUM)
#undef DROP_ENUM
		DROP_REASON_COUNT
};

/* "IP4_BAD_CHECKSUM" for DROP_IP4_BAD_CHECKSUM. */
const char *drop_reason_name(enum drop_reason reason);

#endif
