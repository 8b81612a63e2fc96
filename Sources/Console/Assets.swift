import CWebAssets
import Crypto
import Domain
import Glibc
import HTTPServer

/// The files that pages load: compiled in under names that hold their hash, so that a browser keeps them for ever; or, while somebody edits
/// them, from a folder.
package struct Assets: Sendable {
    struct Asset: Sendable {
        let name: String
        let type: HTTPContentType
        let bytes: [UInt8]
        /// Sixteen hexadecimal digits of SHA-256.
        let hash: String

        /// `/ui/console-0123456789abcdef.css`
        var target: String {
            let dot = name.lastIndex(of: ".")!
            return "/ui/\(name[..<dot])-\(hash)\(name[dot...])"
        }
    }

    private let all: [Asset]
    private let folder: String?
    let css: String
    let script: String
    let icon: String
    /// Another one means that the daemon is another: the module loads the whole page then.
    let build: String

    /// - Parameter folder: read each file from there each time, for whoever edits them.
    package init(folder: String? = nil) {
        self.folder = folder
        all = [
            Asset("console.css", .css, posto_asset_css()), Asset("console.js", .javascript, posto_asset_script()),
            Asset("icon.svg", .svg, posto_asset_icon()),
        ]
        css = folder == nil ? all[0].target : "/ui/console.css"
        script = folder == nil ? all[1].target : "/ui/console.js"
        icon = folder == nil ? all[2].target : "/ui/icon.svg"
        build = all.map(\.hash).joined()
    }

    /// Every file, for tests.
    package var files: [(name: String, target: String, bytes: [UInt8])] { all.map { ($0.name, $0.target, $0.bytes) } }

    /// The answer to a request for an asset; nil if `path` is none.
    func answer(_ path: String, ifNoneMatch: String?) -> HTTPResponse? {
        if let folder {
            guard let asset = all.first(where: { "/ui/\($0.name)" == path }), let bytes = Self.read("\(folder)/\(asset.name)") else {
                return nil
            }
            return HTTPResponse(status: 200, contentType: asset.type, headers: Protection.ofAssets, body: .bytes(bytes))
        }
        guard let asset = all.first(where: { $0.target == path }) else { return nil }
        let tag = "\"\(asset.hash)\""
        let isKnown = ifNoneMatch.map { $0 == "*" || $0.contains(tag) } ?? false
        var response = HTTPResponse(
            status: isKnown ? 304 : 200, contentType: asset.type, headers: [HTTPHeader("ETag", tag)] + Protection.ofAssets,
            body: isKnown ? .none : .bytes(asset.bytes))
        response.cacheControl = "public, max-age=31536000, immutable"
        return response
    }

    private static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        while bytes.count < Limits.consoleAssetBytesMax {
            let chunk = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
                count = max(0, Glibc.read(descriptor, buffer.baseAddress, buffer.count))
            }
            if chunk.isEmpty { return bytes }
            bytes += chunk
        }
        return nil
    }
}

extension Assets.Asset {
    fileprivate init(_ name: String, _ type: HTTPContentType, _ asset: posto_asset) {
        let bytes = Array(UnsafeBufferPointer(start: asset.bytes, count: asset.size))
        let digits = Array("0123456789abcdef".unicodeScalars)
        var hash = ""
        for byte in SHA256.digest(bytes).prefix(8) {
            hash.unicodeScalars.append(digits[Int(byte >> 4)])
            hash.unicodeScalars.append(digits[Int(byte & 15)])
        }
        self.init(name: name, type: type, bytes: bytes, hash: hash)
    }
}
