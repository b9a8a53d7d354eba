/// How samples are drawn from videos: a value, a type of which has a file of its own, with its settings, their checks, the arrays of its
/// samples and the draw. Everything that it draws is a pure function of the ``Draw``.
public protocol Sampler: Codable, Equatable, Sendable {
    /// The word by which the wire knows it.
    static var name: String { get }
    /// The published settings.
    init()
    /// The first value that no sampler can have, by its key, and what to write instead; nil where all are possible. Nothing else of a
    /// sampler may be asked for before.
    var problem: (key: String, message: String)? { get }
    /// Samples drawn from a video each time it is opened, at most ``SamplePlan/maximumReplicas``.
    var repeatedSampling: Int { get }
    /// Frames that a video must have for samples to be drawn from it: above one, no sample is drawn from stills.
    var minimumFrames: Int { get }
    /// Whether a sample of a video would reach beyond its end, so that its last frame is repeated.
    func outlasts(_ record: VideoRecord) -> Bool
    /// The arrays of a sample, in their order: the same for every sample.
    var arrays: [ArrayDeclaration] { get }
    /// Fills all arrays of a sample but those of pictures, and says which pictures go where.
    func draw(_ draw: Draw, into sample: SampleWriter) -> [PlacedPicture]
    /// Called once the pictures of a sample are in their places: for what is made of their pixels.
    func finish(_ sample: SampleWriter, of draw: Draw)
}

extension Sampler {
    /// One, as every video and every still has it.
    public var minimumFrames: Int { 1 }

    /// It never does.
    public func outlasts(_ record: VideoRecord) -> Bool { false }

    /// Makes nothing of the pixels.
    public func finish(_ sample: SampleWriter, of draw: Draw) {}

    /// The published settings but for some.
    public init(_ change: (inout Self) -> Void) {
        self.init()
        change(&self)
    }
}

/// Which sample of which video is drawn, and all random numbers that there are for it.
public struct Draw {
    /// The run's seed.
    public var seed: UInt64
    /// The number of the visit to a video, from 0.
    public var ticket: Int
    /// Which of the ticket's samples is drawn, from 0.
    public var replica: Int
    /// Which video of the ticket is drawn from: above 0, one in place of another that could not give its frames.
    public var attempt: Int
    /// What samples are drawn from of the video that (seed, ticket, attempt) chose: its span alone, counted from the span's first frame; at
    /// least ``Sampler/minimumFrames`` frames.
    public let record: VideoRecord
    private let firstFrame: Int

    /// - Parameter record: of the video, as the manifest has it.
    public init(seed: UInt64, ticket: Int, replica: Int = 0, attempt: Int = 0, record: VideoRecord) {
        self.seed = seed
        self.ticket = ticket
        self.replica = replica
        self.attempt = attempt
        self.record = record.drawn
        firstFrame = record.span?.lowerBound ?? 0
    }

    /// A view of a moment of ``record``; its frame is counted from the file's first.
    func view(_ moment: Timeline.Point, _ box: CropBox, isFlipped: Bool) -> View {
        View(tick: moment.tick, frame: firstFrame + moment.frame, box: box, isFlipped: isFlipped)
    }

    /// The random numbers for a purpose. What only some settings draw comes last in its stream, so that all agree on the rest.
    func stream(_ purpose: RandomPurpose) -> RandomStream {
        RandomStream(seed: seed, purpose: purpose, ticket: ticket, replica: replica, attempt: attempt)
    }
}

/// How a part of a picture is brought to another size.
public enum Scaling: Sendable {
    /// Bicubic with a = -0.5, smoothed where it shrinks, as Pillow has it.
    case bicubic
    /// Bilinear, smoothed where it shrinks, as Pillow has it.
    case bilinear
    /// Bilinear between the nearest pixels, whatever lies between those, as PyTorch's `interpolate` has it.
    case bilinearUnsmoothed
}

