import CFFmpeg
import Files
import Glibc

/// An encoder's packets in the order of encoding, kept on the disk until the times of their frames are known.
final class PacketSpool {
    /// What is known of a packet besides its bytes.
    struct Entry {
        /// Index of the frame it holds, in presentation order.
        var frame: Int
        var isKey: Bool
        fileprivate var byteCount: Int
    }

    private(set) var entries: [Entry] = []
    private let path: String
    private let file: UnsafeMutablePointer<FILE>

    /// Opens a file without a name, so that it disappears with the spool, however the process ends.
    ///
    /// - Parameter path: the file that the packets are for; the spool lies in its folder.
    init(for path: String) throws(MediaError) {
        self.path = path
        var name = Array((folderName(of: path) + "/.packets-XXXXXX").utf8CString)
        let descriptor = mkstemp(&name)
        guard descriptor >= 0 else { throw Self.error(path) }
        unlink(name)
        guard let file = fdopen(descriptor, "w+") else {
            close(descriptor)
            throw Self.error(path)
        }
        self.file = file
    }

    /// Adds a packet whose presentation time is its frame's index.
    func append(_ packet: borrowing Packet) throws(MediaError) {
        let (bytes, byteCount) = (packet.pointer.pointee.data, Int(packet.pointer.pointee.size))
        guard fwrite(bytes, 1, byteCount, file) == byteCount else { throw Self.error(path) }
        let isKey = packet.pointer.pointee.flags & AV_PKT_FLAG_KEY != 0
        entries.append(Entry(frame: Int(packet.pointer.pointee.pts), isKey: isKey, byteCount: byteCount))
    }

    /// Hands out all packets, each with its bytes and nothing else set.
    func readAll(_ body: (Entry, borrowing Packet) throws(MediaError) -> Void) throws(MediaError) {
        guard fflush(file) == 0, fseek(file, 0, SEEK_SET) == 0 else { throw Self.error(path) }
        let packet = Packet()
        for entry in entries {
            try check(av_new_packet(packet.pointer, Int32(entry.byteCount)), .cannotEncode, path, "making room for a packet")
            guard fread(packet.pointer.pointee.data, 1, entry.byteCount, file) == entry.byteCount else { throw Self.error(path) }
            try body(entry, packet)
            av_packet_unref(packet.pointer)
        }
    }

    private static func error(_ path: String) -> MediaError {
        MediaError(.cannotWrite, path, "keeping packets in a temporary file beside it: \(String(cString: strerror(errno)))")
    }

    deinit { fclose(file) }
}
