import Arguments

/// What the commands that ask the registry have in common.
struct RegistryOptions: ParsableArguments {
    @Option(help: "The tenant; the node's own if absent.")
    var tenant: String?

    @OptionGroup var server: ServerOptions

    @Flag(help: "Print JSON.")
    var json = false
}
