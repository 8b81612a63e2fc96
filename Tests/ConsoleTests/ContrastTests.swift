import Glibc
import Testing

@testable import Console

@Suite("contrast")
struct ContrastTests {
    @Test("every text that the style sheet sets can be read, in light and in dark: contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3)")
    func contrast() throws {
        let css = String(decoding: Assets().files.first { $0.name == "console.css" }!.bytes, as: UTF8.self)
        let parts = css.split(separator: "@media (prefers-color-scheme: dark)", maxSplits: 1)
        let light = Self.colours(String(parts[0]))
        let dark = light.merging(Self.colours(String(parts[1].prefix { $0 != "*" }))) { $1 }
        let texts: [(String, [String])] = [
            ("ink", ["ground", "surface", "well-ground", "attention-ground", "trouble-ground"]), ("soft", ["ground", "surface"]),
            ("accent", ["ground", "surface"]), ("on-accent", ["accent"]), ("well", ["surface", "ground", "well-ground"]),
            ("attention", ["surface", "ground", "attention-ground"]), ("trouble", ["surface", "ground", "trouble-ground"]),
        ]
        for (scheme, colours) in [("light", light), ("dark", dark)] {
            for (text, grounds) in texts {
                for ground in grounds {
                    let ratio = Self.contrast(try #require(colours[text]), try #require(colours[ground]))
                    #expect(ratio >= 4.5, "\(scheme): \(text) on \(ground) is \(ratio)")
                }
            }
            // What only shows where something can be hit or typed (1.4.11).
            #expect(Self.contrast(colours["edge"]!, colours["surface"]!) >= 3, "\(scheme): edge")
        }
        // A colour that is no property would escape this test.
        let rules = css.split(separator: "*, *::before")[1]
        #expect(rules.firstMatch(of: /#[0-9a-fA-F]{3,8}\b|rgb\(|hsl\(/.ignoresCase()).map { "\($0.output)" } == nil)
        #expect(dark.count == light.count && Self.colours(String(parts[1])).count == light.count)
    }

    @Test("the measure of contrast is WCAG's")
    func measure() {
        #expect(Self.contrast([0, 0, 0], [255, 255, 255]) == 21)
        #expect(abs(Self.contrast([0x77, 0x77, 0x77], [255, 255, 255]) - 4.478) < 0.001)
    }

    private static func colours(_ css: String) -> [String: [Int]] {
        var colours: [String: [Int]] = [:]
        for match in css.matches(of: /--([a-z-]+): #([0-9a-f]{6});/) {
            let value = Int(match.2, radix: 16)!
            colours[String(match.1)] = [value >> 16, value >> 8 & 255, value & 255]
        }
        return colours
    }

    /// Relative luminance by WCAG 2.2's definition.
    private static func contrast(_ a: [Int], _ b: [Int]) -> Double {
        func luminance(_ colour: [Int]) -> Double {
            let linear = colour.map { channel in
                let value = Double(channel) / 255
                return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
            }
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
        }
        let (x, y) = (luminance(a), luminance(b))
        return (max(x, y) + 0.05) / (min(x, y) + 0.05)
    }
}
