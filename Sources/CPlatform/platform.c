// The header leaves _GNU_SOURCE alone: a module built with it disagrees with Swift's Glibc about fd_set.
#define _GNU_SOURCE 1
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/timex.h>
#include <sys/vfs.h>
#include <unistd.h>

pid_t posto_fork(void) { return fork(); }

int posto_peer_credentials(int fd, pid_t *pid, uid_t *uid, gid_t *gid) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return -1;
    *pid = credentials.pid;
    *uid = credentials.uid;
    *gid = credentials.gid;
    return 0;
}

int posto_peer_is_in_group(int fd, gid_t group) {
    gid_t groups[256];  // more than any person has; NGROUPS_MAX is 65,536 and would not fit a stack
    socklen_t length = sizeof groups;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) != 0) return 0;
    for (size_t i = 0; i < length / sizeof groups[0]; i++)
        if (groups[i] == group) return 1;
    return 0;
}

int posto_datagram_socket(void) { return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); }

int posto_open_direct(const char *path, int mode) { return open(path, O_WRONLY | O_CREAT | O_DIRECT | O_DSYNC | O_CLOEXEC, mode); }

int posto_preallocate(int fd, off_t offset, off_t length) { return fallocate(fd, FALLOC_FL_KEEP_SIZE, offset, length); }

int posto_copies_on_write(int fd) {
    struct statfs answer;
    if (fstatfs(fd, &answer) != 0) return 0;
    switch ((unsigned long)answer.f_type) {
    case 0x9123683EUL:  // btrfs
    case 0xCA451A4EUL:  // bcachefs
    case 0x2FC12FC1UL:  // ZFS
        return 1;
    default: return 0;
    }
}

void posto_name_thread(const char *name) { prctl(PR_SET_NAME, name, 0, 0, 0); }

uint64_t posto_socket_progress(int fd) {
    struct tcp_info info;
    socklen_t length = sizeof info;
    memset(&info, 0, sizeof info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0) return info.tcpi_bytes_acked;
    int queued = 0;
    return ioctl(fd, SIOCOUTQ, &queued) == 0 ? (uint64_t)queued : 0;
}

int posto_socket_queued(int fd) {
    int queued = 0;
    return ioctl(fd, SIOCOUTQ, &queued) == 0 ? queued : 0;
}

int posto_accept(int fd, struct sockaddr_storage *address, socklen_t *length) {
    return accept4(fd, (struct sockaddr *)address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int posto_pipe(int ends[2]) { return pipe2(ends, O_CLOEXEC); }

int posto_clock_is_synchronized(void) {
    struct timex state = {0};
    int code = adjtimex(&state);
    return code >= 0 && code != TIME_ERROR && !(state.status & STA_UNSYNC);
}

int posto_close_from(unsigned first) { return close_range(first, ~0U, 0); }

int posto_socket_pair(int *one, int *other) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) return -1;
    *one = ends[0];
    *other = ends[1];
    return 0;
}
