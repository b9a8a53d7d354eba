import CPhotometrics

/// What is done to the colours of a picture: jitter, then greyscale, then blur, then solarising, each as Pillow and torchvision do it, bit
/// for bit and on every processor.
package struct PhotometricOperations: Equatable, Sendable {
    /// Brightness, contrast, saturation and hue; nil where they stay.
    package var jitter: ColorJitter?
    /// Whether colours become grey.
    package var isGrayscale: Bool
    /// Standard deviation of a Gaussian blur in pixels, above 0 to 2; nil where there is none.
    package var blurRadius: Double?
    /// Whether levels of 128 and more count down from 255.
    package var isSolarised: Bool

    package init(jitter: ColorJitter? = nil, isGrayscale: Bool = false, blurRadius: Double? = nil, isSolarised: Bool = false) {
        (self.jitter, self.isGrayscale, self.blurRadius, self.isSolarised) = (jitter, isGrayscale, blurRadius, isSolarised)
    }

    /// Asked for once: the environment has a say in it.
    private static let instructions = tandem_best_instructions()

    /// Changes packed RGB `[side, side, 3]`.
    package func apply(to picture: UnsafeMutableRawBufferPointer, side: Int) { apply(to: picture, height: side, width: side) }

    /// Changes packed RGB `[height, width, 3]`.
    package func apply(to picture: UnsafeMutableRawBufferPointer, height: Int, width: Int) {
        precondition(
            height > 0 && width > 0 && picture.count == height * width * 3, "\(picture.count) bytes for \(width) x \(height) pixels")
        let changes = changes
        let pixels = picture.baseAddress!.assumingMemoryBound(to: UInt8.self)
        withUnsafeTemporaryAllocation(byteCount: blurRadius == nil ? 0 : tandem_change_scratch(height, width), alignment: 64) { scratch in
            tandem_change_colors(
                pixels, height, width, changes, changes.count, scratch.baseAddress?.assumingMemoryBound(to: UInt8.self), Self.instructions)
        }
    }

    /// The changes in their order.
    private var changes: [tandem_change] {
        var changes = jitter?.changes ?? []
        if isGrayscale { changes.append(tandem_change(kind: tandem_grayscale, value: 0)) }
        if let blurRadius { changes.append(tandem_change(kind: tandem_blur, value: Float(blurRadius))) }
        if isSolarised { changes.append(tandem_change(kind: tandem_solarise, value: 0)) }
        return changes
    }
}

extension ColorJitter {
    fileprivate var changes: [tandem_change] {
        order.map { part in
            switch part {
            case .brightness: tandem_change(kind: tandem_brightness, value: Float(brightness))
            case .contrast: tandem_change(kind: tandem_contrast, value: Float(contrast))
            case .saturation: tandem_change(kind: tandem_saturation, value: Float(saturation))
            // Towards zero, as torchvision's `adjust_hue` has it.
            case .hue: tandem_change(kind: tandem_hue, value: Float((hue * 255).rounded(.towardZero)))
            }
        }
    }
}
