import Base
import CPhotometrics
import Foundation
import Sampling
import TestSupport
import Testing
import WeightFiles

extension PixelRows {
    fileprivate mutating func apply(_ operations: PhotometricOperations) {
        bytes.withUnsafeMutableBytes { operations.apply(to: $0, height: height, width: width) }
    }
}

@Suite struct PhotometricsTests {
    private static let values = Shared.folder.map { $0 + "/golden/recipes/augment-views.safetensors" }
    private static let folder = Programs.package + "/Tests/Fixtures/Views/"

    /// One change, as the reference values name it.
    private struct Operation: Decodable {
        let name: String
        /// A number, or a list of them; of a jitter its order before four factors.
        let numbers: [Double]
        let order: [ColorJitter.Part]

        init(from decoder: any Decoder) throws {
            var list = try decoder.unkeyedContainer()
            name = try list.decode(String.self)
            if name == "jitter" {
                var arguments = try list.nestedUnkeyedContainer()
                order = try arguments.decode([Int].self).map { ColorJitter.Part(rawValue: $0)! }
                numbers = try (0..<4).map { _ in try arguments.decode(Double.self) }
            } else {
                order = []
                numbers = (try? list.decode(Double.self)).map { [$0] } ?? (try? list.decode([Double].self)) ?? []
            }
        }
    }

    private static let cases: [[Operation]] = {
        struct Config: Decodable {
            struct Case: Decodable { let ops: [Operation] }
            let cases: [Case]
        }
        guard let values, let config = try? Safetensors(path: values).metadata["config"] else { return [] }
        return (try? JSONDecoder().decode(Config.self, from: Data(config.utf8)).cases.map(\.ops)) ?? []
    }()

    @Test(.enabled(if: values != nil, "TANDEM_SHARED names no folder of reference values"), arguments: cases.indices)
    func agreesWithTheReference(index: Int) throws {
        var picture = try PixelRows("case.\(index).input", in: Self.values!)
        var operations = PhotometricOperations()
        for operation in Self.cases[index] {
            let numbers = operation.numbers
            switch operation.name {
            case "flip": picture = picture.mirrored
            case "crop_resize":
                let box = numbers.map { Int($0) }
                picture = picture.cropped(top: box[0], left: box[1], height: box[2], width: box[3], size: box[4])
            case "jitter":
                operations.jitter = ColorJitter(
                    order: operation.order, brightness: numbers[0], contrast: numbers[1], saturation: numbers[2], hue: numbers[3])
            default: try operations.add(operation.name, numbers.first ?? 0)
            }
        }
        picture.apply(operations)
        #expect(try picture == PixelRows("case.\(index).output", in: Self.values!))
    }

