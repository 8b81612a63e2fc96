/// A page that shows nothing of the node but why it shows nothing, and what to do.
struct RefusalPage {
    let frame: Frame
    let refusal: Refusal
    /// Instead of the refusal's own.
    var sentence: HTML?
    /// The words of a way back to the list.
    var backTo: String?

    func bytes() -> [UInt8] {
        let home = PageLink(place: .overview, language: frame.link.language).target
        let back: HTML? = backTo.map { #"<p class="back"><a class="button" href="\#(home)">\#($0)</a></p>"# }
        return frame.page(
            title: "\(refusal.title) · Posto", name: "", revision: nil,
            #"""
            \#(Frame.state(.attention, word: refusal.title, sentence ?? "\(refusal.sentence)"))
            <div class="advice">
            \#(refusal.advice)
            \#(back)
            </div>
            """#)
    }
}
