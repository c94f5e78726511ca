/* The packet socket that carries the probes of arp_probe.h. */
#ifndef USERLAND_LIB_ARP_SOCKET_H
#define USERLAND_LIB_ARP_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

/* Returns a socket that hears the ARP packets of one interface and does not block, or -1. */
int arp_socket_open(int interface_index);

void arp_socket_probe(int socket_fd, int interface_index, const uint8_t hardware[6],
		      uint32_t address);

/* Reads what has come: does somebody else have, or want, the address? */
bool arp_socket_conflict(int socket_fd, const uint8_t hardware[6], uint32_t address);

#endif
