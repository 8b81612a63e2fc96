// What Swift cannot call: libmicrohttpd's variadic functions; and what Glibc's module hides beside them.
#pragma once
#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>

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
// The pointer that NOTIFY_CONNECTION stored; NULL before.
static inline void *posto_mhd_socket_context(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}
// Bytes from the first of the request line to the last of the empty line; 0 before that line came.
static inline size_t posto_mhd_head_size(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info == NULL ? 0 : info->header_size;
}
static inline int posto_mhd_epoll_fd(struct MHD_Daemon *daemon) {
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info == NULL ? -1 : info->epoll_fd;
}
// vsnprintf(3) for the logger: Swift cannot write a C callback that takes a va_list.
typedef void (*posto_mhd_log_line)(void *context, const char *line);
struct posto_mhd_logger {
    posto_mhd_log_line line;
    void *context;
};
static inline void posto_mhd_log(void *logger, const char *format, va_list arguments) {
    char line[512];
    vsnprintf(line, sizeof line, format, arguments);
    ((struct posto_mhd_logger *)logger)->line(((struct posto_mhd_logger *)logger)->context, line);
}
static inline intptr_t posto_mhd_log_address(void) { return (intptr_t)&posto_mhd_log; }
