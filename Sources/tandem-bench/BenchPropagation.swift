import Base
import Compute
import Console
import Devices
import Foundation
import Models
import Pictures
import Propagation
import Training
import WeightFiles

/// `tandem bench propagation`: the time of an evaluation's two halves.
func benchPropagation(arguments: [String]) throws {
    var options = Arguments(
        "tandem bench propagation",
        about: """
            Times what an evaluation does with a frame: scaling it and computing its features, and carrying labels to it, up to a mask. The
            frames show noise that moves. A frame's cost grows until the queue is full; the frames after that count.
            """, arguments: arguments)
    let weights = options.value("--weights", "FILE|RUN_FOLDER", EncoderWeights.weightsHelp + "; default: a random one")
    let heads: Int? = options.value("--heads", "N", EncoderWeights.headsHelp)
    let size = options.value("--model", "ti16|s16|s8|b16|l16", "the random encoder", default: "s16")
    let precision: Precision? = options.value(
        "--precision", "f32|bf16", "of the encoder's products; default: bf16 where the processor has it")
    let inputSize = options.value("--size", "HxW", "the input's size, the frames' too", default: PropagationSettings().inputSize)
    let frames = options.value("--frames", "N", "frames that are timed, after those that fill the queue", default: 4)
    let threads = options.threads()
    let asJSON = options.flag("--json", "print one JSON object")
    if frames < 1 { options.refuse("--frames wants 1 or more") }
    if EncoderConfiguration(preset: size) == nil { options.refuse("--model wants ti16, s16, s8, b16 or l16, not '\(size)'") }
    if case .exact = inputSize {} else { options.refuse("--size wants HxW, not '\(inputSize)'") }
    options.finish()
    guard case .exact(let height, let width) = inputSize, let configuration = EncoderConfiguration(preset: size) else { return }

    let backend = try Device.cpu.makeBackend(threads: threads, for: precision)
    let chosen = precision ?? backend.fastestPrecision
    var settings = PropagationSettings()
    settings.inputSize = inputSize
    func bench(on backend: any SimilarityBackend) throws -> PropagationBench {
        if let weights {
            let path = try CheckpointFolder.weights(at: weights, warn: warn)
            let encoder = try EncoderWeights(path: path, heads: heads).makeEncoder(precision: chosen, backend: backend)
            return PropagationBench(settings: settings, encoder: encoder, backend: backend)
        }
        let (encoder, parameters) = VisionTransformer.standalone(configuration, precision: chosen, backend: backend)
        parameters.initialize(seed: 1)
        return PropagationBench(settings: settings, encoder: encoder, backend: backend)
    }
    var result = try bench(on: backend).run(frames: frames, height: height, width: width, precision: chosen)
    let planning = PlanningBackend()
    let operations = try bench(on: planning).operations(of: planning)
    result.featuresGflops = operations.features / result.featuresSeconds / 1e9
    result.propagationGflops = operations.propagation / result.propagationSeconds / 1e9
    print(result.shown(asJSON: asJSON))
}

/// A measured evaluation.
struct PropagationResult: BenchResult, Decodable {
    var device: String
    var precision: Precision
    var cells: Int
    /// The fastest frame's, from its pixels to its features, and from there to its mask.
    var featuresSeconds: Double
    var propagationSeconds: Double
    /// The same in seconds of all cores together, which other programs on the machine hardly touch.
    var featuresCoreSeconds: Double
    var propagationCoreSeconds: Double
    /// Billions of operations a second of the encoder's products, and of those of cells that are compared.
    var featuresGflops = 0.0
    var propagationGflops = 0.0
    /// The most memory that the process took.
    var peakBytes: Int

    var text: String {
        func line(_ seconds: Double, _ coreSeconds: Double, _ gflops: Double, _ name: String) -> String {
            String(format: "  %8.3f s a frame for %@ (%.3f core seconds), %.1f GFLOP/s", seconds, name, coreSeconds, gflops)
        }
        return """
            \(device)
            \(cells) cells a frame, encoder in \(precision)
            \(line(featuresSeconds, featuresCoreSeconds, featuresGflops, "features"))
            \(line(propagationSeconds, propagationCoreSeconds, propagationGflops, "propagation"))
              \(formatBytes(peakBytes)) of memory at the highest
            """
    }
}

