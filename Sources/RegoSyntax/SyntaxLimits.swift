/// What a text may be at most. A text beyond a limit is an error with its place, never a crash.
public enum SyntaxLimits {
    /// Bytes of one text. OPA has none; 64 MiB is a thousand times the largest policy we have seen, and keeps offsets in 32 bits.
    public static let sourceBytesMax = 64 << 20
    /// Levels of terms within terms and bodies within bodies, operators in a row counted too. A level takes at most 3 KiB of stack in a
    /// debug build; threads have at least 8 MiB for it (OPA stops at some 10,000 levels).
    public static let depthMax = 1000
    /// Digits of a number with its sign, point and exponent.
    public static let numberBytesMax = 65_536
    /// The binary exponent of a number, as OPA has it: `1e30103` passes, more is "number too big".
    public static let numberExponentMax = 100_000
}
