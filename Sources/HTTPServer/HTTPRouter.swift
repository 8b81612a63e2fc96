/// Finds the route of a request: `/api/v1/heartbeat/{name}/{id}` by method, on the bytes of the path, without allocating.
///
/// `{name}` is one segment that is not empty; `{rest*}` at the end takes all that is left, slashes and nothing included. A literal segment wins
/// over a parameter. A trailing slash is another path. HEAD goes where GET goes; OPTIONS is answered by `Allow`.
///
/// `match` is generic, and called from another module it looks up type metadata, some 0.3 µs. A hot path asks `table.match` and takes
/// `values[index]` by itself, which its compiler specialises.
package struct HTTPRouter<Route: Sendable>: Sendable {
    package enum Match: Sendable {
        case found(Route, HTTPParameters)
        /// 404.
        case notFound
        /// 405 with this `Allow`.
        case methodNotAllowed(allow: String)
        /// 204 with this `Allow`, for OPTIONS without a route of its own.
        case options(allow: String)
    }

    package struct Entry: Sendable {
        package let method: HTTPMethod
        package let pattern: String
        package let route: Route
    }

    /// Every route in the order of registration, for documents and their tests.
    package private(set) var routes: [Entry] = []
    package private(set) var table = RouteTable()
    /// By index of the table.
    package private(set) var values: [Route] = []

    package init() {}

    /// Adds a route. Two routes for one method and pattern, or more than four parameters, are a programming error.
    package mutating func add(_ method: HTTPMethod, _ pattern: String, _ route: Route) {
        table.add(method, pattern, values.count)
        values.append(route)
        routes.append(Entry(method: method, pattern: pattern, route: route))
    }

    package func match(_ method: HTTPMethod, _ path: UnsafeBufferPointer<UInt8>) -> Match {
        switch table.match(method, path) {
        case .found(let index, let parameters): .found(values[index], parameters)
        case .notFound: .notFound
        case .methodNotAllowed(let allow): .methodNotAllowed(allow: allow)
        case .options(let allow): .options(allow: allow)
        }
    }
}

/// Where the parameters of a matched pattern lie in the path.
package struct HTTPParameters: Sendable, Equatable {
    static let max = 4

    private var bounds: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0, 0, 0, 0, 0)
    package private(set) var count = 0

    package func range(_ index: Int) -> Range<Int> {
        precondition(index < count, "the pattern has \(count) parameters")
        return withUnsafeBytes(of: bounds) {
            let words = $0.bindMemory(to: UInt32.self)
            return Int(words[index * 2])..<Int(words[index * 2 + 1])
        }
    }

    package func bytes(_ index: Int, in path: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(rebasing: path[range(index)])
    }

    package func string(_ index: Int, in path: UnsafeBufferPointer<UInt8>) -> String { bytes(index, in: path).text }

    @inline(__always)
    mutating func append(_ start: Int, _ stop: Int) {
        let bound = (UInt32(truncatingIfNeeded: start), UInt32(truncatingIfNeeded: stop))
        switch count {
        case 0: (bounds.0, bounds.1) = bound
        case 1: (bounds.2, bounds.3) = bound
        case 2: (bounds.4, bounds.5) = bound
        default: (bounds.6, bounds.7) = bound
        }
        count += 1
    }

    @inline(__always)
    mutating func removeLast() { count -= 1 }

    package static func == (a: HTTPParameters, b: HTTPParameters) -> Bool {
        a.count == b.count && (0..<a.count).allSatisfy { a.range($0) == b.range($0) }
    }
}