/// Frames of DAVIS's size through a propagation.
private struct PropagationBench {
    let settings: PropagationSettings
    let encoder: any EncoderModel
    let backend: any SimilarityBackend

    func run(frames: Int, height: Int, width: Int, precision: Precision) throws -> PropagationResult {
        let patchSize = encoder.configuration.patchSize
        let moments = try halves(of: frames) { Moment() }
        let features = moments.map { $0.middle - $0.start }, propagation = moments.map { $0.end - $0.middle }
        return PropagationResult(
            device: backend.summary, precision: precision, cells: height / patchSize * (width / patchSize),
            featuresSeconds: features.map(\.seconds).min()!, propagationSeconds: propagation.map(\.seconds).min()!,
            featuresCoreSeconds: features.map(\.coreSeconds).min()!, propagationCoreSeconds: propagation.map(\.coreSeconds).min()!,
            peakBytes: SystemMemory.highWaterMark)
    }

    /// Floating-point operations of products for a frame whose queue is full, as this bench's backend plans them.
    func operations(of planning: PlanningBackend) throws -> (features: Double, propagation: Double) {
        let planned = try halves(of: 1) { planning.operations }[0]
        return (planned.middle - planned.start, planned.end - planned.middle)
    }

    /// Where a clock stands as a frame begins, as its features are there, and as its mask is, for each frame once the queue is full.
    private func halves<Time>(of frames: Int, _ now: @escaping () -> Time) throws -> [(start: Time, middle: Time, end: Time)] {
        let arena = Arena(backend: backend)
        var (start, middle) = (now(), now())
        var halves: [(Time, Time, Time)] = []
        let method = VideoPropagation(settings, patchSize: encoder.configuration.patchSize, backend: backend) { image in
            defer { middle = now() }
            return encoder.features(ofPictures: image, arena: arena)
        }
        try method.masks(frameCount: 1 + settings.queue + frames, firstMask: firstMask) { index in
            let frame = movingNoise(index)
            start = now()
            return frame
        } _: { index, _ in
            if index > settings.queue { halves.append((start, middle, now())) }
        }
        return halves
    }

    private static let (frameHeight, frameWidth) = (480, 854)

    /// Three upright bars.
    private var firstMask: LabelMap {
        let (height, width) = (Self.frameHeight, Self.frameWidth)
        return LabelMap(
            width: width, height: height, labels: (0..<height * width).map { UInt8($0 % width / 120 % 2 * (1 + $0 % width / 240)) })
    }

    /// Squares of random colours that move to the left.
    private func movingNoise(_ index: Int) -> RGBImage {
        let (height, width) = (Self.frameHeight, Self.frameWidth)
        var pixels: [UInt8] = []
        pixels.reserveCapacity(height * width * 3)
        for y in 0..<height {
            for x in 0..<width {
                let color = SplitMix64.scramble(UInt64(1 + y / 12 * 512 + (x + 3 * index) / 12))
                pixels += [
                    UInt8(truncatingIfNeeded: color >> 56), UInt8(truncatingIfNeeded: color >> 48), UInt8(truncatingIfNeeded: color >> 40),
                ]
            }
        }
        return RGBImage(width: width, height: height, pixels: pixels)
    }
}

/// A point in time, or what passed between two: on the clock, and on all cores.
private struct Moment {
    let seconds: Double
    let coreSeconds: Double

    private init(seconds: Double, coreSeconds: Double) { (self.seconds, self.coreSeconds) = (seconds, coreSeconds) }

    init() {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        self.init(seconds: monotonicSeconds(), coreSeconds: Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9)
    }

    static func - (end: Moment, start: Moment) -> Moment {
        Moment(seconds: end.seconds - start.seconds, coreSeconds: end.coreSeconds - start.coreSeconds)
    }
}
