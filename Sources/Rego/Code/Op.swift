/// The machine's instructions. One is a word of 64 bits: operation, A, B, C, each 16 bits. Those marked T have a second word: where to go
/// when the instruction fails in the low half, D in the high half.
enum Op: UInt8 {
    /// Gives up: the code ends where it must not.
    case stop = 0
    /// T: goes on there.
    case jump
    /// A ← B
    case move
    /// A ← constant D (T unused)
    case constant
    /// A ← undefined
    case clear
    /// T: A ← the input; fails when there is none
    case input
    /// A ← the base document of the root
    case base
    /// T: A ← B[C]
    case get
    /// T: A ← B[constant D]; `getBase`: B is a base document
    case getConstant, getBase
    /// T: fails unless A = B
    case equal
    /// T: fails unless A = constant D
    case equalConstant
    /// T: fails unless A[constant D] = B
    case fieldEqual
    /// T: compares A with B by C: 0 ≠, 1 <, 2 ≤, 3 >, 4 ≥
    case compare
    /// T: fails unless A is a member of B, or a value of it
    case member
    /// T: fails when A is false or undefined
    case truth
    /// T: goes there when A is defined
    case ifDefined
    /// T: begins to go through B in A and A + 1; fails when B is no collection
    case scan
    /// T: B ← the next key, C ← its value of the scan in A; fails at the end
    case next
    /// T: A ← function D of the registers from B, C of them; fails when it is undefined
    case call
    /// T: A ← built-in D of the registers from B, C of them; fails when it is undefined
    case builtin
    /// T: as `call` and `builtin`, for what a `with` may replace
    case mockedCall, mockedBuiltin
    /// T: A ← B + C, B − C for integers; else built-in D
    case add, subtract
    /// Begins a list of values
    case begin
    /// Adds A to the list
    case append
    /// Adds key A and value B
    case appendPair
    /// Adds value B at the path A (an array); C 1: as the element of a set
    case appendPath
    /// A ← the list as an array, a set, an object, or nested objects
    case endArray, endSet, endObject, endNested
    /// A ← C registers from B
    case makeArray, makeSet, makeObject
    /// T: fails unless A is an array of D elements; an object of D keys
    case isArray, isObject
    /// A takes the value B; a conflict when it has another one. C: 0 rule, 1 function
    case merge
    /// The function's value is A
    case giveBack
    /// A, A + 1, A + 2 ← node D, its base document, and what rules with variables made (T unused)
    case node
    /// T: A, A + 1, A + 2 ← B, B + 1, B + 2 [C]
    case nodeGet
    /// T: scans the keys below B, B + 1, B + 2; A is used as by `scan`
    case nodeScan
    /// T: A ← the whole document of B, B + 1, B + 2
    case nodeValue
    /// A ← a new context, B ← the one of now
    case withBegin
    /// In context A, input or data at the path constant D is B (T unused)
    case withInput, withData
    /// In context A, function constant D is the value B; the function constant C of the next word's low half
    case withValue, withFunction
    /// Goes on in context A
    case context
    /// The values from A + 1 on choose the sets of index D, which come into the registers from B on (T unused)
    case indexBegin
    /// T: goes to the next candidate of index D, by the table of targets behind the second word; fails when there is none
    case indexNext
}
