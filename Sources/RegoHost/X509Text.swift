import CCrypto
import Rego

/// Parts of certificates as Swift values.
enum X509Text {
    static func bytes(_ string: UnsafePointer<ASN1_STRING>?) -> [UInt8] {
        guard let string, let data = ASN1_STRING_get0_data(string) else { return [] }
        return Array(UnsafeBufferPointer(start: data, count: Int(ASN1_STRING_length(string))))
    }

    static func text(_ string: UnsafePointer<ASN1_STRING>?) -> String {
        var utf8: UnsafeMutablePointer<UInt8>?
        let count = ASN1_STRING_to_UTF8(&utf8, string)
        guard count >= 0, let utf8 else { return "" }
        defer { CRYPTO_free(utf8, "", 0) }
        return String(decoding: UnsafeBufferPointer(start: utf8, count: Int(count)), as: UTF8.self)
    }

    /// Dotted digits.
    static func identifier(_ object: OpaquePointer?) -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        let count = OBJ_obj2txt(&buffer, Int32(buffer.count), object, 1)
        return String(decoding: buffer.prefix(Int(max(count, 0))).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func name(_ name: OpaquePointer?) -> HostName {
        HostName(
            parts: (0..<X509_NAME_entry_count(name)).map { index in
                let entry = X509_NAME_get_entry(name, index)
                return (identifier(X509_NAME_ENTRY_get_object(entry)), text(X509_NAME_ENTRY_get_data(entry)))
            })
    }

    /// Since 1970.
    static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64 {
        var (days, seconds): (Int32, Int32) = (0, 0)
        guard let epoch = ASN1_TIME_set(nil, 0) else { return 0 }
        defer { ASN1_STRING_free(epoch) }
        guard ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 else { return 0 }
        return Int64(days) * 86400 + Int64(seconds)
    }

    static func anExtension(_ value: OpaquePointer?) -> HostExtension? {
        guard let value else { return nil }
        return HostExtension(
            identifier: identifier(X509_EXTENSION_get_object(value)), isCritical: X509_EXTENSION_get_critical(value) == 1,
            value: bytes(X509_EXTENSION_get_data(value)))
    }

    static func uri(_ name: UnsafeMutablePointer<GENERAL_NAME>?) -> String? {
        guard let name, name.pointee.type == GEN_URI else { return nil }
        return String(decoding: bytes(name.pointee.d.uniformResourceIdentifier), as: UTF8.self)
    }

    static func alternativeNames(_ names: OpaquePointer) -> HostAlternativeNames {
        var result = HostAlternativeNames()
        for index in 0..<OPENSSL_sk_num(names) {
            let name = OPENSSL_sk_value(names, index)!.assumingMemoryBound(to: GENERAL_NAME.self)
            switch name.pointee.type {
            case GEN_DNS: result.dns.append(String(decoding: bytes(name.pointee.d.dNSName), as: UTF8.self))
            case GEN_EMAIL: result.emails.append(String(decoding: bytes(name.pointee.d.rfc822Name), as: UTF8.self))
            case GEN_IPADD: result.addresses.append(bytes(name.pointee.d.iPAddress))
            case GEN_URI: if let uri = uri(name) { result.uris.append(uri) }
            default: break
            }
        }
        return result
    }
}
