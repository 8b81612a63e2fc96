// Remembers what a power cut could take back: what the daemon has written to its store and not yet synced.
//
// POSTO_TEST_POWER names a log; POSTO_TEST_POWER_UNDER is a part of the paths that count. Before a write goes through, the log gets what
// stood in its place, so that a test can give each sector any of the contents that it has had since the last sync. All calls are carried
// out: while the daemon runs nothing differs. POSTO_TEST_POWER_LIES=1 forgets that anything was ever synced, as a disk does that lies.
//
// The log is a sequence of `struct entry`, each followed by the path and, for a write, the bytes that were there.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// WRITTEN ends a write through a descriptor of O_DSYNC; SYNCED covers what was logged before `number`.
enum kind { WRITE = 1, WRITTEN = 2, SYNCED = 3, CREATED = 4, CUT = 5 };

struct entry {
    uint32_t kind;
    uint32_t path_bytes;
    uint64_t number;   // of this entry; of SYNCED and WRITTEN: of the last entry that is durable
    uint64_t offset;
    uint64_t length;   // of the write; of CUT: the new size
    uint64_t old_bytes;
    uint64_t old_size;
};

static int log_file = -1;
static int lies;
static const char *under;
static uint64_t entries;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("POSTO_TEST_POWER");
    under = getenv("POSTO_TEST_POWER_UNDER");
    if (path == NULL || under == NULL) return;
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) abort();
    // Out of the way of programs that count their descriptors.
    log_file = fcntl(file, F_DUPFD_CLOEXEC, 900);
    syscall(SYS_close, file);
    lies = getenv("POSTO_TEST_POWER_LIES") != NULL;
}

// The path of a file that counts; 0 if it does not.
static int path_of(int file, char path[PATH_MAX]) {
    if (log_file < 0) return 0;
    char link[32] = "/proc/self/fd/", digits[12];
    int count = 0;
    unsigned rest = (unsigned)file;
    do digits[count++] = (char)('0' + rest % 10); while ((rest /= 10) > 0);
    char *end = link + strlen(link);
    while (count > 0) *end++ = digits[--count];
    *end = 0;
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return strstr(path, under) != NULL;
}

static void append(struct entry *entry, const char *path, const void *bytes) {
    entry->path_bytes = (uint32_t)strlen(path);
    struct iovec parts[3] = {{entry, sizeof *entry}, {(void *)path, entry->path_bytes}, {(void *)bytes, entry->old_bytes}};
    ssize_t whole = (ssize_t)(sizeof *entry + entry->path_bytes + entry->old_bytes);
    if (syscall(SYS_writev, log_file, parts, 3) != whole) abort();
}

static uint64_t size_of(int file) {
    struct stat status;
    return syscall(SYS_fstat, file, &status) == 0 ? (uint64_t)status.st_size : 0;
}

// Call with the lock held. Returns the entry's number, or 0 if the write does not count.
static uint64_t before_write(int file, uint64_t offset, uint64_t length, const char *path) {
    char *old = malloc(length + 1);
    // The file may be open for writing only, or past the page cache.
    int reader = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    ssize_t got = reader < 0 || old == NULL ? 0 : syscall(SYS_pread64, reader, old, length, offset);
    if (reader >= 0) syscall(SYS_close, reader);
    struct entry entry = {
        .kind = WRITE, .number = ++entries, .offset = offset, .length = length, .old_bytes = got > 0 ? (uint64_t)got : 0, .old_size = size_of(file)};
    append(&entry, path, old);
    free(old);
    return entry.number;
}

static void after_write(int file, uint64_t number, const char *path) {
    if (lies || (fcntl(file, F_GETFL) & O_DSYNC) == 0) return;
    struct entry entry = {.kind = WRITTEN, .number = number};
    append(&entry, path, NULL);
}

