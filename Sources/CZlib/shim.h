// deflateInit2 is a macro over a function with the version of the header.
#pragma once
#include <zlib.h>

static inline int posto_deflate_init_gzip(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}
