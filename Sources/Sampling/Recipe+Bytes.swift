import Base

extension Recipe {
    /// Writes every field in a fixed order.
    public func write(to writer: inout ByteWriter) {
        writer.write(imageSize)
        writer.write(patchSize)
        writer.write(frameGap.lowerBound)
        writer.write(frameGap.upperBound)
        writer.write(timelineRate)
        writer.write(cropArea.lowerBound)
        writer.write(cropArea.upperBound)
        writer.write(cropAspect.lowerBound)
        writer.write(cropAspect.upperBound)
        writer.write(flipProbability)
        writer.write(repeatedSampling)
        writer.write(maskRatio)
        writer.write(crops.rawValue)
        writer.write(maskPattern.rawValue)
        writer.write(maskedFrames.rawValue)
    }

    /// Reads what ``write(to:)`` wrote, within limits that keep everything derived from it small.
    public init(from reader: inout ByteReader) throws(MalformedBytes) {
        let imageSize = try reader.readInt(in: 1...4096)
        let patchSize = try reader.readInt(in: 1...imageSize)
        let gap = (try reader.readInt(in: 1...100_000), try reader.readInt(in: 1...100_000))
        let timelineRate = try reader.readInt(in: 0...1000)
        let area = (try reader.readDouble(), try reader.readDouble())
        let aspect = (try reader.readDouble(), try reader.readDouble())
        let flipProbability = try reader.readDouble()
        let repeatedSampling = try reader.readInt(in: 1...SamplePlan.mostReplicas)
        let maskRatio = try reader.readDouble()
        let crops = try reader.readWord(of: CropSharing.self)
        let maskPattern = try reader.readWord(of: MaskPattern.self)
        let maskedFrames = try reader.readWord(of: MaskedFrames.self)
        guard gap.0 <= gap.1, 0 < area.0, area.0 <= area.1, area.1 <= 1, 1e-2 <= aspect.0, aspect.0 <= aspect.1, aspect.1 <= 1e2,
            (0...1).contains(flipProbability), (0..<1).contains(maskRatio), imageSize.isMultiple(of: patchSize)
        else { throw MalformedBytes("a recipe with impossible values") }
        self.init(
            imageSize: imageSize, patchSize: patchSize, frameGap: gap.0...gap.1, timelineRate: timelineRate, cropArea: area.0...area.1,
            cropAspect: aspect.0...aspect.1, flipProbability: flipProbability, repeatedSampling: repeatedSampling, crops: crops,
            maskRatio: maskRatio, maskPattern: maskPattern, maskedFrames: maskedFrames)
    }
}

extension ByteReader {
    /// One of the words that a type knows.
    fileprivate mutating func readWord<Word: RawRepresentable>(of type: Word.Type) throws(MalformedBytes) -> Word
    where Word.RawValue == String {
        let text = try readText(limit: 32)
        guard let word = Word(rawValue: text) else { throw MalformedBytes("a recipe with the unknown word '\(text)'") }
        return word
    }
}
