import RegoSyntax
import Testing

@Suite("the syntax tree")
struct TreeTests {
    @Test("a call is the operator it stands for, however it was written")
    func operatorOfCall() {
        let plus = Term(.ref([Term(.variable("plus"))]))
        let member = Term(.ref([Term(.variable("internal")), Term(.string("member_2"))]))
        #expect(InfixOperator(operator: plus) == .plus)
        #expect(InfixOperator(operator: member) == .member)
        #expect(InfixOperator(operator: Term(.ref([Term(.variable("count"))]))) == nil)
    }

    @Test("a location finds its text, and nothing outside of it")
    func textOfLocation() {
        let source = SourceText(name: "a.rego", text: "package a")
        #expect(source.text(of: Location(offset: 8, end: 9, row: 1, column: 9)) == "a")
        #expect(source.text(of: Location(offset: 8, end: 99, row: 1, column: 9)) == "")
    }
}