#define LOGGED_WRITE(file, offset, length, call)                                                                                           \
    char path[PATH_MAX];                                                                                                                   \
    if (!path_of(file, path)) return call;                                                                                                 \
    pthread_mutex_lock(&lock);                                                                                                             \
    uint64_t number = before_write(file, (uint64_t)(offset), (uint64_t)(length), path);                                                    \
    ssize_t result = call;                                                                                                                 \
    int code = errno;                                                                                                                      \
    if (result >= 0) after_write(file, number, path);                                                                                      \
    pthread_mutex_unlock(&lock);                                                                                                           \
    errno = code;                                                                                                                          \
    return result;

static off_t place(int file) {
    off_t here = lseek(file, 0, SEEK_CUR);
    return here < 0 ? 0 : here;
}

static size_t total(const struct iovec *parts, int count) {
    size_t sum = 0;
    for (int i = 0; i < count; i++) sum += parts[i].iov_len;
    return sum;
}

ssize_t write(int file, const void *bytes, size_t count) { LOGGED_WRITE(file, place(file), count, syscall(SYS_write, file, bytes, count)) }

ssize_t pwrite(int file, const void *bytes, size_t count, off_t offset) {
    LOGGED_WRITE(file, offset, count, syscall(SYS_pwrite64, file, bytes, count, offset))
}
ssize_t pwrite64(int file, const void *bytes, size_t count, off_t offset) __attribute__((alias("pwrite")));

ssize_t writev(int file, const struct iovec *parts, int count) {
    LOGGED_WRITE(file, place(file), total(parts, count), syscall(SYS_writev, file, parts, count))
}

ssize_t pwritev(int file, const struct iovec *parts, int count, off_t offset) {
    LOGGED_WRITE(file, offset, total(parts, count), syscall(SYS_pwritev, file, parts, count, offset, 0))
}
ssize_t pwritev64(int file, const struct iovec *parts, int count, off_t offset) __attribute__((alias("pwritev")));

static int sync_with(long call, int file) {
    char path[PATH_MAX];
    if (!path_of(file, path)) return (int)syscall(call, file);
    // What is written while the disk works is not part of it.
    pthread_mutex_lock(&lock);
    uint64_t number = entries;
    pthread_mutex_unlock(&lock);
    int result = (int)syscall(call, file);
    int code = errno;
    if (result == 0 && !lies) {
        struct entry entry = {.kind = SYNCED, .number = number, .old_size = size_of(file)};
        pthread_mutex_lock(&lock);
        append(&entry, path, NULL);
        pthread_mutex_unlock(&lock);
    }
    errno = code;
    return result;
}

int fdatasync(int file) { return sync_with(SYS_fdatasync, file); }
int fsync(int file) { return sync_with(SYS_fsync, file); }

int ftruncate(int file, off_t length) {
    char path[PATH_MAX];
    if (path_of(file, path)) {
        pthread_mutex_lock(&lock);
        uint64_t size = size_of(file);
        // What is cut off may be back.
        if ((uint64_t)length < size) before_write(file, (uint64_t)length, size - (uint64_t)length, path);
        struct entry entry = {.kind = CUT, .number = ++entries, .length = (uint64_t)length, .old_size = size};
        append(&entry, path, NULL);
        pthread_mutex_unlock(&lock);
    }
    return (int)syscall(SYS_ftruncate, file, length);
}
int ftruncate64(int file, off_t length) __attribute__((alias("ftruncate")));

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    unsigned mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, unsigned) : 0;
    va_end(rest);
    int isNew = log_file >= 0 && (flags & O_CREAT) != 0 && syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
    // Another library may stand behind this one.
    int (*next)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
    int file = next(path, flags, mode);
    char whole[PATH_MAX];
    if (isNew && file >= 0 && path_of(file, whole)) {
        pthread_mutex_lock(&lock);
        struct entry entry = {.kind = CREATED, .number = ++entries};
        append(&entry, whole, NULL);
        pthread_mutex_unlock(&lock);
    }
    return file;
}
int open64(const char *path, int flags, ...) __attribute__((alias("open")));
