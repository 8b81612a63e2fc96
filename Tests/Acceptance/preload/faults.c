// Makes calls of the daemon to the system fail, to learn what it then promises.
//
// POSTO_TEST_FAULTS names a file that is mapped and holds `struct control`; a test arms it while the daemon runs. A call counts when its
// kind is in `calls` and the path of its file contains `pattern`. Counted calls number `first` to `first + times - 1` fail in the way `how`.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// META is a write to the first two pages of a file, where LMDB keeps what makes a commit valid.
enum call { WRITE = 1, PWRITE = 2, WRITEV = 4, SYNC = 8, TRUNCATE = 16, OPEN = 32, ALLOCATE = 64, META = 128 };

struct control {
    volatile uint32_t calls;   // 0: nothing counts
    volatile int32_t how;      // an errno; -1: a short write of half the bytes; -2: a lie, nothing is done and success returned
    volatile uint32_t first;   // 1 is the next
    volatile uint32_t times;
    volatile uint32_t counted;
    volatile uint32_t failed;
    char pattern[232];
};

static struct control *control;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("POSTO_TEST_FAULTS");
    if (path == NULL) return;
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    if (file < 0) abort();
    void *map = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (map == MAP_FAILED) abort();
    syscall(SYS_close, file);
    control = map;
}

// 0: the call goes through. Counts also in children, which share the map.
static int fault_at(enum call call, const char *path) {
    if (strstr(path, control->pattern) == NULL) return 0;
    uint32_t number = __atomic_add_fetch(&control->counted, 1, __ATOMIC_SEQ_CST);
    if (number < control->first || number - control->first >= control->times) return 0;
    // Half of nothing is nothing: what writes no bytes cannot be cut short.
    if (control->how == -1 && (call & (WRITE | PWRITE | WRITEV | META)) == 0) return 0;
    __atomic_add_fetch(&control->failed, 1, __ATOMIC_SEQ_CST);
    return control->how;
}

static int fault(enum call call, int file) {
    if (control == NULL || (control->calls & call) == 0) return 0;
    char link[32] = "/proc/self/fd/", path[4096], digits[12];
    int count = 0;
    unsigned rest = (unsigned)file;
    do digits[count++] = (char)('0' + rest % 10); while ((rest /= 10) > 0);
    char *end = link + strlen(link);
    while (count > 0) *end++ = digits[--count];
    *end = 0;
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fault_at(call, path);
}

#define FAIL_OR_GO(call, file)                                                                                                             \
    int how = fault(call, file);                                                                                                           \
    if (how > 0) {                                                                                                                         \
        errno = how;                                                                                                                       \
        return -1;                                                                                                                         \
    }

ssize_t write(int file, const void *bytes, size_t count) {
    FAIL_OR_GO(WRITE, file)
    if (how == -2) return (ssize_t)count;
    return syscall(SYS_write, file, bytes, how == -1 && count > 1 ? count / 2 : count);
}

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
    FAIL_OR_GO(offset < 8192 ? META : PWRITE, file)
    if (how == -2) return (ssize_t)count;
    return syscall(SYS_pwrite64, file, bytes, how == -1 && count > 1 ? count / 2 : count, offset);
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off_t offset) __attribute__((alias("pwrite")));

static ssize_t half(const struct iovec *parts, int count) {
    return (ssize_t)(parts[0].iov_len > 1 ? parts[0].iov_len / 2 : parts[0].iov_len) + 0 * count;
}

ssize_t writev(int file, const struct iovec *parts, int count) {
    FAIL_OR_GO(WRITEV, file)
    if (how == -1 && count > 0) return syscall(SYS_write, file, parts[0].iov_base, half(parts, count));
    return syscall(SYS_writev, file, parts, count);
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t offset) {
    FAIL_OR_GO(WRITEV, file)
    if (how == -1 && count > 0) return syscall(SYS_pwrite64, file, parts[0].iov_base, half(parts, count), offset);
    return syscall(SYS_pwritev, file, parts, count, offset, 0);
}
ssize_t pwritev64(int file, const struct iovec *parts, int count, off_t offset) __attribute__((alias("pwritev")));

int fdatasync(int file) {
    FAIL_OR_GO(SYNC, file)
    return (int)syscall(SYS_fdatasync, file);
}

int fsync(int file) {
    FAIL_OR_GO(SYNC, file)
    return (int)syscall(SYS_fsync, file);
}

int ftruncate(int file, off_t length) {
    FAIL_OR_GO(TRUNCATE, file)
    return (int)syscall(SYS_ftruncate, file, length);
}
int ftruncate64(int file, off_t length) __attribute__((alias("ftruncate")));

int fallocate(int file, int mode, off_t offset, off_t length) {
    FAIL_OR_GO(ALLOCATE, file)
    return (int)syscall(SYS_fallocate, file, mode, offset, length);
}
int fallocate64(int file, int mode, off_t offset, off_t length) __attribute__((alias("fallocate")));

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    unsigned mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, unsigned) : 0;
    va_end(rest);
    if (control != NULL && (control->calls & OPEN) != 0) {
        int how = fault_at(OPEN, path);
        if (how > 0) {
            errno = how;
            return -1;
        }
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}
int open64(const char *path, int flags, ...) __attribute__((alias("open")));
