/*
 * ioctl commands of sockets and interfaces (netdevice(7), arp(7), socket(7)), as the Linux arm64
 * ABI has them.
 */
#ifndef UAPI_SOCKIOS_H
#define UAPI_SOCKIOS_H

/* Any socket. */
#define SIOCINQ 0x541b  /* FIONREAD: bytes waiting to be read */
#define SIOCOUTQ 0x5411 /* TIOCOUTQ: bytes not yet sent */
#define FIOSETOWN 0x8901
#define SIOCSPGRP 0x8902
#define FIOGETOWN 0x8903
#define SIOCGPGRP 0x8904
#define SIOCATMARK 0x8905
#define SIOCGSTAMP 0x8906   /* struct timeval of the last packet */
#define SIOCGSTAMPNS 0x8907 /* struct timespec */
#define SIOCOUTQNSD 0x894b  /* bytes not yet sent for the first time */

/* Routes: struct rtentry. */
#define SIOCADDRT 0x890b
#define SIOCDELRT 0x890c

/* Interfaces: struct ifreq, but SIOCGIFCONF. */
#define SIOCGIFNAME 0x8910
#define SIOCSIFLINK 0x8911
#define SIOCGIFCONF 0x8912
#define SIOCGIFFLAGS 0x8913
#define SIOCSIFFLAGS 0x8914
#define SIOCGIFADDR 0x8915
#define SIOCSIFADDR 0x8916
#define SIOCGIFDSTADDR 0x8917
#define SIOCSIFDSTADDR 0x8918
#define SIOCGIFBRDADDR 0x8919
#define SIOCSIFBRDADDR 0x891a
#define SIOCGIFNETMASK 0x891b
#define SIOCSIFNETMASK 0x891c
#define SIOCGIFMETRIC 0x891d
#define SIOCSIFMETRIC 0x891e
#define SIOCGIFMEM 0x891f
#define SIOCSIFMEM 0x8920
#define SIOCGIFMTU 0x8921
#define SIOCSIFMTU 0x8922
#define SIOCSIFNAME 0x8923
#define SIOCSIFHWADDR 0x8924
#define SIOCGIFENCAP 0x8925
#define SIOCSIFENCAP 0x8926
#define SIOCGIFHWADDR 0x8927
#define SIOCGIFSLAVE 0x8929
#define SIOCSIFSLAVE 0x8930
#define SIOCADDMULTI 0x8931
#define SIOCDELMULTI 0x8932
#define SIOCGIFINDEX 0x8933
#define SIOCGIFCOUNT 0x8938
#define SIOCGIFTXQLEN 0x8942
#define SIOCSIFTXQLEN 0x8943
#define SIOCETHTOOL 0x8946
#define SIOCGMIIPHY 0x8947
#define SIOCGMIIREG 0x8948

/* The ARP cache: struct arpreq. */
#define SIOCDARP 0x8953
#define SIOCGARP 0x8954
#define SIOCSARP 0x8955

#define SIOCGIFMAP 0x8970
#define SIOCSIFMAP 0x8971

/* 16 commands left to each protocol. */
#define SIOCPROTOPRIVATE 0x89e0

#endif
