// Only the array forms are used; the variadic ones are not needed.
#pragma once
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
