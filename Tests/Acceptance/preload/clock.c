// Another clock and another boot for the daemon: shifts CLOCK_REALTIME and CLOCK_BOOTTIME, and gives another boot id.
//
// POSTO_TEST_CLOCK names a file of two native int64: nanoseconds added to CLOCK_REALTIME, and to CLOCK_BOOTTIME. It is mapped, so a test
// changes the time of a running process by writing to it. POSTO_TEST_BOOT_ID names a file that is opened instead of the kernel's boot id.

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
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *shifts;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("POSTO_TEST_CLOCK");
    if (path == NULL) return;
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    if (file < 0) abort();
    void *map = mmap(NULL, 16, PROT_READ, MAP_SHARED, file, 0);
    if (map == MAP_FAILED) abort();
    close(file);
    shifts = map;
}

static void shift(struct timespec *time, int64_t nanoseconds) {
    int64_t sum = (int64_t)time->tv_sec * 1000000000 + time->tv_nsec + nanoseconds;
    int64_t rest = sum % 1000000000;
    if (rest < 0) rest += 1000000000;
    time->tv_sec = (sum - rest) / 1000000000;
    time->tv_nsec = rest;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && shifts != NULL) {
        if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) shift(time, shifts[0]);
        if (clock == CLOCK_BOOTTIME) shift(time, shifts[1]);
    }
    return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone) {
    (void)zone;
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result != NULL) *result = now.tv_sec;
    return now.tv_sec;
}

static const char *redirected(const char *path) {
    const char *other = getenv("POSTO_TEST_BOOT_ID");
    return other != NULL && strcmp(path, "/proc/sys/kernel/random/boot_id") == 0 ? other : path;
}

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    unsigned mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, unsigned) : 0;
    va_end(rest);
    return (int)syscall(SYS_openat, AT_FDCWD, redirected(path), flags, mode);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));
