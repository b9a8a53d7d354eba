import Base

extension Pipeline {
    /// Every key of a pipeline's text with its value as a text, "mask.ratio": what is there, whether it is a pipeline or not.
    ///
    /// - Throws: ``PipelineMistake`` for bad syntax.
    public static func flattened(_ text: String) throws -> [String: String] {
        func flatten(_ node: JSON5, _ path: String, into values: inout [String: String]) {
            switch node.value {
            case .object(let members):
                for member in members { flatten(member.value, path.isEmpty ? member.key : "\(path).\(member.key)", into: &values) }
            case .string(let text): values[path] = text
            default: values[path] = node.strictText
            }
        }
        do {
            var values: [String: String] = [:]
            flatten(try JSON5(parsing: text), "", into: &values)
            return values
        } catch {
            throw PipelineMistake(description: "line \(error.line): \(error.message)")
        }
    }
}
