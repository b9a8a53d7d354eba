import Pictures
import Testing

@Suite struct OverlayTests {
    private let palette = [RGBColor.black, RGBColor(100, 0, 0), RGBColor(0, 50, 0)]

    /// An object of 3 x 3 in a corner: its border is where the background adjoins, not where the picture ends.
    @Test func areasAreTintedAndBordersBright() {
        let labels = IndexImage(
            width: 4, height: 4,
            indices: [
                1, 1, 1, 0,
                1, 1, 1, 0,
                1, 1, 1, 0,
                0, 0, 0, 0,
            ])
        let ground = RGBColor(200, 200, 200)
        let overlaid = RGBImage(width: 4, height: 4, color: ground).overlaid(labels, palette: palette, opacity: 0.5, contour: 1)
        let (area, border) = (RGBColor(150, 100, 100), RGBColor(255, 0, 0))
        let expected = [
            [area, area, border, ground], [area, area, border, ground], [border, border, border, ground], [ground, ground, ground, ground],
        ]
        for y in 0..<4 { #expect((0..<4).map { overlaid[$0, y] } == expected[y], "row \(y)") }
    }

    @Test func bordersBetweenObjectsShowOnBothSides() {
        let labels = IndexImage(width: 6, height: 1, indices: [1, 1, 1, 2, 2, 2])
        let overlaid = RGBImage(width: 6, height: 1, color: .white).overlaid(labels, palette: palette, opacity: 1, contour: 2)
        let (red, green) = (RGBColor(255, 0, 0), RGBColor(0, 255, 0))
        #expect((0..<6).map { overlaid[$0, 0] } == [RGBColor(100, 0, 0), red, red, green, green, RGBColor(0, 50, 0)])
        let plain = RGBImage(width: 6, height: 1, color: .white).overlaid(labels, palette: palette, opacity: 1, contour: 0)
        #expect(plain[2, 0] == RGBColor(100, 0, 0))
    }

    @Test func labelsOfAnotherSizeAreBroughtToThePictures() {
        let labels = IndexImage(width: 2, height: 1, indices: [1, 0])
        let overlaid = RGBImage(width: 4, height: 2, color: .white).overlaid(labels, palette: palette, opacity: 1)
        let (area, border) = (RGBColor(100, 0, 0), RGBColor(255, 0, 0))
        for y in 0..<2 { #expect((0..<4).map { overlaid[$0, y] } == [area, border, .white, .white]) }
    }

    @Test func heatIsInferno() {
        #expect(heatColor(0) == RGBColor(0, 0, 4))
        #expect(heatColor(1) == RGBColor(252, 255, 164))
        #expect(heatColor(-3) == heatColor(0) && heatColor(7) == heatColor(1) && heatColor(.nan) == heatColor(0))
        // matplotlib.colormaps["inferno"] at 0.25, 0.5 and 0.85.
        for (value, expected) in [(Float(0.25), (87, 16, 110)), (0.5, (188, 55, 84)), (0.85, (250, 189, 35))] {
            let color = heatColor(value)
            #expect(
                abs(Int(color.red) - expected.0) <= 8 && abs(Int(color.green) - expected.1) <= 8 && abs(Int(color.blue) - expected.2) <= 8,
                "\(value): \(color)")
        }
    }

    /// Heat of one column of two cells over two pixels of the same centres: each pixel has its own cell's colour.
    @Test func heatCoversThePicture() {
        let heated = RGBImage(width: 2, height: 1, color: .white).heated([0, 1], columns: 2, rows: 1, opacity: 1)
        #expect(heated[0, 0] == heatColor(0) && heated[1, 0] == heatColor(1))
        let half = RGBImage(width: 2, height: 1, color: .white).heated([0, 1], columns: 2, rows: 1, opacity: 0.5)
        #expect(half[0, 0] == RGBColor(128, 128, 130))
    }

    @Test func palettesAreThePublishedOnes() {
        #expect(davisPalette.prefix(4) == [RGBColor(0, 0, 0), RGBColor(128, 0, 0), RGBColor(0, 128, 0), RGBColor(128, 128, 0)])
        #expect(partPalette.count == 20 && Set(partPalette).count == 20)
        #expect(Set(markPalette).count == markPalette.count)
    }
}
