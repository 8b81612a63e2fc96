// What Swift cannot call: libmicrohttpd's variadic functions.
#pragma once
#include <microhttpd.h>

static inline struct MHD_Daemon *posto_mhd_start(unsigned flags, MHD_AccessHandlerCallback handler, void *context,
                                                 const struct MHD_OptionItem *options) {
    return MHD_start_daemon(flags, 0, NULL, NULL, handler, context, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}
static inline const union MHD_ConnectionInfo *posto_mhd_connection_info(struct MHD_Connection *connection,
                                                                        enum MHD_ConnectionInfoType type) {
    return MHD_get_connection_info(connection, type);
}
static inline const union MHD_DaemonInfo *posto_mhd_daemon_info(struct MHD_Daemon *daemon, enum MHD_DaemonInfoType type) {
    return MHD_get_daemon_info(daemon, type);
}
