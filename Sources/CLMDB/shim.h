// LMDB imports whole; nothing needs a shim.
#pragma once
#include <lmdb.h>
