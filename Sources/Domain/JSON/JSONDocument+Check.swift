extension JSONDocument {
    /// Reads a text as `parse` does and keeps nothing of it: for bodies that are stored as they came.
    ///
    /// - Returns: whether it is an object.
    /// - Throws: `JSONError` with line and column of the first fault.
    package static func isObject(_ bytes: UnsafeBufferPointer<UInt8>, depthMax: Int = Limits.jsonDepthMax) throws(JSONError) -> Bool {
        guard bytes.count <= Limits.jsonBytesMax else {
            throw JSONError(.tooLarge, "more than \(Limits.jsonBytesMax) bytes of JSON", at: 0, in: bytes)
        }
        var parser = JSONParser(bytes, depthMax: depthMax)
        try parser.parseDocument()
        return parser.tape.nodes[0].kind == .object
    }
}
