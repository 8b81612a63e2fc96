import Domain
import Store
import Testing

@testable import Console

@Suite("pages")
struct PageTests {
    /// Every kind of overview, in every language.
    private func overviews() -> [(name: String, page: String)] {
        var pages: [(String, String)] = []
        let searching = PageLink(place: .overview, search: Sample.hostile, show: .trouble, page: 1, language: .english)
        for language in Language.allCases {
            let nodes: [(String, NodePicture)] = [
                ("well", Sample.node()), ("nameless", Sample.node(site: "")), ("hostile", Sample.node(site: Sample.hostile)),
                ("everything", Sample.node(Sample.everyMatter, uplink: Sample.sinks, isDevelopment: true)),
                ("new alert", Sample.node([Sample.everyMatter.last!])),
                ("uplink failed", Sample.node(uplink: .failed("no <answer>"))), ("uplink new", Sample.node(uplink: .sinks([]))),
            ]
            let services: [(String, ServicesPicture?)] = [
                ("none", Sample.services(0)), ("one", Sample.services(1)),
                ("branch", Sample.services(107, trouble: 9, watch: 3, statics: 2)),
                ("unreadable", nil), ("last page", Sample.services(107, page: 5)),
            ]
            for (nodeName, node) in nodes {
                for (name, picture) in services {
                    pages.append(("\(language) \(nodeName) \(name)", Sample.overview(node, picture, language)))
                    pages.append(("\(language) \(nodeName) \(name), searched", Sample.overview(node, picture, language, searching)))
                }
            }
        }
        return pages
    }

