/// Where the lexer stands. A plain value: the parser keeps a copy and goes back to it.
struct LexerState {
    /// The first byte that is not part of a token yet.
    var position = 0
    /// The row `position` is on, where that row starts, and how many bytes of it, before `position`, only continue a character.
    var line: UInt32 = 1
    var lineStart = 0
    var continuations = 0

    /// The token at hand.
    var token = Token.illegal
    var start = 0
    var end = 0
    var row: UInt32 = 1
    var column: UInt32 = 1

    /// Where the token before ended, and whether a line ended since.
    var lastEnd = 0
    var skippedNewline = false

    /// How many `_` were read.
    var wildcards = 0
    /// What was found wrong so far: going back forgets what came later.
    var problemCount = 0
    var hintCount = 0
}
