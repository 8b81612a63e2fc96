// libFuzzer's entry point for what takes texts from outside at run time; `run` builds it once and runs it for each target that
// POSTO_FUZZ_TARGET can name. A crash, a hang, or a broken promise ends the run.

import Glibc
import Rego
import RegoHost
import RegoSyntax

// SAFETY: written before the first text comes, by the only thread there is.
nonisolated(unsafe) private let target: any FuzzTarget = {
    let name = getenv("POSTO_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    switch name {
    case "evaluator": return EvaluatorTarget()
    case "json": return JSONTarget()
    case "jwt": return BuiltinTarget(jwtCalls)
    case "patterns": return BuiltinTarget(patternCalls)
    case "templates": return BuiltinTarget(templateCalls)
    case "numbers": return BuiltinTarget(numberCalls)
    case "time": return BuiltinTarget(timeCalls)
    case "documents": return BuiltinTarget(documentCalls)
    default: fatalError("POSTO_FUZZ_TARGET: evaluator, json, jwt, patterns, templates, numbers, time or documents")
    }
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRego(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let data, count > 0 else { return 0 }
    target.run(Array(UnsafeBufferPointer(start: data, count: count)))
    return 0
}

private protocol FuzzTarget { func run(_ bytes: [UInt8]) }

private let limits: EvaluationLimits = {
    var limits = EvaluationLimits()
    limits.stepsMax = 200_000
    limits.memoryBytesMax = 32 << 20
    return limits
}()

/// The text is a module, compiled and evaluated with several inputs; twice, which must give the same.
private struct EvaluatorTarget: FuzzTarget {
    private let inputs = [
        "{}", "{\"a\":1,\"b\":[1,2,{\"c\":\"x\"}],\"c\":{\"d\":null}}", "[[1,\"a\"],{\"x\":0.5}]",
    ]

    func run(_ bytes: [UInt8]) {
        var text = Array("package t\n".utf8)
        text += bytes
        guard let module = try? RegoParser.module(SourceText(name: "fuzz.rego", bytes: text)),
            let policy = try? Policy(modules: [module], host: .libraries()),
            let query = try? policy.query(RegoParser.query(SourceText(name: "", text: "x = data.t")))
        else { return }
        for input in inputs {
            let first = answer(query, input)
            let second = answer(query, input)
            // A limit is reached at the same step each time; chance and time are fixed within a run only.
            if first != second, !mentionsChance(bytes) { fatalError("two evaluations differ: \(first) and \(second)") }
        }
    }

    private func mentionsChance(_ bytes: [UInt8]) -> Bool {
        let text = String(decoding: bytes, as: UTF8.self)
        return ["time", "rand", "uuid", "jwt", "runtime"].contains { text.contains($0) }
    }

    private func answer(_ query: Query, _ input: String) -> String {
        let evaluator = Evaluator(query, host: .libraries(), limits: limits)
        do {
            let input = try query.read(Array(input.utf8), into: evaluator.arena)
            let answers = try evaluator.bindings(input: input)
            return answers.map { Rego.JSONWriter.text($0) }.joined(separator: "\n")
        } catch {
            return "\(error)"
        }
    }
}

/// What is read is written, read again, and the same.
private struct JSONTarget: FuzzTarget {
    func run(_ bytes: [UInt8]) {
        let arena = Arena()
        guard let value = try? JSONReader.read(bytes, into: arena) else { return }
        let text = Rego.JSONWriter.text(value)
        guard let again = try? JSONReader.read(Array(text.utf8), into: arena) else {
            fatalError("what was written cannot be read: \(text)")
        }
        if again != value { fatalError("written and read again it is another: \(text)") }
        if Rego.JSONWriter.text(again) != text { fatalError("written twice it differs: \(text)") }
    }
}

/// Built-ins with the parts of a text (between zero bytes) as `input[0]`, `input[1]`, …
private struct BuiltinTarget: FuzzTarget {
    private let queries: [Query]

    init(_ calls: [String]) {
        do {
            let policy = try Policy(modules: [], host: .libraries())
            queries = try calls.map { try policy.query(RegoParser.query(SourceText(name: "", text: "x := " + $0))) }
        } catch {
            fatalError("\(error)")
        }
    }

    func run(_ bytes: [UInt8]) {
        let parts = bytes.split(separator: 0, omittingEmptySubsequences: false).prefix(4)
        for query in queries {
            let evaluator = Evaluator(query, host: .libraries(), limits: limits)
            let texts = parts.map { "\"" + escaped(String(decoding: $0, as: UTF8.self)) + "\"" }
            guard let input = try? query.read(Array(("[" + texts.joined(separator: ",") + "]").utf8), into: evaluator.arena) else {
                continue
            }
            _ = try? evaluator.bindings(input: input).map { Rego.JSONWriter.text($0) }
        }
    }

    private func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            case _ where scalar.value < 0x20:
                result += "\\u00" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

private let jwtCalls = [
    "io.jwt.decode(input[0])", "io.jwt.decode_verify(input[0], {\"secret\": \"secret\"})",
    "io.jwt.decode_verify(input[0], {\"cert\": input[1]})",
    "io.jwt.verify_hs256(input[0], \"secret\")", "io.jwt.verify_rs256(input[0], input[1])", "io.jwt.verify_es256(input[0], input[1])",
    "io.jwt.verify_eddsa(input[0], input[1])", "io.jwt.verify_ps512(input[0], input[1])",
    "io.jwt.encode_sign_raw(input[0], input[1], input[2])",
    "io.jwt.encode_sign_raw(`{\"alg\":\"HS256\"}`, input[0], `{\"kty\":\"oct\",\"k\":\"AAAA\"}`)",
    "crypto.x509.parse_certificates(input[0])", "crypto.x509.parse_certificate_request(input[0])",
    "crypto.x509.parse_rsa_private_key(input[0])", "crypto.parse_private_keys(input[0])",
]

private let patternCalls = [
    "regex.match(input[0], input[1])", "regex.is_valid(input[0])", "regex.split(input[0], input[1])",
    "regex.find_n(input[0], input[1], -1)",
    "regex.find_all_string_submatch_n(input[0], input[1], 3)", "regex.replace(input[1], input[0], input[2])",
    "regex.template_match(input[0], input[1], \"{\", \"}\")", "regex.globs_match(input[0], input[1])", "glob.match(input[0], [], input[1])",
    "glob.match(input[0], null, input[1])", "glob.match(input[0], [\".\", \"/\"], input[1])",
    "glob.match(glob.quote_meta(input[0]), [], input[0])",
]

private let templateCalls = [
    "strings.render_template(input[0], {\"a\": input[1], \"b\": [1, 2.5, null], \"c\": {\"d\": true}})",
    "sprintf(input[0], [input[1], 1, 2.5, null, {1}])",
    "sprintf(input[0], [12345678901234567890, -0.001, [1], {\"a\": 1}])", "$\"a {input[0]} {input[9]} {upper(input[1])}\"",
    "strings.replace_n({input[0]: input[1], \"a\": \"b\"}, input[2])", "replace(input[0], input[1], input[2])", "split(input[0], input[1])",
    "indexof_n(input[0], input[1])", "trim(input[0], input[1])", "substring(input[0], 1, -1)", "strings.count(input[0], input[1])",
    "urlquery.decode_object(input[0])", "urlquery.decode(input[0])", "uri.parse(input[0])", "base64.decode(input[0])",
    "base64url.decode(input[0])",
    "hex.decode(input[0])",
]

private let numberCalls = [
    "units.parse(input[0])", "units.parse_bytes(input[0])", "to_number(input[0])", "format_int(to_number(input[0]), 16)",
    "round(to_number(input[0]))", "ceil(to_number(input[0]))", "to_number(input[0]) + to_number(input[1])",
    "to_number(input[0]) * to_number(input[1])", "to_number(input[0]) / to_number(input[1])", "to_number(input[0]) % to_number(input[1])",
    "bits.lsh(to_number(input[0]), to_number(input[1]))", "bits.and(to_number(input[0]), to_number(input[1]))",
    "numbers.range(to_number(input[0]), to_number(input[1]))", "semver.compare(input[0], input[1])", "semver.is_valid(input[0])",
    "uuid.parse(input[0])", "net.cidr_contains(input[0], input[1])", "net.cidr_expand(input[0])", "net.cidr_merge([input[0], input[1]])",
]

private let timeCalls = [
    "time.parse_ns(input[0], input[1])", "time.parse_rfc3339_ns(input[0])", "time.parse_duration_ns(input[0])",
    "time.format([1700000000000000000, input[1], input[0]])", "time.format([to_number(input[2]), \"\", input[0]])",
    "time.clock([to_number(input[0]), input[1]])", "time.add_date(to_number(input[0]), to_number(input[1]), 1, to_number(input[2]))",
    "time.diff(to_number(input[0]), to_number(input[1]))", "time.weekday([to_number(input[0]), input[1]])",
]

private let documentCalls = [
    "json.unmarshal(input[0])", "yaml.unmarshal(input[0])", "yaml.is_valid(input[0])", "json.match_schema(input[0], input[1])",
    "json.verify_schema(input[0])", "graphql.parse(input[0], input[1])", "graphql.parse_query(input[0])", "graphql.parse_schema(input[0])",
    "graphql.is_valid(input[0], input[1])", "rego.parse_module(\"a.rego\", input[0])",
    "json.patch(json.unmarshal(input[0]), json.unmarshal(input[1]))",
    "json.filter(json.unmarshal(input[0]), [input[1]])", "yaml.marshal(json.unmarshal(input[0]))",
]
