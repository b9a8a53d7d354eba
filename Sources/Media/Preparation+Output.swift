import Files
import Foundation
import Sampling

/// The output of a preparation, and which of it existed before.
extension Preparation {
    static let journalName = ".prepare-journal.jsonl"
    static let ownNames = [manifestName, rejectsName, journalName]

    /// Claims the output folder. Nothing is written into a folder, and no file replaced, that something else than this preparation made.
    func claimOutput(_ sources: [PreparationSource]) throws(PreparationError) -> OutputFolder {
        let isInPlace = isInside(output, folder) && isInside(folder, output)
        let elsewhere =
            "choose another folder for the manifest with --output FOLDER, and give it to runs with "
            + "--set data.manifest=FOLDER/\(Self.manifestName)"
        if transcoding != nil, !isInPlace, isInside(folder, output) {
            throw PreparationError("\(folder) lies in \(output), and old videos and new ones would mix; choose an output outside")
        }
        do throws(OutputError) {
            return try OutputFolder(
                output, by: transcoding == nil ? "tandem prepare" : "tandem prepare --transcode", task: "preparation",
                source: isInPlace ? "." : remote == nil ? resolvedPath(folder) : folder,
                inputs: transcoding == nil || remote != nil ? [] : [folder],
                names: (transcoding == nil ? [] : sources.map(\.name)) + Self.ownNames,
                older: PreparationJournal.namesMade(in: output, of: sources, transcoding),
                remedy: isInPlace && transcoding == nil ? elsewhere : "choose an empty folder")
        } catch { throw PreparationError(error.description) }
    }

    /// Claims the files that are about to be encoded.
    func claim(_ work: [PreparationSource], in claimed: OutputFolder) throws(PreparationError) {
        guard transcoding != nil else { return }
        do throws(OutputError) { try claimed.claim(work.map(\.name)) } catch { throw PreparationError(error.description) }
    }
}

extension PreparationJournal {
    /// The fields that lines of all versions have in common.
    private struct Line: Decodable {
        struct Record: Decodable { let path: String }

        let file: VideoFile
        let record: Record?
    }

    private struct Kind: Decodable { let transcoding: Transcoding? }

    /// The files in a folder that a version without a list of its files made of these sources.
    static func namesMade(in folder: String, of sources: [PreparationSource], _ transcoding: Transcoding?) -> [String] {
        let path = folder + "/" + Preparation.journalName
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped) else { return [] }
        let decoder = JSONDecoder()
        let lines = data.split(separator: UInt8(ascii: "\n"))
        guard let first = lines.first, let kind = try? decoder.decode(Kind.self, from: first),
            (kind.transcoding == nil) == (transcoding == nil)
        else { return [] }
        let findings = lines.dropFirst().compactMap { try? decoder.decode(Line.self, from: $0) }
        let known = Dictionary(sources.map { (FilePath($0.file.path), $0.file) }, uniquingKeysWith: { first, _ in first })
        guard findings.contains(where: { known[FilePath($0.file.path)] == $0.file }) else { return [] }
        return Preparation.ownNames + (transcoding == nil ? [] : findings.compactMap(\.record?.path))
    }
}
