// libzstd as it is: nothing of it is variadic.
#pragma once
#include <zstd.h>
