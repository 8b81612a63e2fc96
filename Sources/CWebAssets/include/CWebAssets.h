// The files of the technicians' pages, compiled in: Swift's own embedding of 81 KB adds 25 s to a build, C's nothing that shows.
#pragma once
#include <stddef.h>

typedef struct {
    const unsigned char *bytes;
    size_t size;
} posto_asset;

posto_asset posto_asset_css(void);
posto_asset posto_asset_script(void);
posto_asset posto_asset_icon(void);
