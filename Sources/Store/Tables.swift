/// A named table of an LMDB environment.
///
/// The first byte of every key in it is `id`, because a leaf page does not name its table and salvage must tell
/// whose record it has found (Documentation/FORMATS.md).
package struct Table: Hashable, Sendable {
    package let id: UInt8
    package let name: String

    package init(id: UInt8, name: String) {
        self.id = id
        self.name = name
    }

    /// Format version, store id, node id, epoch: a few rows, one key byte each.
    package static let meta = Table(id: 1, name: "meta")
    /// A row a stream: policy and counters.
    package static let streams = Table(id: 2, name: "streams")
    /// sink ‖ stream → how far the sink is.
    package static let cursors = Table(id: 3, name: "cursors")
    /// producer ‖ idempotency key → the answer that was given.
    package static let dedup = Table(id: 4, name: "dedup")
    /// Idempotency keys by age, so that they can expire in order.
    package static let dedupByAge = Table(id: 5, name: "dedup-age")
    /// stream ‖ seq → checkpoint of a chained stream.
    package static let checkpoints = Table(id: 6, name: "checkpoints")
    /// number [‖ part] → a record that a receiver refused, with why.
    package static let deadLetters = Table(id: 7, name: "deadletters")
    /// tenant ‖ service ‖ instance → registration.
    package static let instances = Table(id: 16, name: "instances")
    /// tenant ‖ host ‖ port → who holds the address.
    package static let addresses = Table(id: 17, name: "addresses")
    /// lease slot → instance key.
    package static let leases = Table(id: 18, name: "leases")

    /// Every table that is not a stream, in the order in which it is opened.
    package static let all: [Table] = [
        .meta, .streams, .cursors, .dedup, .dedupByAge, .checkpoints, .deadLetters, .instances, .addresses, .leases,
    ]

    /// The table of the stream with this number (0…127): ids 128 and up.
    package static func stream(_ number: UInt8, named name: String) -> Table {
        precondition(number < 128)
        return Table(id: 128 + number, name: "stream-\(name)")
    }
}
