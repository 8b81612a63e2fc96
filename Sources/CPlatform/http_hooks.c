// The two places where libmicrohttpd acts without asking. Documentation/decisions/0009 has the reasons.
//
// It calls recv(2) and its own MHD_queue_response through the dynamic linker, as every shared library does whose symbols are public. An
// executable that defines a symbol comes first in the linker's search, so the two definitions below are what it reaches. Nothing of the
// library is changed; where it is linked in another way these are simply not called, and a test says so.
#define _GNU_SOURCE
#include "CPlatform.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default"), used))

struct MHD_Connection;
struct MHD_Response;

static __thread struct posto_http_hooks *hooks;

void posto_http_hooks_install(struct posto_http_hooks *mine) { hooks = mine; }

struct posto_received *posto_received_allocate(size_t count) { return calloc(count, sizeof(struct posto_received)); }

// For the whole process what recv(2) always was; on a thread with hooks it also notes what came, for libmicrohttpd's reads (the only ones
// without flags).
EXPORTED ssize_t recv(int fd, void *buffer, size_t length, int flags) {
    ssize_t count = recvfrom(fd, buffer, length, flags, NULL, NULL);
    if (hooks != NULL && flags == 0 && count > 0 && (size_t)fd < hooks->received_count) {
        struct posto_received *received = &hooks->received[fd];
        if (received->nul == 0) {
            const char *nul = memchr(buffer, 0, (size_t)count);
            if (nul != NULL) received->nul = received->bytes + (uint64_t)(nul - (const char *)buffer) + 1;
        }
        received->bytes += (uint64_t)count;
    }
    return count;
}

typedef int (*queue_response)(struct MHD_Connection *, unsigned, struct MHD_Response *);
static queue_response library_queue_response;

__attribute__((constructor)) static void find(void) {
    library_queue_response = (queue_response)dlsym(RTLD_NEXT, "MHD_queue_response");
    if (library_queue_response == NULL) abort();
}

int posto_mhd_queue_response(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response) {
    return library_queue_response(connection, status, response);
}

// We answer through the function above, so who comes here is libmicrohttpd with an answer of its own.
EXPORTED int MHD_queue_response(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response) {
    if (hooks != NULL) hooks->refused(hooks->context, connection, status);
    return library_queue_response(connection, status, response);
}