    private func service(_ language: Language, _ instances: String, name: String = "till") throws -> String {
        let answer = try JSONDocument.parse(Array(#"{"instances":[\#(instances)]}"#.utf8)).root
        let page = ServicePage(
            frame: Sample.frame(language, PageLink(place: .service(name))), node: Sample.node(), name: name, answer: answer, revision: 4)
        return String(decoding: page.bytes(), as: UTF8.self)
    }

    private func instance(
        _ id: String = "till.1", health: String = "passing", freshness: String = "fresh", source: String = "live", more: String = ""
    )
        -> String
    {
        #"{"service_name":"till","id":"\#(id)","tenant":"default","host":"fd00::1","port":9000,"health_endpoint":"/health","protocol":"http","weight":1,"ttl_seconds":60\#(more),"health":"\#(health)","freshness":"\#(freshness)","age_seconds":12,"registered_at":"2026-11-01T00:00:00.000Z","expires_at":"2026-11-01T00:01:00.000Z","revision":4,"source":"\#(source)"}"#
    }

    private func hostileInstance() -> String {
        var json = JSONWriter()
        json.string(Sample.hostile)
        let text = String(decoding: json.finish(), as: UTF8.self)
        let pairs = (0..<64).map { #""<k\#($0)>":\#(text)"# }.joined(separator: ",")
        return instance(more: #","tags":[\#(text),"</section>"],"capabilities":[\#(text)],"metadata":{\#(pairs)}"#)
    }

    private func everyPage() throws -> [(name: String, page: String)] {
        var pages = overviews()
        for language in Language.allCases {
            for health in ["passing", "warning", "critical", "unknown"] {
                for freshness in ["fresh", "stale", "expired"] {
                    let one = instance(health: health, freshness: freshness)
                    pages.append(("\(language) \(health) \(freshness)", try service(language, one)))
                    pages.append(("\(language) two \(health) \(freshness)", try service(language, one + "," + instance("till.2"))))
                }
            }
            pages.append(("\(language) static", try service(language, instance(source: "static"))))
            pages.append(("\(language) gone", try service(language, "")))
            pages.append(("\(language) hostile", try service(language, hostileInstance())))
            for refusal in [\(any Phrases).unknownCaller, \.notPermitted, \.notFound, \.methodNotAllowed, \.busy] {
                let frame = Sample.frame(language)
                let page = RefusalPage(frame: frame, refusal: frame.phrases[keyPath: refusal])
                pages.append(("\(language) refusal", String(decoding: page.bytes(), as: UTF8.self)))
            }
            let frame = Sample.frame(language)
            let unknown = RefusalPage(
                frame: frame, refusal: frame.phrases.notFound, sentence: frame.phrases.unknownService(Sample.hostile), backTo: "x")
            pages.append(("\(language) unknown", String(decoding: unknown.bytes(), as: UTF8.self)))
        }
        return pages
    }

    @Test("every page is well-formed")
    func wellFormed() throws {
        for (name, page) in try everyPage() {
            let check = MarkupCheck(page)
            #expect(check.faults.isEmpty, "\(name): \(check.faults)")
        }
    }

    @Test("every page opens with one heading, has one script of ours, and holds no style, no handler and no address but the node's own")
    func nothingFromOutside() throws {
        for (name, page) in try everyPage() {
            let elements = MarkupCheck(page).elements
            #expect(elements.count { $0.name == "h1" } == 1, "\(name)")
            let scripts = elements.filter { $0.name == "script" }
            #expect(scripts.count == 1 && scripts[0].attributes["src"]?.hasPrefix("/ui/console-") == true, "\(name)")
            #expect(!elements.contains { ["style", "img", "iframe", "object", "base"].contains($0.name) }, "\(name)")
            for (element, attributes) in elements {
                for (key, value) in attributes {
                    #expect(!key.hasPrefix("on") && key != "style", "\(name): \(element) \(key)")
                    if ["href", "src", "action"].contains(key) {
                        #expect(value.hasPrefix("/ui/") || value.hasPrefix("#"), "\(name): \(element) \(value)")
                    }
                }
            }
        }
    }

    @Test("hostile texts are shown letter for letter")
    func hostileTexts() throws {
        let shown = Sample.hostile.replacing("\u{7}", with: "\u{FFFD}").replacing("\u{0}", with: "\u{FFFD}")
        let check = MarkupCheck(try service(.english, hostileInstance()))
        #expect(check.text.split(separator: shown).count == 67)
        #expect(check.elements.count { $0.name == "dt" } > 64)
        let overview = MarkupCheck(Sample.overview(Sample.node(site: Sample.hostile), Sample.services(3)))
        #expect(overview.text.contains(shown))
    }

    @Test("a panel that fails says so, and the others stand")
    func failingPanels() {
        let page = Sample.overview(Sample.node(uplink: .failed("the sink <central> is shut")), nil)
        let check = MarkupCheck(page)
        #expect(check.text.contains("could not be shown (read <an instance>: corrupted)"))
        #expect(check.text.contains("could not be shown (the sink <central> is shut)"))
        #expect(check.text.contains("This node answers, but its services cannot be read"))
        #expect(check.elements.contains { $0.attributes["id"] == "node-id" })
    }

    @Test("there is an uplink panel only where there is an uplink")
    func uplinkPanel() {
        #expect(!Sample.overview(Sample.node(), Sample.services(1)).contains("id=\"uplink\""))
        let check = MarkupCheck(Sample.overview(Sample.node(uplink: Sample.sinks), Sample.services(1)))
        let values = check.elements.filter { $0.name == "data" }.compactMap { $0.attributes["value"] }
        #expect(values.contains("12345") && values.contains("2"))
        #expect(check.text.contains("no connection") && check.text.contains("12,345 (6.5\u{A0}MiB)") && check.text.contains("never"))
    }

    @Test("a page is small: of 107 services and of 10,000 below 30 KB, with everything wrong below 45 KB")
    func sizes() throws {
        #expect(Sample.overview(Sample.node(), Sample.services(107)).utf8.count < 30_000)
        #expect(Sample.overview(Sample.node(), Sample.services(10_000, trouble: 9_000)).utf8.count < 33_000)
        #expect(
            Sample.overview(Sample.node(Sample.everyMatter, uplink: Sample.sinks), Sample.services(107, trouble: 9)).utf8.count < 45_000)
        // A service with as many instances as may be, and as much metadata, is cut off.
        let crowd = (0..<200).map { instance("till.\($0)") }.joined(separator: ",")
        #expect(try service(.english, crowd).utf8.count < 120_000)
    }

    @Test("the worst instance of a service stands first")
    func worstFirst() throws {
        let page = try service(
            .english, [instance("a"), instance("b", freshness: "stale"), instance("c", health: "critical")].joined(separator: ","))
        let order = ["c", "b", "a"].map { page.range(of: "<bdi>\($0)</bdi>")!.lowerBound }
        #expect(order == order.sorted())
        #expect(MarkupCheck(page).text.contains("1 of 3 instances are in trouble"))
    }
}

extension String {
    fileprivate func range(of text: String) -> Range<Index>? { firstRange(of: text) }
}
