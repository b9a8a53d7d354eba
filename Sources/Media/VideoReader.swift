import CFFmpeg
import Sampling

/// Reads exact frames of one video in any order: frame i of the record is frame i of a sequential decode, bit for bit.
///
/// Note "one pass": all frames requested in one call are visited in one pass, ascending. The reader seeks to the key frame at or before the
/// first, decodes forward, and seeks again only where the next frame's key frame lies ahead of every packet read so far, so never inside a
/// group of pictures. Pictures that no other refers to are not decoded unless they are requested, or the video has damage: they can change
/// what a decoder makes up. Once the last requested picture of a group was sent to the decoder, the decoder is drained, instead of being
/// fed until it returns that picture.
///
/// Note "checked times": a frame is accepted only where its presentation time is the record's. Where the decoder does not return it,
/// because decoding cannot begin at its key frame, decoding begins one key frame earlier, then two, four …, and in the end at the file's
/// start, with every picture decoded: that is the sequential decode itself. Where the decoder meets damage, or misses a picture, decoding
/// begins at the file's start at once. Where a record has no key frames, only the sequential decode is known to be right: there frames are
/// counted, because their packets' times may be meaningless.
public final class VideoReader {
    /// Where the video lies.
    public let location: MediaLocation
    var path: String { location.path }
    /// The record of the video.
    public let record: VideoRecord

    private let tools: ReaderTools
    private let deadline: Deadline
    private var source: FrameSource
    private var place = Place()
    private let frame = Frame()

    /// The position of the decoder in the stream.
    private struct Place {
        /// Whether this is the sequential decode itself, from the first packet on with every picture decoded: its frames are right by
        /// definition.
        var isSequential = false
        /// After a seek, the times at which an arriving key frame is accepted; nil once one has arrived.
        var awaitedKeyTimes: ClosedRange<Int64>?
        /// Latest time of a packet read.
        var readThrough = Int64.min
        /// Time of the last frame that the decoder returned.
        var shownThrough = Int64.min
        /// Frames that the decoder has returned.
        var framesOut = 0
        /// Whether the decoder was drained: it can continue only after a seek.
        var isDrained = false
    }

    /// Opens a video.
    ///
    /// - Parameters:
    ///   - record: the record of the video; a file of another number of bytes is another file and is not opened.
    ///   - timeout: seconds of processor time that opening, and then each call of ``read(_:into:)``, may take.
    ///   - tools: objects that are kept from video to video.
    public init(
        _ location: MediaLocation, record: VideoRecord, timeout: Double = 30, tools: ReaderTools = ReaderTools()
    ) throws(MediaError) {
        self.location = location
        self.record = record
        self.tools = tools
        deadline = Deadline(seconds: timeout)
        place.isSequential = record.keyFrames.isEmpty
        if place.isSequential { tools.forgetDecoder() }
        source = try FrameSource.open(location, record: record, deadline: deadline, tools: tools)
    }

    /// Opens a file of this machine.
    public convenience init(
        path: String, record: VideoRecord, timeout: Double = 30, tools: ReaderTools = ReaderTools()
    ) throws(MediaError) {
        try self.init(MediaLocation(path), record: record, timeout: timeout, tools: tools)
    }

    /// Reads pictures as packed RGB, a byte a channel, `[size, size, 3]`: bicubic, antialiased, upright.
    ///
    /// - Parameters:
    ///   - requests: in any order; frames and boxes may repeat.
    ///   - destination: gives the memory for the request of an index, its `byteCount` at least.
    /// - Throws: where a frame does not decode, the file changed, or time is up; memory may be partly written then.
    public func read(
        _ requests: [PictureRequest], into destination: (Int) -> UnsafeMutableRawBufferPointer
    ) throws(MediaError) {
        precondition(requests.allSatisfy { $0.size > 0 }, "pictures of no pixels")
        try record.require(requests, at: path)
        let order = requests.indices.sorted { (requests[$0].frame, $0) < (requests[$1].frame, $1) }
        var frames: [Int] = []
        for index in order where requests[index].frame != frames.last { frames.append(requests[index].frame) }
        var next = 0
        var failure: MediaError?
        try visit(frames) { index, frame in
            while next < order.count, requests[order[next]].frame == index {
                let isDone = tools.crop(frame, of: record, requests[order[next]], isStill: false, into: destination(order[next]))
                if !isDone { failure = MediaError(.unsupported, path, "\(Conversion.Side(frame).formatName) does not convert to RGB") }
                next += 1
            }
        }
        if let failure { throw failure }
    }

    /// Visits frames, ascending, each once, in one pass.
    public func visit(_ frames: [Int], _ body: (Int, borrowing Frame) -> Void) throws(MediaError) {
        deadline.restart()
        let times = frames.map { record.timestamps[$0] }
        precondition(zip(times, times.dropFirst()).allSatisfy { $0 < $1 }, "frames to visit must ascend")
        var next = 0
        var keyFramesBack = 0
        while next < frames.count {
            try approach(frames[next], keyFramesBack: keyFramesBack)
            var damaged: Int?
            let end = place.isSequential ? frames.count : groupEnd(frames, from: next)
            let reached = try decode(times, next..<end, mayDrain: keyFramesBack == 0) {
                if frame.isDamaged, !record.isDamaged(frames[$0]) { damaged = frames[$0] }
                body(frames[$0], frame)
            }
            if let damaged {
                throw MediaError(.damagedFrame, path, "frame \(damaged), which was whole when the file was prepared")
            }
            if reached > next {
                next = reached
                keyFramesBack = 0
            } else if place.isSequential {
                throw MediaError(
                    .undecodable, path,
                    "frame \(frames[next]) does not come out; the file is damaged there or is not the one that was prepared")
            } else {
                // How a decoder conceals damage or a missing picture depends on all that it decoded before, so only the sequential decode
                // is right.
                keyFramesBack = source.isUncertain ? record.keyFrames.count : max(1, keyFramesBack * 2)
            }
        }
    }

