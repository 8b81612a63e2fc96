import CCurl
import Domain
import Glibc

/// One probe while it runs: what libcurl's callbacks need, on the prober's thread.
final class ProbeFlight {
    let id: UInt64
    let networks: [Network]
    /// Addresses that a connection was tried to, and those that were forbidden.
    var tried = 0
    var forbidden = 0
    var bodyBytes = 0

    init(id: UInt64, networks: [Network]) {
        self.id = id
        self.networks = networks
    }

    func result(_ handle: UnsafeMutableRawPointer, _ code: CURLcode) -> ProbeResult {
        var microseconds: curl_off_t = 0
        _ = posto_curl_get_off(handle, CURLINFO_TOTAL_TIME_T, &microseconds)
        var status = 0
        _ = posto_curl_get_long(handle, CURLINFO_RESPONSE_CODE, &status)
        var number = 0
        _ = posto_curl_get_long(handle, CURLINFO_OS_ERRNO, &number)
        return ProbeResult(
            id: id, outcome: outcome(code, status: status, errno: Int32(clamping: number)), duration: .microseconds(Int64(microseconds)))
    }

    private func outcome(_ code: CURLcode, status: Int, errno number: Int32) -> ProbeResult.Outcome {
        switch code {
        case CURLE_OK where status == 0: return .passing  // TCP: the connection opened
        case CURLE_OK, CURLE_WRITE_ERROR:
            switch status {
            case 200: return .passing
            case 429: return .warning
            default: return .failing(.status(status))
            }
        case CURLE_OPERATION_TIMEDOUT: return .failing(.timedOut)
        case CURLE_COULDNT_RESOLVE_HOST: return .failing(.nameUnknown)
        case CURLE_COULDNT_CONNECT where tried == 0 && forbidden > 0: return .forbidden
        case CURLE_COULDNT_CONNECT: return .failing(number == 0 || number == ECONNREFUSED ? .refused : .unreachable(errno: number))
        case CURLE_URL_MALFORMAT: return .failing(.badAddress)
        default: return .failing(.brokenAnswer)
        }
    }
}

/// The socket of a probe, if its address may be probed. The name was resolved by now, so that no name leads out of the networks.
func openProbeSocket(_ context: UnsafeMutableRawPointer?, _ purpose: curlsocktype, _ target: UnsafeMutablePointer<curl_sockaddr>?)
    -> curl_socket_t
{
    // SAFETY: `context` is the flight that `Prober.flights` keeps until libcurl is done with the handle.
    let flight = Unmanaged<ProbeFlight>.fromOpaque(context!).takeUnretainedValue()
    guard let target, let address = ipAddress(target), flight.networks.contains(where: { $0.contains(address) }) else {
        flight.forbidden += 1
        return CURL_SOCKET_BAD
    }
    flight.tried += 1
    return socket(target.pointee.family, target.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue), target.pointee.protocol)
}

private func ipAddress(_ target: UnsafeMutablePointer<curl_sockaddr>) -> IPAddress? {
    // The address is longer than the `sockaddr` it is declared as (curl_easy_setopt's CURLOPT_OPENSOCKETFUNCTION).
    let address = UnsafeRawPointer(target) + MemoryLayout<curl_sockaddr>.offset(of: \.addr)!
    switch target.pointee.family {
    case AF_INET:
        let bits = address.loadUnaligned(fromByteOffset: MemoryLayout<sockaddr_in>.offset(of: \.sin_addr)!, as: UInt32.self)
        return IPAddress(ipv4: UInt32(bigEndian: bits))
    case AF_INET6:
        let bits = address.loadUnaligned(fromByteOffset: MemoryLayout<sockaddr_in6>.offset(of: \.sin6_addr)!, as: UInt128.self)
        return IPAddress(ipv6: UInt128(bigEndian: bits))
    default: return nil
    }
}

/// Reads past the body, up to a bound; the status is known by then.
func discardProbeBody(_ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?) -> Int {
    // SAFETY: as in `openProbeSocket`.
    let flight = Unmanaged<ProbeFlight>.fromOpaque(context!).takeUnretainedValue()
    flight.bodyBytes += size * count
    return flight.bodyBytes <= Limits.probeBodyBytesMax ? size * count : 0
}
