/// The right to answer one suspended request, from any thread. The first answer wins; later ones, and answers to a client that left, are ignored.
package struct HTTPTicket: Sendable, Hashable {
    /// Slot of the connection in the low 24 bits, generation above.
    let id: UInt64
    let mailbox: Mailbox

    package func complete(_ response: HTTPResponse) { mailbox.complete(id, response) }

    package static func == (a: HTTPTicket, b: HTTPTicket) -> Bool { a.id == b.id && a.mailbox === b.mailbox }
    package func hash(into hasher: inout Hasher) { hasher.combine(id) }
}
