import Glibc
import HTTPServer
import TestSupport
import Testing

@testable import Console

@Suite("assets")
struct AssetTests {
    private let assets = Assets()

    private func text(_ name: String) -> String {
        String(decoding: assets.files.first { $0.name == name }!.bytes, as: UTF8.self)
    }

    @Test("no asset names an address outside of the node")
    func noOutsideAddress() {
        for (name, _, bytes) in assets.files {
            let text = String(decoding: bytes, as: UTF8.self).replacing("xmlns=\"http://www.w3.org/2000/svg\"", with: "")
            for wrong in [
                "http:", "https:", "//cdn", "url(", "@import", "ws:", "import(", "eval(", "innerHTML = ", "localStorage", "document.cookie",
            ] {
                let isThere = text.contains(wrong)
                #expect(!isThere, "\(name): \(wrong)")
            }
        }
    }

    @Test("all assets together are smaller than a photograph's thumbnail")
    func sizes() {
        #expect(assets.files.reduce(0) { $0 + $1.bytes.count } < 20_000)
        #expect(assets.files.allSatisfy { $0.bytes.count > 100 })
    }

    @Test("a name holds the hash of its content, and another hash is another file")
    func names() {
        for (name, target, _) in assets.files {
            let parts = name.split(separator: ".")
            #expect(target.wholeMatch(of: /\/ui\/[a-z]+-[0-9a-f]{16}\.[a-z]+/) != nil && target.hasSuffix(".\(parts[1])"))
            #expect(assets.answer(target, ifNoneMatch: nil)?.status == 200)
        }
        #expect(assets.answer("/ui/console.css", ifNoneMatch: nil) == nil)
        #expect(assets.answer("/ui/console-0123456789abcdef.css", ifNoneMatch: nil) == nil)
    }

    @Test("what a browser has already is not sent again")
    func notModified() {
        let target = assets.files[0].target
        let tag = assets.answer(target, ifNoneMatch: nil)!.headers.first { "\($0.name)" == "ETag" }!.value
        let known = assets.answer(target, ifNoneMatch: "\"x\", \(tag)")!
        #expect(known.status == 304)
        if case .none = known.body {} else { Issue.record("a body with 304") }
        #expect(assets.answer(target, ifNoneMatch: "\"x\"")!.status == 200)
    }

    @Test("assets of a folder are read each time, and nothing outside of it")
    func folder() throws {
        let folder = TemporaryFolder()
        let edited = Assets(folder: folder.path)
        #expect(edited.css == "/ui/console.css" && edited.answer("/ui/console.css", ifNoneMatch: nil) == nil)
        for content in ["a{}", "b{}"] {
            folder.write("console.css", content)
            guard case .bytes(let bytes)? = edited.answer("/ui/console.css", ifNoneMatch: nil)?.body else { throw CancellationError() }
            #expect(String(decoding: bytes, as: UTF8.self) == content)
        }
        #expect(edited.answer("/ui/../../etc/passwd", ifNoneMatch: nil) == nil)
    }
}
