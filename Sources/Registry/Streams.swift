import Store

extension StreamID {
    /// Every change of state; its seq is the revision.
    package static let state = StreamID(0)
    /// Who did what, chained.
    package static let audit = StreamID(1)
}
