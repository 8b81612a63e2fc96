import CCurl

extension CurlLibrary {
    /// Of the libcurl that runs: `7.88.1`.
    package static var version: String {
        initialize()
        // The record's first version has what is asked.
        return String(cString: curl_version_info(CURLVERSION_FIRST).pointee.version)
    }
}
