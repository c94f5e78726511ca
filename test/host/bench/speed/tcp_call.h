/* Socket calls in short, for the benchmarks of TCP: they do not sleep, and must not fail. */
#ifndef TEST_HOST_BENCH_SPEED_TCP_CALL_H
#define TEST_HOST_BENCH_SPEED_TCP_CALL_H

#include "test/host/bench/speed/station.h"

/* Listens on `port` of every address. */
struct socket *tcp_call_listen(struct station *station, uint16_t port);
/* Begins to connect. */
struct socket *tcp_call_connect(struct station *station, ip4_t address, uint16_t port);
struct socket *tcp_call_accept(struct socket *listener);

/* Bytes taken or given; 0 when there is no room, or nothing there. */
uint32_t tcp_call_send(struct socket *socket, const void *bytes, uint32_t length);
uint32_t tcp_call_receive(struct socket *socket, void *to, uint32_t room);

#endif
