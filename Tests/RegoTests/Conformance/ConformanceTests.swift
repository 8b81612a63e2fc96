import Glibc
import Rego
import RegoHost
import Testing

/// OPA's conformance cases, all of them; those in `KnownGaps.json` do not pass yet, and the list only shrinks.
@Suite("the conformance cases", .enabled(if: ConformanceCase.isHere, "the folder with the cases is not here"))
struct ConformanceTests {
    @Test("all pass, except for the known gaps", arguments: ["v1", "v0"])
    func cases(folder: String) throws {
        let gaps = try Self.gaps()
        var report: [String: (passed: Int, failed: Int)] = [:]
        for one in ConformanceCase.all(folder) {
            let failure = one.failure(.standard, .libraries())
            let isGap = gaps.contains(one.name)
            if failure == nil {
                report[one.category, default: (0, 0)].passed += 1
            } else {
                report[one.category, default: (0, 0)].failed += 1
            }
            if let failure, getenv("POSTO_REGO_REPORT") != nil { print("FAILED \(one.category) | \(one.name) | \(failure)") }
            if isGap {
                #expect(failure != nil, "\(one.name) passes: take it out of KnownGaps.json")
            } else if let failure {
                Issue.record("\(one.name): \(failure)")
            }
        }
        if getenv("POSTO_REGO_REPORT") != nil {
            for (category, counts) in report.sorted(by: { $0.key < $1.key }) {
                print("REPORT \(folder) \(category) \(counts.passed) of \(counts.passed + counts.failed)")
            }
            print(
                "TOTAL \(folder) \(report.values.map(\.passed).reduce(0, +)) of \(report.values.map { $0.passed + $0.failed }.reduce(0, +))"
            )
        }
    }

    private static func gaps() throws -> Set<String> {
        let file = #filePath.split(separator: "/").dropLast().joined(separator: "/")
        let arena = Arena()
        let list = try JSONReader.read(ConformanceCase.bytes("/\(file)/KnownGaps.json"), into: arena)
        return Set(list.elements.compactMap(\.asString))
    }
}
