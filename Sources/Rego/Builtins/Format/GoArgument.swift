/// An argument of `sprintf`, as OPA hands it to Go: whatever is no number or string comes as the text of the term.
enum GoArgument: Equatable {
    case integer(Int64)
    /// An integer that 64 bits do not hold.
    case big(BigInteger)
    case float(Double)
    case string([UInt8])

    /// Go's name of the type, for `%T` and for complaints.
    var typeName: String {
        switch self {
        case .integer: "int"
        case .big: "*big.Int"
        case .float: "float64"
        case .string: "string"
        }
    }
}
