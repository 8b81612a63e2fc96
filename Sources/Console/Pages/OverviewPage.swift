import Domain
import Store

/// The page of the node: one sentence, then what it rests on.
struct OverviewPage {
    let frame: Frame
    let node: NodePicture
    let services: Result<ServicesPicture, StoreError>

    private var phrases: any Phrases { frame.phrases }

    func bytes() -> [UInt8] {
        let picture = try? services.get()
        let verdict = Verdict(node, picture, frame.link)
        let name = node.facts.site.isEmpty ? node.facts.id : node.facts.site
        let development: HTML? = node.isDevelopment ? #"<p class="notice attention">\#(phrases.developmentMode)</p>"# : nil
        let uplink = UplinkPanel(phrases: phrases, uplink: node.uplink, takenAt: node.takenAt).html()
        return frame.page(
            title: "\(phrases.word(verdict.mood)) · \(name) · Posto", name: name, revision: picture?.revision ?? 0,
            #"""
            \#(Frame.state(verdict.mood, word: phrases.word(verdict.mood), phrases.sentence(verdict)))
            \#(Self.age(phrases, node.takenAt, frame.link))
            \#(development)
            <nav class="sections" aria-label="\#(phrases.sections)">
            <a href="#services">\#(phrases.services)</a>
            \#(uplink.map { _ in ##"<a href="#uplink">\##(phrases.uplink)</a>"## as HTML })
            <a href="#node">\#(phrases.node)</a>
            </nav>
            <div class="columns">
            <div class="column">
            \#(MattersPanel(phrases: phrases, matters: node.matters).html())
            \#(ServicesPanel(phrases: phrases, services: services, link: frame.link).html())
            </div>
            <div class="column side">
            \#(uplink)
            \#(NodePanel(phrases: phrases, node: node).html())
            </div>
            </div>
            """#)
    }

    /// How old the picture is: the time for all, and the module counts on.
    static func age(_ phrases: any Phrases, _ takenAt: Timestamp, _ link: PageLink) -> HTML {
        #"""
        <div class="age">
        <p><span id="taken" data-panel>\#(phrases.pictureOf) \#(Figure.clock(takenAt))</span> <span id="age" data-text="\#(phrases.pictureAge)"></span></p>
        <a class="button" href="\#(link.target)">\#(phrases.refresh)</a>
        </div>
        """#
    }
}
