// What Swift cannot call of libssl: function-like macros, and callbacks that are set through them.
#pragma once
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static inline void posto_tls_set_versions(SSL_CTX *context) {
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
}
static inline void posto_tls_set_mode(SSL_CTX *context) {
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
}
// Every session is a ticket that the client keeps; nothing is stored here.
static inline void posto_tls_keep_no_sessions(SSL_CTX *context) { SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF); }
static inline int posto_tls_set_groups(SSL_CTX *context, const char *names) { return (int)SSL_CTX_set1_groups_list(context, names); }
static inline int posto_tls_add_chain(SSL_CTX *context, X509 *certificate) { return (int)SSL_CTX_add1_chain_cert(context, certificate); }
static inline int posto_tls_set_name(SSL *session, const char *name) { return (int)SSL_set_tlsext_host_name(session, name); }
static inline BIO *posto_bio(const void *bytes, int count) { return BIO_new_mem_buf(bytes, count); }
static inline long posto_bio_bytes(BIO *bio, char **bytes) { return BIO_get_mem_data(bio, bytes); }
static inline unsigned long posto_error_reason(unsigned long code) { return (unsigned long)ERR_GET_REASON(code); }
static inline int posto_error_is_tls(unsigned long code) { return ERR_GET_LIB(code) == ERR_LIB_SSL; }
static const uint64_t posto_tls_server_options = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                                 SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF;
static const uint64_t posto_tls_client_options = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF;
static inline void posto_tls_set_version12(SSL_CTX *context) { SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION); }
// RFC 2253, with UTF-8 left as it is.
static const unsigned long posto_name_flags = XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB;
// A password callback that has none, so that an encrypted key is refused and not asked for on the terminal.
static inline int posto_no_password(char *buffer, int size, int writing, void *context) { return -1; }
static inline EVP_PKEY *posto_read_key(BIO *bio) { return PEM_read_bio_PrivateKey(bio, NULL, posto_no_password, NULL); }
static inline X509 *posto_read_certificate(BIO *bio) { return PEM_read_bio_X509(bio, NULL, posto_no_password, NULL); }
