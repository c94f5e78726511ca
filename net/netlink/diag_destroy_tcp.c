/* SOCK_DESTROY: a connection is ended from outside, with a reset to its peer. */
#include "kernel/byteorder.h"
#include "kernel/errno.h"
#include "net/netlink/diag.h"
#include "net/tcp/tcp_state.h"

static struct endpoint read_end(be32 address, be16 port)
{
	return (struct endpoint){.addr = net_addr_ip4(be32_to_cpu(address)),
				 .port = be16_to_cpu(port)};
}

int diag_destroy_tcp(struct net *net, const struct inet_diag_req_v2 *request)
{
	const struct inet_diag_sockid *id = &request->id;
	const struct endpoint local = read_end(id->idiag_src[0], id->idiag_sport);
	const struct endpoint remote = read_end(id->idiag_dst[0], id->idiag_dport);
	const struct tcp_table *table = &tcp_of(net)->table;
	struct tcp_socket *tcp = tcp_table_find(table, tcp_table_hash(table, &local, &remote),
						&local, &remote);

	if (!remote.port) /* a listener: its process may close it */
		return -EOPNOTSUPP;
	if (!tcp || !diag_is_named(tcp->inet.socket.inode_number, id->idiag_cookie))
		return -ENOENT;
	tcp_abort(tcp, ECONNABORTED);
	return 0;
}