/// A picture wanted from a video: which frame, which part of it, mirrored or not, its side, and how it is scaled to that.
public struct PictureRequest: Equatable, Sendable {
    /// Index of the frame in presentation order.
    public var frame: Int
    /// In upright pixels of the size that the video's record gives.
    public var box: CropBox
    /// Whether the picture is mirrored, left to right.
    public var isFlipped: Bool
    /// Side in pixels.
    public var size: Int
    /// How the part is brought to that size.
    public var scaling: Scaling

    public init(frame: Int, box: CropBox, isFlipped: Bool = false, size: Int, scaling: Scaling = .bicubic) {
        self.frame = frame
        self.box = box
        self.isFlipped = isFlipped
        self.size = size
        self.scaling = scaling
    }

    /// Bytes of the picture as packed RGB, `[size, size, 3]`.
    public var byteCount: Int { size * size * 3 }
}

/// A picture and where it goes: the array, and its place among the array's pictures, which are all of one size.
public struct PlacedPicture: Equatable, Sendable {
    /// What the picture shows.
    public var request: PictureRequest
    /// The name of the array.
    public var array: String
    /// The place among the array's pictures, from 0.
    public var index: Int

    public init(request: PictureRequest, array: String, index: Int) {
        self.request = request
        self.array = array
        self.index = index
    }
}

/// A sample's arrays while they are filled.
public struct SampleWriter {
    private let layout: SampleLayout
    private let block: UnsafeMutableRawBufferPointer

    /// - Parameter block: the sample's bytes, laid out so; it stays valid as long as the value.
    public init(_ layout: SampleLayout, _ block: UnsafeMutableRawBufferPointer) {
        self.layout = layout
        self.block = block
    }

    /// The bytes of an array.
    public func bytes(_ array: String) -> UnsafeMutableRawBufferPointer { layout.bytes(of: array, in: block) }

    /// The bytes of a picture.
    public func bytes(_ picture: PlacedPicture) -> UnsafeMutableRawBufferPointer {
        let start = picture.index * picture.request.byteCount
        return UnsafeMutableRawBufferPointer(rebasing: bytes(picture.array)[start..<start + picture.request.byteCount])
    }

    /// The pictures of an array, one after another.
    func pictures(_ array: String) -> [UnsafeMutableRawBufferPointer] {
        let (bytes, count) = (bytes(array), layout[array].shape[0])
        let size = bytes.count / count
        return (0..<count).map { UnsafeMutableRawBufferPointer(rebasing: bytes[$0 * size..<($0 + 1) * size]) }
    }

    /// Fills the array `views`, and asks for the pictures of `frames` that it tells of.
    func write(_ views: [View], size: Int, scaling: Scaling = .bicubic) -> [PlacedPicture] {
        write(views)
        return place(views, in: "frames", size: size, scaling: scaling)
    }

    /// Fills the array `views`.
    func write(_ views: [View]) { write(views.flatMap(\.fields), to: "views") }

    /// Asks for the pictures of an array.
    func place(_ views: some Sequence<View>, in array: String, size: Int, scaling: Scaling = .bicubic) -> [PlacedPicture] {
        views.enumerated().map { PlacedPicture(request: $1.request(size: size, scaling: scaling), array: array, index: $0) }
    }

    /// Fills an array of numbers, little-endian.
    func write(_ values: [Float], to array: String) { write(values.map(\.bitPattern), to: array) }

    /// Fills an array of numbers, little-endian.
    public func write<Value: FixedWidthInteger>(_ values: [Value], to array: String) {
        let bytes = bytes(array)
        precondition(bytes.count == values.count * MemoryLayout<Value>.size, "\(values.count) values for the array \(array)")
        for (index, value) in values.enumerated() {
            bytes.storeBytes(of: value.littleEndian, toByteOffset: index * MemoryLayout<Value>.size, as: Value.self)
        }
    }
}
