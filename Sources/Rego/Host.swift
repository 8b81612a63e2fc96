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
    public var cryptography: (any HostCryptography)?
    public var regularExpressions: RegularExpressions?
    public var yaml: (any HostYAML)?

    public init() {}

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
    /// The groups that have a name, `(?P<name>…)`.
    var groupNames: [String: Int] { get }
    /// The first match at or after an offset: pairs of start and end, the whole match first; -1 for groups that took no part. Nil: no match.
    func firstMatch(in text: UnsafeRawBufferPointer, from offset: Int) -> [Int]?
}
