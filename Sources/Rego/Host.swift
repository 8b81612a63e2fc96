/// What the engine asks of the program around it: it does no I/O and holds no cryptography of its own.
///
/// A set of functions, so that a program hands in what it has. What is nil does not exist: built-ins that need it fail with `eval_builtin_error`.
/// All functions may be called from any thread.
public struct Host: Sendable {
    /// Nanoseconds since 1970 UTC. Read once a query, and given to `time.now_ns`.
    public var now: (@Sendable () -> Int64)?
    /// As many random bytes, for `uuid.rfc4122` and `rand.intn`.
    public var random: (@Sendable (_ count: Int) -> [UInt8])?
    /// The TZif file of a zone ("Europe/Rome"); nil when there is none.
    public var timeZone: (@Sendable (_ name: String) -> [UInt8]?)?
    /// The environment that `opa.runtime()` shows.
    public var environment: [String: String] = [:]
    public var cryptography: Cryptography?
    public var regularExpressions: RegularExpressions?
    /// YAML to JSON bytes.
    public var yaml: (@Sendable (_ text: [UInt8]) throws(HostFailure) -> [UInt8])?

    public init() {}

    /// Digests and keyed digests; the rest of cryptography stands in an extension beside the built-ins that need it.
    public struct Cryptography: Sendable {
        public enum Algorithm: Sendable { case md5, sha1, sha256, sha384, sha512 }

        public var digest: @Sendable (Algorithm, _ bytes: [UInt8]) -> [UInt8]
        public var authenticate: @Sendable (Algorithm, _ key: [UInt8], _ bytes: [UInt8]) -> [UInt8]

        public init(
            digest: @escaping @Sendable (Algorithm, [UInt8]) -> [UInt8],
            authenticate: @escaping @Sendable (Algorithm, [UInt8], [UInt8]) -> [UInt8]
        ) {
            self.digest = digest
            self.authenticate = authenticate
        }
    }

    /// Compiles patterns of RE2's syntax.
    public struct RegularExpressions: Sendable {
        public var compile: @Sendable (_ pattern: [UInt8]) throws(HostFailure) -> any RegularExpression

        public init(compile: @escaping @Sendable ([UInt8]) throws(HostFailure) -> any RegularExpression) { self.compile = compile }
    }
}

/// Why the host could not do it, in words for the error.
public struct HostFailure: Error, Equatable, Sendable {
    public var message: String

    public init(_ message: String) { self.message = message }
}

/// A compiled pattern. Kept in the query's cache, and used by its thread alone.
public protocol RegularExpression: AnyObject {
    /// Groups, the whole match not counted.
    var groupCount: Int { get }
    /// The first match at or after an offset: pairs of start and end, the whole match first; -1 for groups that took no part. Nil: no match.
    func firstMatch(in text: UnsafeRawBufferPointer, from offset: Int) -> [Int]?
}
