/// What every page has around its own.
struct Frame {
    let phrases: any Phrases
    let assets: Assets
    let link: PageLink

    /// - Parameters:
    ///   - name: of the node, beside the brand.
    ///   - revision: where the module goes on from; nil for a page that does not refresh itself.
    func page(title: String, name: String, revision: UInt64?, _ content: HTML) -> [UInt8] {
        let home = PageLink(place: .overview, language: link.language).target
        let other: Language = phrases.language == .english ? .portuguese : .english
        let live: HTML? = revision.map { #" data-revision="\#($0)" data-build="\#(assets.build)""# }
        let page: HTML = #"""
            <!DOCTYPE html>
            <html lang="\#(phrases.language.tag)">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>\#(title)</title>
            <link rel="icon" type="image/svg+xml" href="\#(assets.icon)">
            <link rel="stylesheet" href="\#(assets.css)">
            <script type="module" src="\#(assets.script)"></script>
            </head>
            <body>
            <a class="skip" href="#state">\#(phrases.skipToState)</a>
            <header class="top">
            <a class="brand" href="\#(home)">Posto</a>
            <span class="where">\#(.foreign(name))</span>
            <a class="language" href="\#(link.with { $0.language = other })" lang="\#(other.tag)" hreflang="\#(other.tag)">\#(phrases.otherLanguage)</a>
            </header>
            <div id="notices" role="status">
            <p id="lost" class="notice trouble" hidden>\#(phrases.connectionLost)</p>
            <p id="old" class="notice attention" hidden>\#(phrases.pictureIsOld)</p>
            </div>
            <main id="page"\#(live)>
            \#(content)
            </main>
            </body>
            </html>

            """#
        return Array(page.text.utf8)
    }

    /// The sentence that a page opens with.
    static func state(_ mood: Mood, word: String, _ sentence: HTML) -> HTML {
        #"""
        <section id="state" class="state \#(mood.rawValue)" aria-live="polite" data-panel>
        <p class="mood">\#(mark(mood))\#(word)</p>
        <h1>\#(sentence)</h1>
        </section>
        """#
    }

    /// A form beside the colour and the word.
    static func mark(_ mood: Mood) -> HTML {
        switch mood {
        case .well: #"<span class="mark" aria-hidden="true">✓</span>"#
        case .attention: #"<span class="mark" aria-hidden="true">!</span>"#
        case .trouble: #"<span class="mark" aria-hidden="true">✕</span>"#
        }
    }
}
