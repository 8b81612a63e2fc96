import Domain
import Glibc
import Testing

@testable import Console

@Suite("words")
struct WordsTests {
    @Test(
        "the browser's language is taken by its qualities, English if it speaks none of ours",
        arguments: [
            ("pt-PT,pt;q=0.9,en;q=0.8", Language.portuguese), ("en-GB, pt;q=0.5", .english), ("en;q=0.3, PT-BR;q=0.7", .portuguese),
            ("de, fr;q=0.9", .english), ("", .english), ("pt;q=0", .english), ("ptolemaic", .english), ("*", .english), ("pt", .portuguese),
        ])
    func acceptLanguage(header: String, language: Language) {
        #expect(Language(acceptLanguage: header) == language)
    }

    @Test("every state of the node is one sentence, another one in each language")
    func oneSentence() {
        let link = PageLink(place: .overview)
        let mention = ServiceMention("till-3", tenant: nil, link)
        var findings: [Verdict.Finding] = [
            .well(services: 0), .well(services: 1), .well(services: 107), .empty, .unreadable, .trouble(services: 1, of: 9, first: mention),
            .trouble(services: 2, of: 9, first: mention), .watch(services: 1, of: 9, first: mention),
            .watch(services: 2, of: 9, first: mention),
        ]
        for matter in Sample.everyMatter where matter.kind != .otherAlert {
            findings.append(.unwell(matter.kind, message: "", hint: ""))
            findings.append(.strained(matter.kind, message: "", hint: ""))
        }
        var seen: Set<String> = []
        for finding in findings {
            for others in [0, 1, 2] {
                for language in Language.allCases {
                    let text = MarkupCheck(language.phrases.sentence(Verdict(finding, others: others)).text).text
                    #expect(seen.insert(text).inserted, "said twice: \(text)")
                    #expect(text.hasSuffix(".") && text.first!.isUppercase, "\(text)")
                    #expect(!text.dropLast().contains(". "), "more than one sentence: \(text)")
                    #expect(text.count < 240, "\(text)")
                }
            }
        }
    }

    @Test("every state of a service is one sentence in each language")
    func serviceSentences() {
        var seen: Set<String> = []
        for language in Language.allCases {
            for standing in Standing.allCases {
                for verdict in [
                    ServiceVerdict.one(standing, name: "till", address: "10.0.0.1:9/health"),
                    .several(standing, name: "till", troubled: 2, of: 5), .fromFile(name: "till"),
                ] {
                    let text = MarkupCheck(language.phrases.sentence(verdict).text).text
                    #expect(text.hasPrefix("till") && text.hasSuffix("."), "\(text)")
                    seen.insert(text)
                }
            }
        }
        #expect(seen.count == 2 * (6 + 3 + 1))
    }

    @Test("the worst decides the sentence: a node that cannot work, services in trouble, limits passed, services to watch")
    func verdicts() {
        let link = PageLink(place: .overview)
        func finding(_ matters: [Matter], _ services: ServicesPicture?) -> (Verdict.Finding, Int, Mood) {
            let verdict = Verdict(Sample.node(matters), services, link)
            return (verdict.finding, verdict.others, verdict.mood)
        }
        let full = Matter(.alert(.diskFull), .unhealthy, message: "m", hint: "h")
        let memory = Matter(.memory(85), .degraded)
        let troubled = Sample.services(9, trouble: 2, watch: 1)
        let till = ServiceMention("till-3", tenant: nil, link)
        #expect(finding([memory, full], troubled) == (.unwell(.alert(.diskFull), message: "m", hint: "h"), 2, .trouble))
        #expect(finding([memory], troubled) == (.trouble(services: 2, of: 9, first: till), 1, .attention))
        #expect(finding([memory], Sample.services(9, watch: 1)) == (.strained(.memory(85), message: "", hint: ""), 1, .attention))
        #expect(finding([], Sample.services(9, watch: 1)) == (.watch(services: 1, of: 9, first: till), 0, .attention))
        #expect(finding([], Sample.services(9)) == (.well(services: 9), 0, .well))
        #expect(finding([], Sample.services(0, statics: 1)) == (.well(services: 0), 0, .well))
        #expect(finding([], Sample.services(0)) == (.empty, 0, .well))
        #expect(finding([memory], nil) == (.unreadable, 1, .trouble))
    }

    @Test("numbers are written as the language writes them")
    func numbers() {
        #expect(Figure.text(1_234_567, in: .english) == "1,234,567" && Figure.text(1_234_567, in: .portuguese) == "1.234.567")
        #expect(Figure.text(-999, in: .english) == "−999" && Figure.text(0, in: .english) == "0")
        #expect(
            Figure.text(2.34, in: .portuguese) == "2,3" && Figure.text(2.0, in: .english) == "2"
                && Figure.text(1_234.56, in: .english) == "1,235")
        #expect(
            Figure.text(99.96, in: .english) == "100" && Figure.text(0.04, in: .english) == "0" && Figure.text(.nan, in: .english) == "?")
        #expect(Figure.bytes(999, in: .english) == "999\u{A0}B" && Figure.bytes(1_000, in: .english) == "1\u{A0}KiB")
        #expect(Figure.bytes(69_471_306_752, in: .portuguese) == "64,7\u{A0}GiB" && Figure.bytes(UInt64.max, in: .english) == "16\u{A0}EiB")
        #expect(Figure.duration(.seconds(59)) == "59\u{A0}s" && Figure.duration(.seconds(3_600)) == "1\u{A0}h")
        #expect(Figure.duration(.seconds(90_061)) == "1\u{A0}d 1\u{A0}h" && Figure.duration(.zero) == "0\u{A0}s")
        #expect(Figure.time(Sample.now).text == "<time datetime=\"2026-11-18T11:06:40.000Z\">2026-11-18 11:06:40 UTC</time>")
    }

    @Test("every alert that the daemon can raise is explained in the reader's language")
    func alertsAreExplained() throws {
        let root = "\(#filePath)".split(separator: "/").dropLast(3).joined(separator: "/")
        var codes: Set<String> = []
        for folder in ["Daemon", "Daemon/Life", "API"] {
            for file in try Self.files(in: "/\(root)/Sources/\(folder)") where file.contains("Alert(") {
                for match in file.matches(of: /\.(?:degraded|unhealthy), "[a-z]+", "([a-z_]+)"/) { codes.insert(String(match.1)) }
            }
        }
        #expect(codes.count >= 13)
        for code in codes {
            #expect(AlertCode(rawValue: code) != nil, "\(code): give it a case in AlertCode, and words in both languages")
        }
    }

    private static func files(in folder: String) throws -> [String] {
        guard let directory = opendir(folder) else { throw CancellationError() }
        defer { closedir(directory) }
        var texts: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            guard name.hasSuffix(".swift"), let file = fopen("\(folder)/\(name)", "r") else { continue }
            defer { fclose(file) }
            var bytes = [UInt8](repeating: 0, count: 1 << 20)
            let count = fread(&bytes, 1, bytes.count, file)
            texts.append(String(decoding: bytes[..<count], as: UTF8.self))
        }
        return texts
    }
}
