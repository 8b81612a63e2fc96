import Domain

/// How far what the branch tells has come; no panel where there is no uplink.
struct UplinkPanel {
    let phrases: any Phrases
    let uplink: UplinkPicture
    let takenAt: Timestamp

    func html() -> HTML? {
        switch uplink {
        case .absent: nil
        case .failed(let reason): section(Panel.failed(reason, phrases))
        case .sinks(let sinks) where sinks.isEmpty: section(#"<p class="empty">\#(phrases.noSinks)</p>"#)
        case .sinks(let sinks): section("\(sinks.enumerated().map { sink($0, $1) })")
        }
    }

    private func section(_ content: HTML) -> HTML { Panel.section("uplink", title: phrases.uplink, content) }

    private func sink(_ index: Int, _ sink: SinkPicture) -> HTML {
        let language = phrases.language
        let mood: Mood =
            switch sink.link {
            case .sending: .well
            case .trying: .attention
            case .waiting: .attention
            }
        let waiting: HTML =
            sink.lagRecords == 0
            ? #"<data id="lag-\#(index)" value="0">\#(phrases.nothingWaits)</data>"#
            : "\(Figure.data(sink.lagRecords, id: "lag-\(index)", in: language)) (\(Figure.bytes(sink.lagBytes, in: language)))"
        let ack: HTML = sink.lastAck.map { "\(Figure.time($0))" } ?? "\(phrases.never)"
        let drain: HTML = sink.drainEstimate.map { "\(Figure.duration($0))" } ?? "\(phrases.nobodyKnows)"
        return #"""
            <h3>\#(.foreign(sink.name))</h3>
            <p class="how">\#(Panel.badge(mood, phrases.word(sink.link)))</p>
            <dl class="facts">
            \#(Panel.fact("\(phrases.waitingRecords)", waiting))\#(sink.oldestAge.map { Panel.fact("\(phrases.oldestWaiting)", "\(Figure.duration($0))") })\#(Panel.fact("\(phrases.lastAck)", ack))\#(sink.lagRecords > 0 ? Panel.fact("\(phrases.drainEstimate)", drain) : nil)\#(Panel.fact("\(phrases.deadLetters)", Figure.data(sink.deadLetters, id: "dead-letters-\(index)", in: language)))</dl>

            """#
    }
}
