#pragma once
// Memory for OpenSSL, which otherwise allocates for each record that it reads or writes.

namespace adit::net {

/// Makes OpenSSL's allocations come from blocks that each thread keeps for reuse: the small ones that it needs several
/// of per record, and the record buffers that SSL_MODE_RELEASE_BUFFERS gives up whenever a connection is idle. Call it
/// first in main(); it has no effect once OpenSSL has allocated, nor under sanitizers, which are to see each use after
/// free.
void recycle_openssl_memory();

}  // namespace adit::net
