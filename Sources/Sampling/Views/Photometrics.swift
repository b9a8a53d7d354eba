/// How the colours of one kind of view are changed: chances and ranges. Those that all kinds share are constants.
///
/// Source: bytedance/ibot main_ibot.py, `DataAugmentationiBOT`; OpenGVLab/Siamese-Image-Modeling util/datasets.py has the same of its two
/// views.
package struct Photometrics: Sendable {
    /// Chance that a view is blurred.
    let blurChance: Double
    /// Chance that bright levels of a view are inverted.
    let solariseChance: Double

    /// The first of two large views.
    package static let first = Photometrics(blurChance: 1, solariseChance: 0)
    /// The second of two large views.
    package static let second = Photometrics(blurChance: 0.1, solariseChance: 0.2)
    /// A small view.
    package static let local = Photometrics(blurChance: 0.5, solariseChance: 0)

    /// Chance that the colours jitter.
    static let jitterChance = 0.8
    /// By how much the factors of brightness, contrast and saturation lie above or below 1 at most.
    static let (brightness, contrast, saturation) = (0.4, 0.4, 0.2)
    /// By how much hue turns at most, in turns, either way.
    static let hue = 0.1
    /// Chance that colours become grey.
    static let grayscaleChance = 0.2
    /// Standard deviation of a blur in pixels.
    static let blurRadius = 0.1...2.0

    /// Draws what is done to a view. The same numbers are drawn whatever the chances are, and whatever comes of them.
    package func draw(from stream: inout RandomStream) -> PhotometricOperations {
        func happens(_ chance: Double) -> Bool { stream.uniform01() < chance }
        func factor(_ most: Double) -> Double { stream.uniform(in: 1 - most...1 + most) }
        let jitters = happens(Self.jitterChance)
        var order = ColorJitter.Part.allCases
        for last in (1..<order.count).reversed() { order.swapAt(last, stream.uniform(below: last + 1)) }
        let jitter = ColorJitter(
            order: order, brightness: factor(Self.brightness), contrast: factor(Self.contrast), saturation: factor(Self.saturation),
            hue: stream.uniform(in: -Self.hue...Self.hue))
        let isGrayscale = happens(Self.grayscaleChance)
        let blurs = happens(blurChance)
        let radius = stream.uniform(in: Self.blurRadius)
        return PhotometricOperations(
            jitter: jitters ? jitter : nil, isGrayscale: isGrayscale, blurRadius: blurs ? radius : nil, isSolarised: happens(solariseChance)
        )
    }
}

/// Four changes of colour and the order in which they are made.
package struct ColorJitter: Equatable, Sendable {
    /// One of the changes.
    package enum Part: Int, CaseIterable, Sendable { case brightness, contrast, saturation, hue }

    /// All four, the first that is made first.
    package var order: [Part]
    /// Factors, 1 of which changes nothing.
    package var brightness, contrast, saturation: Double
    /// Part of a turn, -0.5 ... 0.5.
    package var hue: Double

    package init(order: [Part], brightness: Double, contrast: Double, saturation: Double, hue: Double) {
        (self.order, self.brightness, self.contrast, self.saturation, self.hue) = (order, brightness, contrast, saturation, hue)
    }
}
