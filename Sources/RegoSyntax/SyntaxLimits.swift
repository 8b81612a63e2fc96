/// What a text may be at most. A text beyond a limit is an error with its place, never a crash.
public enum SyntaxLimits {
    /// Bytes of one text. OPA has none; 64 MiB is a thousand times the largest policy we have seen, and keeps offsets in 32 bits.
    public static let sourceBytesMax = 64 << 20
    /// Levels of terms within terms and bodies within bodies; each operator of a chain is one, as the tree nests by one. A level takes at
    /// most 2.4 KiB of stack, 12 KiB in a debug build (measured); threads have 8 MiB. OPA stops at some 10,000 levels of brackets.
    public static let depthMax = 500
    /// Digits of a number with its sign, point and exponent.
    public static let numberBytesMax = 65_536
    /// The binary exponent of a number, as OPA has it: `1e30103` passes, more is "number too big".
    public static let numberExponentMax = 100_000
    /// Problems of one text that are reported; what comes after these is noise.
    public static let problemsMax = 20
    /// Bytes of the line that a problem shows; of a longer one, what is around the place.
    public static let problemLineBytesMax = 4_096
}
