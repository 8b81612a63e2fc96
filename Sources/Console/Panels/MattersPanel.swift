/// The alerts of health and what is over a threshold, in plain words; hidden while there are none.
struct MattersPanel {
    let phrases: any Phrases
    let matters: [Matter]

    func html() -> HTML {
        #"""
        <section id="matters" class="panel" aria-labelledby="matters-title" data-panel\#(matters.isEmpty ? " hidden" as HTML : "")>
        <h2 id="matters-title">\#(phrases.matters)</h2>
        <ul class="matters">
        \#(matters.sorted { $0.level > $1.level }.enumerated().map { item($0, $1) })</ul>
        </section>
        """#
    }

    private func item(_ index: Int, _ matter: Matter) -> HTML {
        let mood: Mood = matter.level == .unhealthy ? .trouble : .attention
        let isOther = matter.kind == .otherAlert
        let foreign: HTML? = isOther && phrases.language != .english ? #" lang="en""# : nil
        let why = isOther ? matter.message : phrases.reason(matter.kind).capitalizedFirst + "."
        let advice = isOther ? matter.hint : phrases.advice(matter.kind).capitalizedFirst + "."
        let words: HTML? =
            matter.message.isEmpty || isOther
            ? nil
            : #"""
            <details id="matter-\#(index)">
            <summary>\#(phrases.theNodesWords)</summary>
            <p lang="en">\#(matter.message) \#(matter.hint)</p>
            </details>
            """#
        return #"""
            <li class="matter \#(mood.rawValue)"\#(matter.isAlert ? " data-alert" as HTML : "")>
            <p class="mood">\#(Frame.mark(mood))\#(phrases.word(matter.level))</p>
            <p class="why"\#(foreign)>\#(why)</p>
            <p class="do"\#(foreign)><strong>\#(phrases.whatToDo):</strong> \#(advice)</p>
            \#(words)
            </li>

            """#
    }
}
