import CMicroHTTPD

/// The library behind the door.
package enum HTTPServerLibrary {
    /// Of the libmicrohttpd that runs: `0.9.75`.
    package static var version: String { String(cString: MHD_get_version()) }
}