    /// Pictures that torchvision and Pillow changed; see views.py.
    @Test func agreesWithTheFixture() throws {
        let noise = try [UInt8](Data(contentsOf: URL(fileURLWithPath: Self.folder + "noise.rgb")))
        var made = try Data(contentsOf: URL(fileURLWithPath: Self.folder + "views.rgb"))
        for line in try String(contentsOfFile: Self.folder + "views.txt", encoding: .utf8).split(separator: "\n") {
            let words = line.split(separator: " ")
            let (height, width) = (try #require(Int(words[0])), try #require(Int(words[1])))
            var picture = PixelRows(height: height, width: width, bytes: Array(noise[..<(height * width * 3)]))
            var operations = PhotometricOperations()
            for word in words.dropFirst(2) {
                let parts = word.split(separator: "=")
                try operations.add(String(parts[0]), parts.count > 1 ? #require(Double(parts[1])) : 0)
            }
            picture.apply(operations)
            #expect(picture.bytes == Array(made.prefix(picture.bytes.count)), "\(line)")
            made = made.dropFirst(picture.bytes.count)
        }
        #expect(made.isEmpty)
    }

    /// Hue goes to bytes and back as in Pillow's `rgb2hsv_row` and `hsv2rgb_row`, whose floats and doubles these are.
    private static func turned(_ red: Int, _ green: Int, _ blue: Int, by turn: Int) -> (Int, Int, Int) {
        let (high, low) = (max(red, green, blue), min(red, green, blue))
        guard high > low else { return (high, high, high) }
        let chroma = Float(high - low)
        func share(_ level: Int) -> Float { Float(high - level) / chroma }
        var hue =
            red == high
            ? share(blue) - share(green)
            : green == high ? Float(2 + Double(share(red)) - Double(share(blue))) : Float(4 + Double(share(green)) - Double(share(red)))
        hue = Float((Double(hue) / 6 + 1).truncatingRemainder(dividingBy: 1))
        let (h, s) = ((Int(Double(hue) * 255) + turn) & 255, Int(Double(chroma / Float(high)) * 255))
        let sixths = Double(h) * 6 / 255, sixth = Int(sixths), part = Double(Float(sixths - Double(sixth))), full = Double(Float(s) / 255)
        func level(_ share: Double) -> Int { Int((Double(high) * share).rounded(.toNearestOrAwayFromZero)) }
        let (p, q, t) = (level(1 - full), level(1 - full * part), level(1 - full * (1 - part)))
        switch sixth % 6 {
        case 0: return (high, t, p)
        case 1: return (q, high, p)
        case 2: return (p, high, t)
        case 3: return (p, q, high)
        case 4: return (t, p, high)
        default: return (high, p, q)
        }
    }

    /// Every colour that there is, turned both ways and not at all.
    @Test(arguments: [-25, 0, 25]) func hueOfAllColours(turn: Int) {
        var wrong = 0
        for red in 0..<256 {
            var plane = PixelRows(
                height: 256, width: 256,
                bytes: (0..<65_536).flatMap { [UInt8(red), UInt8($0 >> 8), UInt8($0 & 255)] })
            let jitter = ColorJitter(order: [.hue], brightness: 1, contrast: 1, saturation: 1, hue: Double(turn) / 255 * 1.000001)
            plane.apply(PhotometricOperations(jitter: jitter))
            for index in 0..<65_536 {
                let expected = Self.turned(red, index >> 8, index & 255, by: turn)
                let made = (Int(plane.bytes[3 * index]), Int(plane.bytes[3 * index + 1]), Int(plane.bytes[3 * index + 2]))
                if made != expected { wrong += 1 }
            }
        }
        #expect(wrong == 0)
    }

    /// Every change of pictures of all widths up to three vectors: of one row, of some rows.
    @Test(arguments: [1, 7]) func allInstructionSetsAgree(height: Int) {
        var generator = SplitMix64(seed: 3)
        let kinds = [
            (tandem_brightness, 1.37), (tandem_contrast, 1.37), (tandem_saturation, 0.81), (tandem_hue, -19), (tandem_grayscale, 0),
            (tandem_blur, 0.7), (tandem_blur, 1.9), (tandem_solarise, 0),
        ]
        for width in 1...50 {
            let noise = (0..<height * width * 3).map { _ in UInt8.random(in: 0...255, using: &generator) }
            for (kind, value) in kinds {
                func changed(_ instructions: Int32) -> [UInt8] {
                    var (bytes, scratch) = (noise, [UInt8](repeating: 0, count: tandem_change_scratch(height, width)))
                    tandem_change_colors(
                        &bytes, height, width, [tandem_change(kind: kind, value: Float(value))], 1, &scratch, instructions)
                    return bytes
                }
                let baseline = changed(0)
                for instructions in 0...tandem_best_instructions() {
                    #expect(changed(instructions) == baseline, "\(kind) of \(width) x \(height), instruction set \(instructions)")
                }
            }
        }
    }

    /// The published chances and ranges; every order of the four changes as often as the others.
    @Test func drawsAreFairAndWithinTheirBounds() {
        let count = 24_000
        for (photometrics, blurred, solarised) in [(Photometrics.first, 1, 0), (.second, 0.1, 0.2), (.local, 0.5, 0.0)] {
            var orders: [[ColorJitter.Part]: Int] = [:]
            var (grey, blurs, solarises) = (0, 0, 0)
            var (factors, hues, radii) = ([Double](), [Double](), [Double]())
            for ticket in 0..<count {
                var stream = RandomStream(seed: 1, purpose: .color, ticket: ticket)
                let drawn = photometrics.draw(from: &stream)
                if let jitter = drawn.jitter {
                    orders[jitter.order, default: 0] += 1
                    factors += [(jitter.brightness - 1) / 0.4, (jitter.contrast - 1) / 0.4, (jitter.saturation - 1) / 0.2]
                    hues.append(jitter.hue)
                }
                grey += drawn.isGrayscale ? 1 : 0
                blurs += drawn.blurRadius == nil ? 0 : 1
                solarises += drawn.isSolarised ? 1 : 0
                radii += [drawn.blurRadius].compactMap { $0 }
            }
            // Of 24,000 and a half the deviation is 77; of 800 in each order 28.
            #expect(
                abs(orders.values.reduce(0, +) - 19_200) < 350 && orders.count == 24 && orders.values.allSatisfy { abs($0 - 800) < 150 })
            #expect(abs(grey - 4800) < 350 && abs(Double(blurs) - blurred * 24_000) < 350)
            #expect(abs(Double(solarises) - solarised * 24_000) < (solarised > 0 ? 350 : 1))
            #expect((-1 ... -0.99).contains(factors.min()!) && (0.99...1).contains(factors.max()!))
            #expect((-0.1 ... -0.099).contains(hues.min()!) && (0.099...0.1).contains(hues.max()!))
            #expect((0.1..<0.11).contains(radii.min()!) && (1.99...2).contains(radii.max()!))
        }
    }

    /// What is drawn for one view moves nothing of the next.
    @Test func allKindsDrawAsManyNumbers() {
        for ticket in 0..<200 {
            let next = [Photometrics.first, .second, .local].map { photometrics in
                var stream = RandomStream(seed: 1, purpose: .color, ticket: ticket)
                _ = photometrics.draw(from: &stream)
                return stream.nextUInt64()
            }
            #expect(Set(next).count == 1)
        }
    }
}

extension PhotometricOperations {
    /// Adds a change by its name; those of a jitter in the order in which they are added.
    fileprivate mutating func add(_ name: String, _ value: Double) throws {
        var jitter = jitter ?? ColorJitter(order: [], brightness: 1, contrast: 1, saturation: 1, hue: 0)
        switch name {
        case "brightness": (jitter.brightness, jitter.order) = (value, jitter.order + [.brightness])
        case "contrast": (jitter.contrast, jitter.order) = (value, jitter.order + [.contrast])
        case "saturation": (jitter.saturation, jitter.order) = (value, jitter.order + [.saturation])
        case "hue": (jitter.hue, jitter.order) = (value, jitter.order + [.hue])
        case "grayscale": isGrayscale = true
        case "blur": blurRadius = value
        case "solarise": isSolarised = true
        default: throw CocoaError(.featureUnsupported, userInfo: [NSLocalizedDescriptionKey: name])
        }
        if !jitter.order.isEmpty { self.jitter = jitter }
    }
}
