import Domain

/// The pieces that panels are made of.
enum Panel {
    /// A section with a heading; the module puts the new one in the place of the old.
    static func section(_ id: String, title: String, _ content: HTML) -> HTML {
        #"""
        <section id="\#(id)" class="panel" aria-labelledby="\#(id)-title" data-panel>
        <h2 id="\#(id)-title">\#(title)</h2>
        \#(content)
        </section>
        """#
    }

    static func failed(_ reason: String, _ phrases: any Phrases) -> HTML {
        #"<p class="failed">\#(Frame.mark(.attention))\#(phrases.panelFailed(reason))</p>"#
    }

    /// One row of a `<dl class="facts">`.
    static func fact(_ name: HTML, _ value: HTML) -> HTML { "<div><dt>\(name)</dt><dd>\(value)</dd></div>\n" }

    static func badge(_ mood: Mood?, _ word: String) -> HTML {
        guard let mood else { return #"<span class="badge quiet">\#(word)</span>"# }
        return #"<span class="badge \#(mood.rawValue)">\#(Frame.mark(mood))\#(word)</span>"#
    }

    /// What the probes and what the heartbeats of an instance say.
    static func badges(
        _ health: Health, _ freshness: Freshness, isStatic: Bool, ageSeconds: Int64, _ phrases: any Phrases
    ) -> HTML {
        let healthMood: Mood? =
            switch health {
            case .unknown: nil
            case .passing: .well
            case .warning: .attention
            case .critical: .trouble
            }
        guard !isStatic else {
            return #"<span class="how">\#(badge(nil, phrases.fromAFile))\#(badge(healthMood, phrases.word(health)))</span>"#
        }
        let freshnessMood: Mood =
            switch freshness {
            case .fresh: .well
            case .stale: .attention
            case .expired: .trouble
            }
        let age: HTML = #"<data class="heard-age" value="\#(ageSeconds)">\#(Figure.duration(.seconds(ageSeconds)))</data>"#
        let heard: HTML =
            #"<span class="beat">\#(badge(freshnessMood, phrases.word(freshness)))<span class="heard">\#(phrases.heard(age))</span></span>"#
        let probed = badge(healthMood, phrases.word(health))
        // What nobody asks says least.
        return health == .unknown ? #"<span class="how">\#(heard)\#(probed)</span>"# : #"<span class="how">\#(probed)\#(heard)</span>"#
    }
}

extension String {
    /// As at the beginning of a sentence.
    var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
