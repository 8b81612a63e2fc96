import Testing

@testable import Console

@Suite("markup")
struct MarkupTests {
    @Test("literals are markup, values are text")
    func escaping() {
        let name = #"<script>"a"&'b'</script>"#
        let html: HTML = #"<li title="\#(name)">\#(name)</li>"#
        let escaped = "&lt;script&gt;&quot;a&quot;&amp;&#39;b&#39;&lt;/script&gt;"
        #expect(html.text == "<li title=\"\(escaped)\">\(escaped)</li>")
    }

    @Test("markup within markup stays markup, nothing is escaped twice, lists are joined, nil is nothing")
    func nesting() {
        let item: HTML = "<li>\("<")</li>"
        let none: HTML? = nil
        let list: HTML = "<ul>\([item, item])\(none)\(3)</ul>"
        #expect(list.text == "<ul><li>&lt;</li><li>&lt;</li>3</ul>")
    }

    @Test("characters that no page may hold are shown as a replacement, line ends stay")
    func controls() {
        let html: HTML = "\("a\u{0}b\u{7}c\u{85}d\ne\tf\u{7F}")"
        #expect(html.text == "a\u{FFFD}b\u{FFFD}c\u{FFFD}d\ne\tf\u{FFFD}")
    }

    @Test("what others wrote is isolated, so that marks of direction turn nothing around it")
    func direction() {
        #expect(HTML.foreign("\u{202E}gpj").text == "<bdi>\u{202E}gpj</bdi>")
    }

    @Test("a link holds what was asked for and nothing that is not a character of addresses")
    func links() {
        let link = PageLink(place: .service("a/b?c#d\"é"), tenant: "t 1", search: "x&y=<z>", show: .trouble, page: 3, language: .portuguese)
        #expect(link.target == "/ui/services/a%2Fb%3Fc%23d%22%C3%A9?tenant=t%201&q=x%26y%3D%3Cz%3E&show=trouble&page=3&lang=pt")
        #expect(PageLink(place: .overview).target == "/ui/")
    }

    @Test("an address that people edited by hand is read with patience")
    func patience() throws {
        let query = [("page", "-7"), ("show", "\""), ("lang", "<b>"), ("q", String(repeating: "x", count: 9_999)), ("other", "1")]
        let link = try #require(PageLink(path: "/ui/", query: query.map { (name: $0.0, value: $0.1) }))
        #expect(link.page == 1 && link.show == nil && link.language == nil && link.search.count == 256)
        let beyond = try #require(PageLink(path: "/ui/", query: [(name: "page", value: "99999999999999999999")]))
        #expect(beyond.page == 1)
        #expect(PageLink(path: "/ui/services/", query: []) == nil)
        #expect(PageLink(path: "/ui/services/a/b", query: []) == nil)
        #expect(PageLink(path: "/ui/services/" + String(repeating: "a", count: 65), query: []) == nil)
        #expect(PageLink(path: "/ui/secret", query: []) == nil)
    }

    @Test("the checker finds what it is for")
    func checker() {
        for wrong in [
            "<p>a</b>", "<p>", "a > b", "a & b", "<p class=x></p>", "<a title=\"<\"></a>", "<p id=\"a\"></p><p id=\"a\"></p>", "&nbsp;",
            "<>",
            "a\u{7}", "<p title=\"a\" title=\"b\"></p>",
        ] {
            #expect(!MarkupCheck(wrong).faults.isEmpty, "\(wrong)")
        }
        let right = MarkupCheck("<!DOCTYPE html><p class=\"a &amp; b\" hidden>x &lt; y<br></p>")
        #expect(right.faults.isEmpty && right.text == "x < y" && right.elements[0].attributes["class"] == "a & b")
    }
}
