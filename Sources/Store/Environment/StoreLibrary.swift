import CLMDB

/// The library below the store.
package enum StoreLibrary {
    /// Of the LMDB that runs: `0.9.24`.
    package static var version: String {
        var (major, minor, patch): (Int32, Int32, Int32) = (0, 0, 0)
        mdb_version(&major, &minor, &patch)
        return "\(major).\(minor).\(patch)"
    }
}