    /// Brings the decoder before a frame at the least cost: nothing, a seek, or a restart from the file's start.
    private func approach(_ frame: Int, keyFramesBack: Int) throws(MediaError) {
        let isBehind = keyFramesBack > 0 || place.isDrained || place.shownThrough >= record.timestamps[frame]
        let key = record.keyFrames.count { $0 <= frame } - 1 - keyFramesBack
        guard key >= 0 else {
            if isBehind { try restart() }
            return
        }
        let keyTime = record.timestamps[record.keyFrames[key]]
        let isUnread = place.readThrough == .min
        guard isBehind || (isUnread ? record.keyFrames[key] > 0 : place.readThrough < keyTime) else { return }
        guard try source.seek(to: keyTime) else { return try restart() }
        // Some containers seek to an earlier key frame, which is skipped; some to just after the requested one, which the search for an
        // earlier key frame then reaches: so that one is accepted too.
        place = Place(awaitedKeyTimes: keyTime...record.timestamps[record.keyFrames[key + (keyFramesBack + 1) / 2]])
    }

    private func restart() throws(MediaError) {
        // The sequential decode is the reference, so it uses a new decoder.
        tools.forgetDecoder()
        source = try FrameSource.open(location, record: record, deadline: deadline, tools: tools)
        place = Place(isSequential: true)
    }

    /// The end of those frames that lie in one group of pictures with the first.
    private func groupEnd(_ frames: [Int], from first: Int) -> Int {
        guard let nextKey = record.keyFrames.first(where: { $0 > frames[first] }) else { return frames.count }
        return frames[first...].firstIndex { $0 >= nextKey } ?? frames.count
    }

    /// Decodes forward, passes on requested frames as they come, and stops after the last of them or where one is missing.
    ///
    /// - Parameters:
    ///   - times: of all wanted frames; those of `group` are to be reached.
    ///   - mayDrain: whether the decoder may be drained once it has the group's pictures.
    /// - Returns: the index in `times` of the first frame that was not decoded.
    private func decode(_ times: [Int64], _ group: Range<Int>, mayDrain: Bool, _ body: (Int) -> Void) throws(MediaError) -> Int {
        var next = group.lowerBound
        var unsent = group.count
        while next < group.upperBound {
            var place = self.place
            let isOut = try source.nextFrame(into: frame) { packet in
                guard let time = packet.time else { return place.awaitedKeyTimes == nil ? .decode : .skip }
                if let awaited = place.awaitedKeyTimes {
                    guard packet.isKey, time >= awaited.lowerBound else { return .skip }
                    guard time <= awaited.upperBound else { return .stop }
                    place.awaitedKeyTimes = nil
                }
                // The second field of a picture can be a packet of its own. Its time is no frame's, and it belongs to the packet sent
                // before.
                if mayDrain, unsent == 0, !place.isSequential, record.timestamps.containsAscending(time) {
                    place.isDrained = true
                    return .drain
                }
                place.readThrough = max(place.readThrough, time)
                // A packet whose time is no frame's may be the second field of a frame that is wanted.
                let isWanted = times[next...].containsAscending(time)
                if isWanted { unsent -= 1 }
                let isNeeded = isWanted || !record.damagedFrames.isEmpty || !record.timestamps.containsAscending(time)
                return place.isSequential || isNeeded ? .decode : .decodeIfReferenced
            }
            let time = isOut ? shownTime(after: place.framesOut) : nil
            if isOut { place.framesOut += 1 }
            if let time { place.shownThrough = time }
            self.place = place
            guard let time, time <= times[next] else { return next }
            guard time == times[next] else { continue }
            guard place.isSequential || !source.isUncertain else { return next }
            body(next)
            next += 1
        }
        return next
    }

    /// The time of the frame that the decoder has just returned after `framesOut` others.
    private func shownTime(after framesOut: Int) -> Int64? {
        guard record.keyFrames.isEmpty else { return frame.time }
        return framesOut < record.frameCount ? record.timestamps[framesOut] : nil
    }
}

extension VideoRecord {
    /// Makes sure that requests ask for parts that exist.
    func require(_ requests: [PictureRequest], at location: String) throws(MediaError) {
        for request in requests where !contains(request) {
            throw MediaError(
                .impossible, location,
                "frame \(request.frame) with \(request.box) of a video of \(frameCount) frames of \(width)x\(height)")
        }
    }

    private func contains(_ request: PictureRequest) -> Bool {
        let box = request.box
        return (0..<frameCount).contains(request.frame) && box.x >= 0 && box.y >= 0 && box.width > 0 && box.height > 0
            && box.width <= width && box.height <= height && box.x <= width - box.width && box.y <= height - box.height
    }
}

extension ArraySlice<Int64> {
    /// Whether a time is in an ascending list.
    fileprivate func containsAscending(_ time: Int64) -> Bool { ascending(indices, contains: time) { self[$0] } }
}

extension Timestamps {
    /// Whether a time is a frame's.
    fileprivate func containsAscending(_ time: Int64) -> Bool { ascending(0..<count, contains: time) { self[$0] } }
}

/// Whether a value is in an ascending list, by halving it.
private func ascending(_ indices: Range<Int>, contains value: Int64, at element: (Int) -> Int64) -> Bool {
    var (low, high) = (indices.lowerBound, indices.upperBound)
    while low < high {
        let middle = (low + high) / 2
        if element(middle) < value { low = middle + 1 } else { high = middle }
    }
    return low < indices.upperBound && element(low) == value
}
