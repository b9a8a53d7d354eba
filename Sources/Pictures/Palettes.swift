/// The 256 colours of the DAVIS and PASCAL VOC label pictures: the bits of an index, lowest first, are dealt in turn to the high bits of
/// red, green and blue. 0 is black, 1 dark red, 2 dark green, 3 dark yellow.
public let davisPalette: [RGBColor] = (0..<256).map { index in
    func channel(_ first: Int) -> UInt8 {
        (0..<8).reduce(0) { value, bit in
            let source = bit * 3 + first
            return source < 8 ? value | UInt8((index >> source & 1) << (7 - bit)) : value
        }
    }
    return RGBColor(channel(0), channel(1), channel(2))
}

/// The 20 colours of human parts: background, hat, hair, glove, sunglasses, upper clothes, dress, coat, socks, trousers, jumpsuit, scarf,
/// skirt, face, left arm, right arm, left leg, right leg, left shoe, right shoe.
///
/// Source: Engineering-Course/LIP_JPPNet: utils/utils.py, `label_colours`; VIP has LIP's classes.
public let partPalette: [RGBColor] = [
    RGBColor(0, 0, 0), RGBColor(128, 0, 0), RGBColor(255, 0, 0), RGBColor(0, 85, 0), RGBColor(170, 0, 51), RGBColor(255, 85, 0),
    RGBColor(0, 0, 85), RGBColor(0, 119, 221), RGBColor(85, 85, 0), RGBColor(0, 85, 85), RGBColor(85, 51, 0), RGBColor(52, 86, 128),
    RGBColor(0, 128, 0), RGBColor(0, 0, 255), RGBColor(51, 170, 221), RGBColor(0, 255, 255), RGBColor(85, 255, 170),
    RGBColor(170, 255, 85), RGBColor(255, 255, 0), RGBColor(255, 170, 0),
]

/// Colours for a few things side by side, the first ones easiest to tell apart, also for those who see red and green alike.
///
/// Source: Wong, "Points of view: Color blindness", Nature Methods 8, 2011; black and grey left out, yellow in front.
public let markPalette: [RGBColor] = [
    RGBColor(240, 228, 66), RGBColor(213, 94, 0), RGBColor(86, 180, 233), RGBColor(204, 121, 167), RGBColor(0, 158, 115),
    RGBColor(230, 159, 0), RGBColor(0, 114, 178),
]

/// Heat from black over purple, red and orange to light yellow: matplotlib's "inferno", linear between eleven of its colours.
///
/// - Parameter value: 0 … 1; what lies outside counts as the nearest end, and what is no number as 0.
public func heatColor(_ value: Float) -> RGBColor {
    let position = Double(value.isNaN ? 0 : max(0, min(1, value))) * Double(infernoColors.count - 1)
    let first = min(Int(position), infernoColors.count - 2)
    return infernoColors[first].mixed(with: infernoColors[first + 1], position - Double(first))
}

private let infernoColors = [
    RGBColor(0, 0, 4), RGBColor(22, 11, 57), RGBColor(66, 10, 104), RGBColor(106, 23, 110), RGBColor(147, 38, 103), RGBColor(188, 55, 84),
    RGBColor(221, 81, 58), RGBColor(243, 120, 25), RGBColor(252, 165, 10), RGBColor(246, 215, 70), RGBColor(252, 255, 164),
]
