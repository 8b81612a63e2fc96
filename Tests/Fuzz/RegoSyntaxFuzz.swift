// libFuzzer's entry point for the lexer, the parser, the formatter and the tree's JSON; built as one module with Sources/RegoSyntax by `run`.
//
// The first byte says which version the rest is read as. A crash, a hang or a broken promise ends the run: what is read is formatted,
// what is formatted is read again and means the same, and formatting it once more changes nothing (but where a comment has no place).

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzRegoSyntax(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let data, count > 0 else { return 0 }
    let versions: [RegoVersion] = [.v1, .v0, .v0CompatV1]
    let version = versions[Int(data[0]) % versions.count]
    let bytes = Array(UnsafeBufferPointer(start: data + 1, count: count - 1))
    let source = SourceText(name: "fuzz.rego", bytes: bytes)
    let options = ParserOptions(version: version)
    _ = try? RegoParser.query(source, options: options)
    guard let module = try? RegoParser.module(source, options: options) else { return 0 }
    _ = module.json()
    // A call of an operator with the wrong number of arguments cannot be written.
    let style = RegoFormatter.Options(version: version == .v0CompatV1 ? .v0 : version, parser: options)
    guard let text = try? RegoFormatter.format(module, options: style) else { return 0 }
    guard let again = try? RegoParser.module(SourceText(name: "again.rego", bytes: text), options: options) else {
        fatalError("what was formatted cannot be read:\n\(String(decoding: text, as: UTF8.self))")
    }
    // Unlike a precondition, a fatal error says what it is about in a release build too.
    if !module.isSame(as: again) { fatalError("formatting changed the meaning:\n\(String(decoding: text, as: UTF8.self))") }
    if module.comments.count != again.comments.count { fatalError("formatting lost a comment:\n\(String(decoding: text, as: UTF8.self))") }
    return 0
}
