/// Who the node is and what was measured of it.
struct NodePanel {
    let phrases: any Phrases
    let node: NodePicture

    func html() -> HTML {
        let facts = node.facts
        let figures = node.figures
        let language = phrases.language
        let site: HTML = facts.site.isEmpty ? "\(phrases.noSite)" : .foreign(facts.site)
        let free: HTML =
            #"<data id="disk-free" value="\#(figures.diskFreeBytes)">\#(Figure.bytes(figures.diskFreeBytes, in: language))</data>"#
        return Panel.section(
            "node", title: phrases.node,
            #"""
            <dl class="facts">
            \#([
                Panel.fact("\(phrases.site)", site),
                Panel.fact("\(phrases.nodeID)", #"<span id="node-id">\#(.foreign(facts.id))</span>"#),
                Panel.fact("\(phrases.version)", #"<span id="version">\#(facts.version)</span>"#),
                Panel.fact("\(phrases.runningFor)", Figure.duration(facts.uptime, id: "uptime")),
                Panel.fact("\(phrases.epoch)", Figure.data(facts.epoch, id: "epoch", in: language)),
                Panel.fact("\(phrases.storeUsed)", Figure.data(figures.storeUsedPercent, id: "store-used", unit: "%", in: language)),
                Panel.fact("\(phrases.diskFree)", free),
                Panel.fact("\(phrases.commitTime)", Figure.data(figures.commitMilliseconds, id: "commit", unit: "ms", in: language)),
                Panel.fact("\(phrases.processor)", Figure.data(figures.cpuPercent, id: "cpu", unit: "%", in: language)),
                Panel.fact("\(phrases.memory)", Figure.data(figures.memoryPercent, id: "memory", unit: "%", in: language)),
            ])</dl>
            """#)
    }
}
