// What Glibc's Swift module does not export, and the one instruction that Swift cannot spell.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/timerfd.h>
#include <sys/types.h>
#include <sys/un.h>

struct MHD_Connection;
struct MHD_Response;

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4) of `length` bytes, continuing from `seed` (0 at first).
/// Uses the processor's instruction on x86-64 with SSE 4.2 and on arm64 with CRC, tables otherwise.
uint32_t posto_crc32c(uint32_t seed, const void *bytes, size_t length);

/// The table form, for the test that proves both equal.
uint32_t posto_crc32c_portable(uint32_t seed, const void *bytes, size_t length);

/// fork(2), which Swift's Glibc module hides. Only before the first thread is started.
pid_t posto_fork(void);

/// ioctl-free helpers for SO_PEERCRED: fills what the kernel recorded at connect(2); -1 and errno if it cannot.
int posto_peer_credentials(int fd, pid_t *pid, uid_t *uid, gid_t *gid);

/// 1 if the peer's process had this group among its supplementary ones at connect(2) (SO_PEERGROUPS), 0 if not or if the kernel cannot say.
int posto_peer_is_in_group(int fd, gid_t group);

/// A datagram socket of the Unix family, closed on exec, that never waits; -1 and errno if there is none. Which module shows SOCK_DGRAM to Swift
/// differs between debug and release builds.
int posto_datagram_socket(void);

/// socketpair(2) of stream sockets of the Unix family, closed on exec, that never wait. -1 and errno if there is none.
int posto_socket_pair(int *one, int *other);

/// open(2) with O_DIRECT | O_DSYNC | O_WRONLY | O_CREAT, the flags that Glibc's module hides.
int posto_open_direct(const char *path, int mode);

/// fallocate(2) with FALLOC_FL_KEEP_SIZE.
int posto_preallocate(int fd, off_t offset, off_t length);

/// 1 if the file lies on a file system that never writes a block in place (btrfs, bcachefs, ZFS), 0 if not, or if it cannot be told.
int posto_copies_on_write(int fd);

/// Names the calling thread (at most 15 bytes) for ps, gdb and perf; prctl is variadic, which Swift cannot call.
void posto_name_thread(const char *name);

/// A number that changes when the peer took bytes from us: acknowledged bytes over TCP, else the bytes still queued (SIOCOUTQ).
uint64_t posto_socket_progress(int fd);

/// Bytes written to the socket that the peer has not acknowledged or read yet (SIOCOUTQ).
int posto_socket_queued(int fd);

/// accept4(2) with SOCK_NONBLOCK | SOCK_CLOEXEC, which Glibc's module hides.
int posto_accept(int fd, struct sockaddr_storage *address, socklen_t *length);

/// Atomic access to one aligned 64-bit word of shared memory. Loads acquire, stores release.
uint64_t posto_atomic_load(const uint64_t *word);
void posto_atomic_store(uint64_t *word, uint64_t value);

/// Replaces `*expected` by `desired`, and says whether it did; if not, `*expected` is what stands there.
int posto_atomic_exchange_if(uint64_t *word, uint64_t *expected, uint64_t desired);

/// Adds and returns the sum.
uint64_t posto_atomic_add(uint64_t *word, uint64_t value);

/// Makes SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE and SIGALRM end the process without a handler, a core file or a message:
/// for a child whose death is an answer. The child also dies with its parent.
void posto_die_quietly(void);

/// pipe2(2) with O_CLOEXEC, which Glibc's module hides.
int posto_pipe(int ends[2]);

/// close_range(2): closes every descriptor from `first` on, which Glibc's module hides.
int posto_close_from(unsigned first);

/// 1 if the kernel's clock is disciplined (NTP, PTP), 0 if it runs by itself, as adjtimex(2) says.
int posto_clock_is_synchronized(void);

/// What came over one socket.
struct posto_received {
    /// Bytes so far.
    uint64_t bytes;
    /// Which of them was the first NUL, counted from 1; 0 if there was none.
    uint64_t nul;
};

/// What the HTTP thread wants to know of libmicrohttpd that the library does not tell.
struct posto_http_hooks {
    /// The library is about to send an answer of its own on `connection`.
    void (*refused)(void *context, struct MHD_Connection *connection, unsigned status);
    void *context;
    /// By descriptor. A descriptor at or beyond `received_count` is not noted. Whoever opens a connection clears its element.
    struct posto_received *received;
    size_t received_count;
};

/// For the calling thread, until NULL is installed; what `mine` points to must live until then.
void posto_http_hooks_install(struct posto_http_hooks *mine);

/// Zeroed; pages that are not used take no memory. Freed by free(3).
struct posto_received *posto_received_allocate(size_t count);

/// MHD_queue_response, for us; the symbol itself is for the library (http_hooks.c).
int posto_mhd_queue_response(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response);

