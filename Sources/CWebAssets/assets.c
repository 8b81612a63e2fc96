#include "CWebAssets.h"

// #embed is of C23; clang takes it in every C and says so.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char css[] = {
#embed "files/console.css"
};
static const unsigned char script[] = {
#embed "files/console.js"
};
static const unsigned char icon[] = {
#embed "files/icon.svg"
};

posto_asset posto_asset_css(void) { return (posto_asset){css, sizeof css}; }
posto_asset posto_asset_script(void) { return (posto_asset){script, sizeof script}; }
posto_asset posto_asset_icon(void) { return (posto_asset){icon, sizeof icon}; }
