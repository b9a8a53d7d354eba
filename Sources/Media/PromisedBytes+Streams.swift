// Containers that are written in one pass: their units tell where a file is cut off, but seldom how much is missing.

extension ContainerFile {
    /// FLV: tags one behind the other, each of eleven bytes, its content, and its length once more. nil where it ends with one.
    ///
    /// The number of missing bytes is known where the first tag states the number of bytes, or of seconds.
    var flvLength: PromisedLength? {
        var end = Self.number(bytes(at: 5, count: 4))
        var lastTime = 0
        guard end >= 9 else { return nil }
        while true {
            // The length of the tag before, which the last one may lack, and the next tag's head.
            let head = bytes(at: end, count: 15)
            guard head.count > 4 else { return nil }
            if head.count == 15 {
                guard [8, 9, 18].contains(head[4] & 0x1f) else { return nil }
                // Milliseconds, their highest byte behind the others.
                lastTime = max(lastTime, Self.number(head[8..<11]) | Int(head[11]) << 24)
                end += 15 + Self.number(head[5..<8])
                if end <= byteCount { continue }
            }
            if let promised = flvNumber("filesize"), promised > Double(byteCount), promised < 0x1p56 { return .bytes(Int(promised)) }
            if let seconds = flvNumber("duration"), seconds * 1000 >= Double(lastTime), seconds < 0x1p32, lastTime > 0 {
                return .bytes(Int(min(0x1p56, Double(byteCount) * seconds * 1000 / Double(lastTime))))
            }
            return .more(inside: "a tag")
        }
    }

    /// A number of the tag `onMetaData` (Adobe's FLV specification, E.5): the length of its name and the name, type 0, and eight bytes.
    private func flvNumber(_ name: String) -> Double? {
        let text = bytes(at: 0, count: 4096)
        let field = [0, UInt8(name.utf8.count)] + Array(name.utf8) + [0]
        guard text.count >= field.count + 8,
            let place = (0...text.count - field.count - 8).first(where: { text[$0..<$0 + field.count].elementsEqual(field) })
        else { return nil }
        let number = Double(bitPattern: text[(place + field.count)...].prefix(8).reduce(0) { $0 << 8 | UInt64($1) })
        return number.isFinite && number > 0 ? number : nil
    }

    /// A transport stream: packets of 188 bytes, with four bytes before or sixteen after each in some files. A file that ends inside a
    /// packet is cut off; one that ends between two packets may be a recording that was stopped.
    var transportStreamLength: PromisedLength? {
        let sync = UInt8(0x47)
        for (length, offset) in [(188, 0), (192, 4), (204, 0)] {
            let (first, rest) = (bytes(at: 0, count: 5 * length), byteCount % length)
            guard first.count == 5 * length, (0..<5).allSatisfy({ first[$0 * length + offset] == sync }) else { continue }
            let last = bytes(at: byteCount - rest - length, count: length + rest)
            guard rest > offset, last[offset] == sync, last[length + offset] == sync else { return nil }
            return .more(inside: "a packet")
        }
        return nil
    }
}
