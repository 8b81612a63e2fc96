import Domain
import HTTPServer

/// The native interface as an OpenAPI 3.1 document, made from the table of routes, so that neither can be ahead of the other.
package enum OpenAPI {
    package static let document: [UInt8] = {
        var json = JSONWriter(capacity: 32 * 1_024)
        json.object { json in
            json.key("openapi"); json.string("3.1.0" as StaticString)
            json.key("info")
            json.object { json in
                json.key("title"); json.string("Posto" as StaticString)
                json.key("version"); json.string(PostoVersion.text)
                json.key("description")
                json.string("Registry and journal of a branch. Refusals are RFC 9457 problem details." as StaticString)
                json.key("license")
                json.object { json in
                    json.key("name"); json.string("Apache-2.0" as StaticString)
                    json.key("identifier"); json.string("Apache-2.0" as StaticString)
                }
            }
            json.key("paths")
            json.object { json in paths(&json) }
            json.key("components")
            json.object { json in
                json.key("schemas")
                json.object { json in
                    for schema in OpenAPISchemas.all {
                        json.key(dynamic: "\(schema.name)")
                        schema.json.withUTF8Buffer { json.raw(json: $0) }
                    }
                }
            }
        }
        return json.finish()
    }()

    private static func paths(_ json: inout JSONWriter) {
        var seen: [String] = []
        for route in Route.allCases {
            let pattern = "\(route.description.pattern)"
            guard !seen.contains(pattern) else { continue }
            seen.append(pattern)
            json.key(dynamic: pattern)
            json.object { json in
                for other in Route.allCases where "\(other.description.pattern)" == pattern { operation(other, &json) }
            }
        }
    }

    private static func operation(_ route: Route, _ json: inout JSONWriter) {
        let description = route.description
        json.key(dynamic: "\(description.method.name)".lowercased())
        json.object { json in
            json.key("operationId"); json.string("\(route)")
            json.key("summary"); json.string("\(description.summary)")
            let names = "\(description.pattern)".split(separator: "{").dropFirst().map { String($0.prefix { $0 != "}" }) }
            if !names.isEmpty || !description.parameters.isEmpty || route.isMutating {
                json.key("parameters")
                json.array { json in
                    for name in names {
                        parameter(
                            name, in: "path", "The \(name == "id" ? "instance id" : "name").", #"{"type":"string","minLength":1}"#, &json)
                    }
                    for item in description.parameters { parameter("\(item.name)", in: "query", "\(item.summary)", item.schema, &json) }
                    if route.isMutating {
                        parameter(
                            "Idempotency-Key", in: "header",
                            "Makes the request safe to repeat: the same key gets the same answer; kept for 24 hours.",
                            #"{"type":"string","pattern":"^[!-~]{1,128}$"}"#, &json)
                    }
                }
            }
            if let schema = OpenAPISchemas.request(of: route) {
                json.key("requestBody")
                json.object { json in
                    json.key("required"); json.bool(OpenAPISchemas.requiresBody(route))
                    content(route == .events ? ["application/json", "application/x-ndjson"] : ["application/json"], schema, &json)
                }
            }
            json.key("responses")
            json.object { json in
                for answer in OpenAPISchemas.answers(of: route) {
                    json.key(dynamic: "\(answer.status)")
                    json.object { json in
                        json.key("description"); json.string("\(answer.text)")
                        if let schema = answer.schema { content([answer.type] + answer.otherTypes, schema, &json) }
                    }
                }
                json.key("default")
                json.object { json in
                    json.key("description"); json.string("Refused; `code` says why." as StaticString)
                    if route.isShort {
                        content(["application/json"], "ShortRefusal", &json)
                    } else {
                        content(["application/problem+json"], "Problem", &json)
                    }
                }
            }
        }
    }

    private static func parameter(_ name: String, in place: String, _ summary: String, _ schema: StaticString, _ json: inout JSONWriter) {
        json.object { json in
            json.key("name"); json.string(name)
            json.key("in"); json.string(place)
            json.key("required"); json.bool(place == "path")
            json.key("description"); json.string(summary)
            json.key("schema"); schema.withUTF8Buffer { json.raw(json: $0) }
        }
    }

    private static func content(_ types: [StaticString], _ schema: StaticString, _ json: inout JSONWriter) {
        json.key("content")
        json.object { json in
            for (index, type) in types.enumerated() {
                json.key(dynamic: "\(type)")
                json.object { json in
                    // The schema is of the first; the others write the same in lines.
                    guard index == 0 else { return }
                    json.key("schema")
                    json.object { json in
                        json.key("$ref"); json.string("#/components/schemas/\(schema)")
                    }
                }
            }
        }
    }
}
