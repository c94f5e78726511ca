/* What the TCP services of services.c do with a connection. Turns for server.h. */
#ifndef TEST_HOST_PROGRAMS_VITRINE_HOST_STREAMS_H
#define TEST_HOST_PROGRAMS_VITRINE_HOST_STREAMS_H

#include "test/host/programs/vitrine-host/server.h"

typedef enum served_state stream_service(struct served *served);

stream_service echo_stream, discard_stream, chargen_stream;

/*
 * Listens on `port` and gives each connection to `service`. 0 or a negative errno.
 */
int streams_start(struct server *server, uint16_t port, stream_service *service);

#endif
