/// How an option or flag is written.
package struct ArgumentName: Equatable, Sendable {
    enum Form: Equatable, Sendable { case long, short, customLong(String), customShort(Character) }
    let form: Form

    /// The property's name in kebab case, behind two dashes.
    package static let long = ArgumentName(form: .long)
    /// The first letter of the property's name, behind one dash.
    package static let short = ArgumentName(form: .short)
    package static func customLong(_ name: String) -> ArgumentName { ArgumentName(form: .customLong(name)) }
    package static func customShort(_ letter: Character) -> ArgumentName { ArgumentName(form: .customShort(letter)) }

    func text(_ property: String) -> String {
        switch form {
        case .long: "--" + kebabCase(property)
        case .short: "-" + property.prefix(1).lowercased()
        case .customLong(let name): "--" + name
        case .customShort(let letter): "-\(letter)"
        }
    }
}

/// One name or several: `.long`, or `[.customShort("f"), .long]`.
package struct ArgumentNames: ExpressibleByArrayLiteral, Sendable {
    let names: [ArgumentName]

    package init(arrayLiteral elements: ArgumentName...) { names = elements }

    private init(_ name: ArgumentName) { names = [name] }

    package static let long = ArgumentNames(ArgumentName.long)
    package static let short = ArgumentNames(ArgumentName.short)
    package static let shortAndLong: ArgumentNames = [.short, .long]
    package static func customLong(_ name: String) -> ArgumentNames { ArgumentNames(ArgumentName.customLong(name)) }
    package static func customShort(_ letter: Character) -> ArgumentNames { ArgumentNames(ArgumentName.customShort(letter)) }
}

/// How the values of an option that may be repeated are written: one behind each `--option`. (There is no other way; it is said for who reads.)
package enum ArrayParsing: Sendable { case singleValue }

/// Where the value of one property is while it is read; shared by the copies of its struct. One thread.
final class Slot<Value> {
    var value: Value?

    init(_ value: Value? = nil) { self.value = value }

    var filled: Value {
        get {
            guard let value else { preconditionFailure("an argument is read before it was parsed") }
            return value
        }
        set { value = newValue }
    }
}

/// `--name VALUE`.
@propertyWrapper
package struct Option<Value>: Declared {
    let slot: Slot<Value>
    var declaration: Declaration

    package var wrappedValue: Value {
        get { slot.filled }
        nonmutating set { slot.filled = newValue }
    }
}

extension Option where Value: ExpressibleByArgument {
    package init(wrappedValue: Value, name: ArgumentNames = .long, help: ArgumentHelp? = nil) {
        slot = Slot(wrappedValue)
        declaration = Declaration(.option, name, help, Value.self, default: wrappedValue.word) { [slot] in slot.value = $0 }
    }

    package init(name: ArgumentNames = .long, help: ArgumentHelp? = nil) {
        slot = Slot()
        declaration = Declaration(.option, name, help, Value.self) { [slot] in slot.value = $0 }
        declaration.isRequired = true
    }
}

extension Option {
    package init<Wrapped: ExpressibleByArgument>(wrappedValue: Value = nil, name: ArgumentNames = .long, help: ArgumentHelp? = nil)
    where Value == Wrapped? {
        slot = Slot(.some(wrappedValue))
        declaration = Declaration(.option, name, help, Wrapped.self) { [slot] in slot.value = .some($0) }
    }

    package init<Element: ExpressibleByArgument>(
        wrappedValue: Value, name: ArgumentNames = .long, parsing: ArrayParsing = .singleValue, help: ArgumentHelp? = nil
    ) where Value == [Element] {
        slot = Slot(wrappedValue)
        declaration = Declaration(.option, name, help, Element.self, isRepeatable: true, clear: { [slot] in slot.value = [] }) { [slot] in
            slot.filled.append($0)
        }
    }
}

/// `--name`, without a value.
@propertyWrapper
package struct Flag: Declared {
    let slot: Slot<Bool>
    var declaration: Declaration

    package init(wrappedValue: Bool, name: ArgumentNames = .long, help: ArgumentHelp? = nil) {
        slot = Slot(wrappedValue)
        declaration = Declaration(.flag, name, help, Bool.self) { [slot] in slot.value = $0 }
    }

    package var wrappedValue: Bool {
        get { slot.filled }
        nonmutating set { slot.filled = newValue }
    }
}

/// A word that is told by its place.
@propertyWrapper
package struct Argument<Value>: Declared {
    let slot: Slot<Value>
    var declaration: Declaration

    package var wrappedValue: Value {
        get { slot.filled }
        nonmutating set { slot.filled = newValue }
    }
}

extension Argument where Value: ExpressibleByArgument {
    package init(wrappedValue: Value, help: ArgumentHelp? = nil) {
        slot = Slot(wrappedValue)
        declaration = Declaration(.positional, [], help, Value.self, default: wrappedValue.word) { [slot] in slot.value = $0 }
    }

    package init(help: ArgumentHelp? = nil) {
        slot = Slot()
        declaration = Declaration(.positional, [], help, Value.self) { [slot] in slot.value = $0 }
        declaration.isRequired = true
    }
}

extension Argument {
    package init<Wrapped: ExpressibleByArgument>(wrappedValue: Value = nil, help: ArgumentHelp? = nil) where Value == Wrapped? {
        slot = Slot(.some(wrappedValue))
        declaration = Declaration(.positional, [], help, Wrapped.self) { [slot] in slot.value = .some($0) }
    }

    /// None is enough.
    package init<Element: ExpressibleByArgument>(wrappedValue: Value, help: ArgumentHelp? = nil) where Value == [Element] {
        slot = Slot(wrappedValue)
        declaration = Declaration(.positional, [], help, Element.self, isRepeatable: true, clear: { [slot] in slot.value = [] }) { [slot] in
            slot.filled.append($0)
        }
    }

    /// One at least.
    package init<Element: ExpressibleByArgument>(help: ArgumentHelp? = nil) where Value == [Element] {
        self.init(wrappedValue: [], help: help)
        declaration.isRequired = true
    }
}

/// Arguments that are declared in a struct of their own.
@propertyWrapper
package struct OptionGroup<Value: ParsableArguments>: DeclaredGroup {
    let title: String
    private let slot = Slot(Value())

    /// - Parameter title: the heading in help; without one they stand among the command's own.
    package init(title: String = "") { self.title = title }

    package var wrappedValue: Value {
        get { slot.filled }
        nonmutating set { slot.filled = newValue }
    }

    var group: any ParsableArguments { slot.filled }
}
