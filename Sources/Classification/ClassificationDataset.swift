import Base
import Files

/// Videos and stills with their classes, to learn from and to be judged by.
///
/// Two layouts are known. Folders: `train/CLASS/…` and `val/CLASS/…`, a file in any folder below its class, as torchvision's ImageFolder has
/// them; classes ascend by name. Lists: `train.csv` and `val.csv`, or `.txt`, see ``ClassList``. Where there are lists, folders are not
/// looked at.
public struct ClassificationDataset: Sendable {
    /// A video or a still of a known class.
    public struct Example: Equatable, Sendable {
        /// As the list has it, or relative to the data set's folder.
        public let name: String
        /// Where the file lies.
        public let path: String
        /// The number of its class.
        public let label: Int
    }

    /// A part of the data set.
    public enum Part: String, CaseIterable, Sendable {
        case train
        case validation = "val"
    }

    /// The folder of the data set.
    public let root: String
    /// The names of the classes; an example's label is an index into them.
    public let classes: [String]
    private let examples: [Part: [Example]]
    /// Links that lead nowhere and folders that cannot be read, with what is wrong.
    public private(set) var leftOut: [String] = []

    /// Finds the examples.
    ///
    /// - Parameter isTaken: whether a file is a video or a still, by its name. Of lists every file is taken.
    /// - Throws: where a part is missing or empty, a class has no example to learn from, or a list cannot be understood.
    public init(root: String, isTaken: (FilePath) -> Bool) throws {
        self.root = root
        let lists = try Part.allCases.map { try ClassList.path(in: root, part: $0) }
        if lists.contains(where: { $0 != nil }) {
            let paths = try zip(Part.allCases, lists).map { part, path in
                guard let path else { throw Failure("\(root) has a list of one part, and of the other no \(part.rawValue).csv or .txt") }
                return path
            }
            (classes, examples) = try Self.fromLists(paths, root)
        } else {
            var notes: [String] = []
            (classes, examples) = try Self.fromFolders(root, isTaken, &notes)
            leftOut = notes
        }
    }

    /// The examples of a part, in the order of the list, or ascending by class and path.
    public subscript(part: Part) -> [Example] { examples[part]! }

    private static func fromLists(_ paths: [String], _ root: String) throws -> ([String], [Part: [Example]]) {
        let lists = try paths.map { try ClassList(contentsOf: $0) }
        let labels = Set(lists[0].lines.map(\.label)).sorted()
        let index = Dictionary(uniqueKeysWithValues: labels.enumerated().map { ($1, $0) })
        let examples = try lists.map { list in
            try list.lines.map { line in
                guard let label = index[line.label] else {
                    throw Failure("\(list.path): '\(line.path)' is of class \(line.label), of which \(lists[0].path) has no example")
                }
                return Example(name: line.path, path: line.path.hasPrefix("/") ? line.path : root + "/" + line.path, label: label)
            }
        }
        return (labels.map(String.init), Dictionary(uniqueKeysWithValues: zip(Part.allCases, examples)))
    }

    private static func fromFolders(
        _ root: String, _ isTaken: (FilePath) -> Bool, _ leftOut: inout [String]
    ) throws -> ([String], [Part: [Example]]) {
        let classes = try classFolders(in: root, .train)
        let index = Dictionary(uniqueKeysWithValues: classes.enumerated().map { ($1, $0) })
        var examples: [Part: [Example]] = [:]
        for part in Part.allCases {
            examples[part] = []
            for name in part == .train ? classes : try classFolders(in: root, part) {
                guard let label = index[name] else {
                    throw Failure("\(root)/val has the class '\(name)', of which \(root)/train has no folder to learn from")
                }
                let folder = part.rawValue + "/" + name
                let tree = try FolderTree(root + "/" + folder)
                leftOut += tree.leftOut.map { "\(folder)/\($0.path): \($0.detail)" }
                let files = try tree.files.filter(isTaken).sorted().map { file in
                    guard let text = file.text else { throw Failure("\(root)/\(folder)/\(file): the name is not UTF-8; rename it") }
                    return Example(name: "\(folder)/\(text)", path: "\(root)/\(folder)/\(text)", label: label)
                }
                if files.isEmpty, part == .train { throw Failure("\(root)/\(folder) has no video or still to learn from") }
                examples[part]! += files
            }
            if examples[part]!.isEmpty { throw Failure("\(root)/\(part.rawValue) has no video or still in a folder of its class") }
        }
        return (classes, examples)
    }

    /// The names of the folders of a part, ascending.
    private static func classFolders(in root: String, _ part: Part) throws -> [String] {
        let folder = root + "/" + part.rawValue
        guard isFolder(folder) else {
            throw Failure(
                "\(root) is no classification data set: there is neither a list \(part.rawValue).csv or .txt nor a folder"
                    + " \(part.rawValue) with a folder a class")
        }
        return try FolderListing(folder).names.compactMap { name in
            guard let text = name.text else { throw Failure("\(folder)/\(name): the name of the class is not UTF-8; rename it") }
            return isFolder(folder + "/" + text) ? text : nil
        }
    }
}
