/*
 * ioctl(2) commands of terminals and of files of every kind. Those of sockets are in sockios.h.
 */
#ifndef UAPI_IOCTL_H
#define UAPI_IOCTL_H

#define TCGETS 0x5401
#define TCSETS 0x5402  /* now */
#define TCSETSW 0x5403 /* after pending output */
#define TCSETSF 0x5404 /* after pending output; pending input is thrown away */
#define TCSBRK 0x5409
#define TCXONC 0x540a
#define TCFLSH 0x540b
#define TIOCEXCL 0x540c
#define TIOCNXCL 0x540d
#define TIOCSCTTY 0x540e
#define TIOCGPGRP 0x540f
#define TIOCSPGRP 0x5410
#define TIOCOUTQ 0x5411
#define TIOCSTI 0x5412
#define TIOCGWINSZ 0x5413
#define TIOCSWINSZ 0x5414
#define TIOCMGET 0x5415
#define FIONREAD 0x541b
#define TIOCINQ FIONREAD
#define TIOCCONS 0x541d
#define FIONBIO 0x5421
#define TIOCNOTTY 0x5422
#define TIOCGETD 0x5424
#define TCSBRKP 0x5425
#define TIOCGSID 0x5429
#define FIONCLEX 0x5450
#define FIOCLEX 0x5451
#define FIOASYNC 0x5452
#define FIOQSIZE 0x5460

/* Of the master side of a pseudo-terminal */
/* Packet mode of a pseudo-terminal's master, and what the first byte of a packet then says. */
#define TIOCPKT 0x5420
#define TIOCGPKT 0x80045438
#define TIOCPKT_DATA 0
#define TIOCPKT_FLUSHREAD 1
#define TIOCPKT_FLUSHWRITE 2
#define TIOCPKT_STOP 4
#define TIOCPKT_START 8
#define TIOCPKT_NOSTOP 16
#define TIOCPKT_DOSTOP 32

#define TIOCGPTN 0x80045430   /* its number */
#define TIOCSPTLCK 0x40045431 /* the other side may not, or may, be opened */
#define TIOCGPTLCK 0x80045439
#define TIOCGPTPEER 0x5441 /* opens the other side */

#endif
