import CCurl
import Domain

/// What libcurl's callbacks fill while a call runs.
final class HTTPExchange {
    var reply = HTTPReply(status: 0, headers: [], body: [])
    var isEnded = false
    var isHeadTooLarge = false
    private var headBytes = 0
    private let receive: (HTTPReply, UnsafeBufferPointer<UInt8>) -> Bool

    init(_ receive: @escaping (HTTPReply, UnsafeBufferPointer<UInt8>) -> Bool) { self.receive = receive }

    func header(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
        headBytes += line.count
        if headBytes > Limits.callerHeadBytesMax {
            isHeadTooLarge = true
            return false
        }
        let text = String(decoding: line, as: UTF8.self).trimmed
        if text.hasPrefix("HTTP/") {
            // Of several heads (100, then 200) the last counts.
            let code = text.drop { $0 != " " }.dropFirst().prefix { $0.isNumber }
            reply = HTTPReply(status: Int(code) ?? 0, headers: [], body: [])
        } else if let colon = text.firstIndex(of: ":") {
            reply.headers.append((text[..<colon].lowercased(), String(text[text.index(after: colon)...].trimmed)))
        }
        return true
    }

    func body(_ chunk: UnsafeBufferPointer<UInt8>) -> Bool {
        isEnded = !receive(reply, chunk)
        return !isEnded
    }
}

func receiveHeader(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?) -> Int {
    lend(bytes, size * count, context) { $0.header($1) }
}

func receiveBody(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?) -> Int {
    lend(bytes, size * count, context) { $0.body($1) }
}

/// libcurl takes any other number than `length` for "stop".
private func lend(
    _ bytes: UnsafeMutablePointer<CChar>?, _ length: Int, _ context: UnsafeMutableRawPointer?,
    _ body: (HTTPExchange, UnsafeBufferPointer<UInt8>) -> Bool
) -> Int {
    // SAFETY: `context` is the exchange that `stream` keeps alive for the length of the transfer.
    let exchange = Unmanaged<HTTPExchange>.fromOpaque(context!).takeUnretainedValue()
    let buffer = UnsafeRawBufferPointer(start: bytes, count: length).assumingMemoryBound(to: UInt8.self)
    return body(exchange, buffer) ? length : (length == 0 ? 1 : 0)
}

extension StringProtocol {
    fileprivate var trimmed: SubSequence {
        var rest = self[...]
        while let first = rest.first, first.isWhitespace { rest = rest.dropFirst() }
        while let last = rest.last, last.isWhitespace { rest = rest.dropLast() }
        return rest
    }
}
